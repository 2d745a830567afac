import type { Call, Decisions, Question } from '#decision';
import type { Direction, ListedItem, Operation } from '#mcp';
import { digest, layer, OBLIGATIONS, THE_SERVER, type Json, type JsonObject, type ServerReference } from '#policy';
import type { FrontRequest } from '../front-door.js';
import type { DecisionRequestBody, ListingRequestBody } from './wire.js';

type Common = Pick<
  DecisionRequestBody,
  'server' | 'agent' | 'session' | 'protocolVersion' | 'purpose' | 'context' | 'supported_obligations' | 'at_least'
> & {
  readonly subject: KnownSubject;
};

/** With what only a decision about a message has. */
type Asked = Common & Pick<DecisionRequestBody, 'tool' | 'approval'>;

/** Somebody by name; with a proof if a token named them. */
interface KnownSubject extends Pick<Question['subject'], 'type' | 'id'> {
  readonly properties?: JsonObject | undefined;
  readonly proof?: Question['proof'];
}

/** A request in which a subject that came as a token has the name that the token proves. */
export async function withSubject<Body extends Pick<DecisionRequestBody, 'subject'>>(
  decisions: Decisions,
  body: Body,
  call: Call,
  scope: 'decisions' | 'listings',
): Promise<Omit<Body, 'subject'> & { readonly subject: KnownSubject }> {
  const { subject } = body;
  if (!('token' in subject)) return { ...body, subject };
  const proof = await decisions.verified(call, scope, subject.token);
  return { ...body, subject: { ...proof.subject!, properties: subject.properties, proof } };
}

/** What of the record is the same for every question of a request. */
export function callOf(body: DecisionRequestBody | ListingRequestBody, request: FrontRequest): Call {
  const toolDigest = 'tool' in body && body.tool ? digestOf(body.tool) : undefined;
  return {
    ...request,
    front: 'mcp',
    atLeast: body.at_least,
    noted: {
      ...(body.purpose === undefined ? {} : { purpose: body.purpose }),
      ...(toolDigest === undefined ? {} : { tool: toolDigest }),
    },
  };
}

/** The digest that the host gives, or that of the whole definition by RFC 8785. */
const digestOf = (tool: NonNullable<DecisionRequestBody['tool']>): string =>
  'digest' in tool ? tool.digest : digest(tool.definition);

export function questionOf(operation: Operation, body: Asked, direction: Direction): Question {
  return {
    ...aboutSubject(body),
    definition: body.tool && digestOf(body.tool),
    approval: body.approval?.id,
    action: operation.action,
    resource: { ...operation.resource, properties: {} },
    arguments: operation.arguments,
    operation: operation.operation,
    context: contextOf(body, direction, operation.context),
    kind: 'ordinary',
  };
}

/** What needs no decision, or what nobody knows: about the server as such. */
export function questionWithoutOperation(
  method: string,
  kind: 'none' | 'unknown-method',
  body: Common,
  direction: Direction,
): Question {
  return {
    ...aboutSubject(body),
    action: method,
    resource: { type: 'mcp_server', id: THE_SERVER, properties: {} },
    arguments: {},
    operation: undefined,
    context: contextOf(body, direction, {}),
    kind,
  };
}

export function questionOfItem(item: ListedItem, body: Common): Question {
  return {
    ...aboutSubject(body),
    action: item.action,
    resource: { ...item.resource, properties: {} },
    arguments: {},
    operation: item.operation,
    context: contextOf(body, 'client_to_server', {}),
    kind: 'ordinary',
  };
}

function aboutSubject({
  subject,
  server,
  agent,
  session,
  supported_obligations: supported,
}: Common): Pick<Question, 'subject' | 'proof' | 'server' | 'agent' | 'session' | 'supportedObligations'> {
  const { proof, type, id, properties } = subject;
  return {
    subject: { type, id, properties: properties ?? {} },
    proof,
    server: server === undefined ? null : referenceTo(server),
    agent,
    session: session ?? null,
    supportedObligations: supported && OBLIGATIONS.filter((type) => supported.includes(type)),
  };
}

const referenceTo = (server: NonNullable<Common['server']>): ServerReference =>
  typeof server === 'string' ? { name: server } : server;

/** What we know wins over what the mapping says, and that over what the host adds. */
function contextOf(
  { purpose, protocolVersion, context }: Common,
  direction: Direction,
  mapped: JsonObject,
): JsonObject {
  const known: Record<string, Json> = { direction };
  if (purpose !== undefined) known.purpose = purpose;
  if (protocolVersion !== undefined) known.protocol_version = protocolVersion;
  return layer(known, mapped, context ?? {});
}

import type { Call, Decisions, Question } from '#decision';
import { operationWord } from '#mcp';
import {
  digest,
  isJsonObject,
  layer,
  MCP_RESOURCE_TYPES,
  own,
  type Json,
  type JsonObject,
  type ServerReference,
} from '#policy';
import { supportedByProfile } from './obligations.js';
import { AGENT, APPROVAL, SUBJECT_TOKEN, SUPPORTED_OBLIGATIONS, TOOL, type EvaluationRequestBody } from './wire.js';

/** The proof of a request's subject, if it has a token: verified, and not yet held against whom the request names. */
export async function proofOf(
  decisions: Decisions,
  { context = {} }: Pick<EvaluationRequestBody, 'context'>,
  call: Call,
  scope: 'decisions' | 'filter' = 'decisions',
): Promise<Question['proof']> {
  const token = own(context, SUBJECT_TOKEN);
  return typeof token === 'string' ? decisions.verified(call, scope, token) : undefined;
}

/**
 * An access evaluation as a question. What MCP needs and AuthZEN has no place for is read from where the COAZ-MCP
 * binding or common sense puts it: the server from `resource.properties.server`, `context.server` or the id of a resource
 * of type `mcp_server`; the arguments from `context.arguments`; the session from `context.session.id`; the
 * host that a gateway acts for from `context.agent`. What the host can carry out is in `context.supported_obligations`, by the obligations profile.
 */
export function questionOf(
  { subject, action, resource, context = {}, explain }: EvaluationRequestBody,
  proof?: Question['proof'],
): Question {
  const properties = resource.properties ?? {};
  const given = own(context, 'arguments');
  const supported = own(context, SUPPORTED_OBLIGATIONS) as readonly string[] | undefined;
  // What the host can do is not for conditions to read: an answer to a host that can do less must not be more.
  // A token is for nobody to read.
  // Nor is an approval, which a rule could take for the right that it is not.
  const { [SUPPORTED_OBLIGATIONS]: _supported, [SUBJECT_TOKEN]: _token, [APPROVAL]: approval, ...readable } = context;
  return {
    subject: { type: subject.type, id: subject.id, properties: subject.properties ?? {} },
    proof,
    action: action.name,
    resource: { type: resource.type, id: resource.id, properties },
    server: MCP_RESOURCE_TYPES.has(resource.type) ? serverOf(resource, properties, context) : null,
    arguments: isJsonObject(given) ? given : {},
    operation: operationWord(action.name),
    session: sessionOf(context),
    // The schema lets nothing but a text through.
    agent: own(context, AGENT) as string | undefined,
    context: action.properties ? layer({ action: action.properties }, readable) : readable,
    supportedObligations: supported && supportedByProfile(supported),
    definition: definitionOf(own(context, TOOL)),
    // The schema lets nothing but an object with an id through.
    approval: approval === undefined ? undefined : (own(approval as JsonObject, 'id') as string),
    kind: 'ordinary',
    explain,
  };
}

function serverOf(
  resource: EvaluationRequestBody['resource'],
  properties: JsonObject,
  context: JsonObject,
): ServerReference | null {
  const named =
    own(properties, 'server') ?? own(context, 'server') ?? (resource.type === 'mcp_server' ? resource.id : undefined);
  if (typeof named !== 'string') return null;
  return named.includes('://') ? { url: named } : { name: named };
}

/** The digest that the host gives, or that of the whole definition by RFC 8785; undefined for anything else. */
function definitionOf(tool: Json | undefined): string | undefined {
  if (!isJsonObject(tool)) return undefined;
  const [given, definition] = [own(tool, 'digest'), own(tool, 'definition')];
  if (isJsonObject(definition)) return digest(definition);
  return typeof given === 'string' && /^[0-9a-f]{64}$/.test(given) ? given : undefined;
}

function sessionOf(context: JsonObject): { readonly id: string } | null {
  const session: Json | undefined = own(context, 'session');
  const id = isJsonObject(session) ? own(session, 'id') : undefined;
  return typeof id === 'string' ? { id } : null;
}

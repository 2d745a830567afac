import type { PolicySet } from '../compile/policy-set.js';
import type { ServerReference } from '../compile/registry.js';
import type { RegisteredTool } from '../compile/registered-tool.js';
import { identitiesOf } from '../documents/identities.js';
import { serverIdentities } from '../documents/server-identity.js';
import type { ServerDocument, SubjectDocument, SuspensionDocument } from '../documents/schema.js';
import { NAME, subjectKey } from '../documents/names.js';
import { ANY_GROUP, keyOfIssuer, keyOfIssuerText, keyOfServerIdentity, type TouchKey } from '../documents/touches.js';
import { layer, own } from '../json.js';
import type { Json, JsonObject, ReasonCode } from '../model.js';
import { readUri } from '../paths/uris.js';
import {
  BY_TOOL,
  MCP_RESOURCE_TYPES,
  SERVER_ITSELF,
  THE_SERVER,
  type DecisionInput,
  type ResolvedRequest,
} from './request.js';

/** What came of looking a request up: all of it, or why it is denied before any rule. */
export type Resolution = {
  /** What the answer rests on, also where it is a denial. */
  readonly keys: readonly TouchKey[];
} & ({ readonly request: ResolvedRequest } | { readonly denied: ReasonCode; readonly detail: string });

/** Looks up who asks, about whom, and on which server. Only stored attributes and permitted assertions survive. */
export function resolve(set: PolicySet, input: DecisionInput): Resolution {
  const stored = set.subject(input.subject.type, input.subject.id);
  const subject = resolveSubject(stored, input);
  const server = MCP_RESOURCE_TYPES.has(input.resource.type) && input.server ? set.server(input.server) : undefined;
  const keys = keysOf(input, subject, stored, server);
  const denied = (reason: ReasonCode, detail: string): Resolution => ({ keys, denied: reason, detail });

  const names = namesOf(stored, input.subject);
  const hosts = hostsOf(input);
  const suspension = set.suspensionOf(() => [
    ...hosts.map((name) => `Host:${name}`),
    ...(server ? [`Server:${server.name}`] : []),
    ...names.map(({ type, id }) => `Subject:${subjectKey(type, id)}`),
  ]);
  if (suspension) return denied('suspended', describeSuspension(suspension));
  const silent = set.silentIssuerOf(() => names.map(({ type, id }) => subjectKey(type, id)));
  if (silent !== undefined)
    return denied(
      'directory_unreachable',
      `the directory of the issuer '${silent}' has not been heard of for too long`,
    );
  if (set.keepsOut(names))
    return denied('suspended', 'the directory of their Issuer does not let the person in (SCIM)');

  const unknown = hosts.find((name) => !set.host(name));
  const host = set.host(input.agent);
  if (!host || unknown !== undefined) return denied('agent_unknown', `no host '${unknown}' is registered`);
  if (MCP_RESOURCE_TYPES.has(input.resource.type) && !server) return denied('server_unknown', describeServer(input));
  if (input.kind === 'unknown-method') return denied('method_unknown', `the method '${input.action}' is not known`);

  const id = resourceId(set, input, server);
  if ('ambiguous' in id) return denied('resource_ambiguous', id.ambiguous);
  const tool =
    server && input.resource.type === 'tool' && id.id !== null
      ? { name: id.id, registered: set.tool(server, id.id) }
      : null;
  if (tool?.registered && input.arguments !== 'unknown' && !tool.registered.fits(input.arguments)) {
    return denied('arguments_invalid', `the arguments do not fit the schema of the tool '${tool.name}'`);
  }
  const storedResource = id.id === null ? undefined : set.resource(server?.name ?? null, input.resource.type, id.id);
  return {
    keys,
    request: {
      subject,
      agent: { id: host.name, properties: attributes(host.properties) },
      action: input.action,
      resource: {
        type: input.resource.type,
        id: id.id,
        properties: layer(attributes(storedResource?.properties), input.resource.properties),
      },
      server: server
        ? { id: server.name, properties: attributes(server.properties), identity: identitiesOf(server) }
        : null,
      tool,
      definition: tool ? definitionOf(tool.registered, input.definition) : undefined,
      arguments: input.arguments,
      operation: input.operation === BY_TOOL ? tool?.registered?.document.operation : input.operation,
      session: input.session,
      context: input.context,
      supportedObligations: input.supportedObligations,
    },
  };
}

/** The definition that a host means, if it is the one that is registered, or none is. */
function definitionOf(registered: RegisteredTool | undefined, given: string | undefined): string | null {
  const known = registered?.document.definition;
  return given !== undefined && (known === undefined || known === given) ? given : null;
}

/** The host that the answer is for and, if it is another, the one that asks for it. */
const hostsOf = ({ agent, gateway }: DecisionInput): string[] => (gateway === undefined ? [agent] : [agent, gateway]);

const attributes = (properties: Record<string, unknown> | undefined): JsonObject => (properties ?? {}) as JsonObject;

function resolveSubject(stored: SubjectDocument | undefined, { subject }: DecisionInput): ResolvedRequest['subject'] {
  const { type, id } = stored ?? subject;
  const known = attributes(stored?.properties);
  const unsure = subject.unsure?.filter((name) => !Object.hasOwn(known, name)) ?? NO_NAMES;
  const over = subject.unsure?.filter((name) => Object.hasOwn(known, name)) ?? NO_NAMES;
  const groups = stored?.groups ?? groupsSaid(subject);
  return {
    type,
    id,
    key: subjectKey(type, id),
    properties: layer(known, unsure.length === 0 ? subject.properties : without(subject.properties, unsure)),
    groups: groups ? new Set(groups) : null,
    mayBeInMore: !stored?.groups && (subject.groups ? !subject.groups.complete : !groups),
    mapped: subject.roles ?? null,
    unsure: unsure.length === 0 ? null : new Set(unsure),
    storedOverUnsure: over.length === 0 ? null : new Set(over),
    token: subject.token ?? null,
    assurance: subject.assurance,
  };
}

const NO_NAMES: readonly string[] = [];

const without = (properties: JsonObject, names: readonly string[]): JsonObject =>
  layer(Object.fromEntries(Object.entries(properties).filter(([name]) => !names.includes(name))));

/** The groups that a token names. A host may say them of a subject that it asserts, and of no other. */
function groupsSaid({ groups, properties, assurance }: DecisionInput['subject']): readonly string[] | undefined {
  if (groups) return groups.names;
  return groups === undefined && assurance === 'asserted' ? textsOf(own(properties, 'groups')) : undefined;
}

/** A list of texts, or undefined for anything else: groups of an unexpected shape are unknown, not none. */
function textsOf(value: Json | undefined): readonly string[] | undefined {
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) return undefined;
  return value;
}

/**
 * The id by which rules know the resource: URIs of resources in one spelling, tools by the names the protocol allows, and
 * the server itself by its registered name, however it was named.
 */
function resourceId(
  set: PolicySet,
  { resource }: DecisionInput,
  server: ServerDocument | undefined,
): { id: string | null } | { ambiguous: string } {
  const { type, id } = resource;
  if (id === null) return { id };
  if (server && SERVER_ITSELF.has(type)) {
    const isNamed = id === THE_SERVER || id === server.name || set.server({ url: id }) === server;
    return isNamed
      ? { id: server.name }
      : { ambiguous: `a resource of type ${type} is the server itself, here '${server.name}', and nothing else` };
  }
  if (type === 'resource') {
    const read = readUri(id);
    return 'uri' in read ? { id: read.uri } : { ambiguous: `the URI of the resource has ${read.ambiguous}` };
  }
  if (type === 'tool' && !/^[A-Za-z0-9_./:-]{1,128}$/.test(id)) {
    return { ambiguous: 'a tool is named by up to 128 letters, digits, "_", ".", "/", ":" or "-"' };
  }
  return { id };
}

/** Every name that a person has: the one that was sent, the stored one, and the aliases. */
function namesOf(stored: SubjectDocument | undefined, sent: DecisionInput['subject']): readonly SubjectName[] {
  return stored ? [sent, stored, ...(stored.aliases ?? [])] : [sent];
}

type SubjectName = Pick<SubjectDocument, 'type' | 'id'>;

/** The Issuer whose people have such an id, be there one of that name or not: whether it lets them in may change. */
function keysOfName({ type, id }: SubjectName): TouchKey[] {
  const slash = id.indexOf('/');
  const own: TouchKey = `subject:${subjectKey(type, id)}`;
  return slash > 0 && NAME.test(id.slice(0, slash)) ? [own, keyOfIssuer(id.slice(0, slash))] : [own];
}

const describeSuspension = ({ of, name, reason }: SuspensionDocument): string =>
  `the ${of} '${name}' is suspended${reason === undefined ? '' : `: ${reason}`}`;

function describeServer({ server }: DecisionInput): string {
  const names = [server?.name, server?.url, server?.command?.join(' '), server?.package?.name].filter(
    (name) => name !== undefined,
  );
  if (names.length === 0) return 'the request names no server';
  return names.length === 1
    ? `no server '${names[0]}' is registered`
    : `'${names.join("' and '")}' are not the same registered server`;
}

/**
 * The person under every name, the groups, who vouches for them, the host, and the server under every name that was sent: which server it is
 * may change with any of them.
 */
function keysOf(
  input: DecisionInput,
  subject: ResolvedRequest['subject'],
  stored: SubjectDocument | undefined,
  server: ServerDocument | undefined,
): TouchKey[] {
  const keys = new Set<TouchKey>(namesOf(stored, input.subject).flatMap(keysOfName));
  for (const host of hostsOf(input)) keys.add(`host:${host}`);
  for (const group of subject.groups ?? []) keys.add(`group:${group}`);
  if (subject.mayBeInMore) keys.add(ANY_GROUP);
  const { issuer } = input.subject;
  if (issuer) keys.add(keyOfIssuer(issuer.name)).add(keyOfIssuerText(issuer.iss));
  if (server) keys.add(`server:${server.name}`);
  if (input.server) keysOfReference(input.server).forEach((key) => keys.add(key));
  return [...keys];
}

function keysOfReference(reference: ServerReference): TouchKey[] {
  const keys: TouchKey[] = reference.name === undefined ? [] : [`server:${reference.name}`];
  return [...keys, ...serverIdentities(reference).map(keyOfServerIdentity)];
}

import type { HostPrincipal } from '#identity';
import { operationWord } from '#mcp';
import {
  accessOf,
  knownSubjects,
  knownThings,
  MCP_RESOURCE_TYPES,
  subjectsOfRules,
  withinBoundaries,
  type AccessRule,
  type Candidate,
  type DecisionInput,
  type Effect,
  type JsonObject,
  type PolicySet,
  type ReasonCode,
  type Thing,
} from '#policy';
import { actionsOn } from './actions.js';
import { permitted } from './assertions.js';
import type { Key, Paged } from './pages.js';

/** What both questions have. */
interface AccessQuestion {
  /** The host through which; null: each that is registered. */
  readonly host: string | null;
  readonly context: JsonObject;
  /** Which effects are told. */
  readonly effects: readonly Effect[];
  readonly from: Key | null;
  readonly limit: number;
}

/** Who could do this? */
export interface SubjectsQuestion extends AccessQuestion {
  /** The type of the subjects. */
  readonly type: string;
  readonly action: string;
  readonly resource: { readonly type: string; readonly id: string; readonly properties: JsonObject };
  readonly server: string | null;
  /** Null: not known. */
  readonly arguments: JsonObject | null;
}

/** What could this person, or this host, do? */
export interface CapabilitiesQuestion extends AccessQuestion {
  /** Null: nobody in particular; then there is a host, and what its boundaries let through is told. */
  readonly subject: { readonly type: string; readonly id: string } | null;
  /** Only what belongs to this server; null: whatever there is. */
  readonly server: string | null;
  /** Whether what obliges to something counts as denied. */
  readonly unobliged?: boolean;
}

/** The subject's id is null for somebody whom no document names. */
type SubjectOrStranger = { readonly type: string; readonly id: string | null };

/** What somebody could do through one host. */
export interface AccessRow {
  readonly subject: SubjectOrStranger | null;
  readonly host: string;
  readonly action: string;
  readonly thing: Thing;
  /** Null where nobody was asked about. */
  readonly effect: Effect | null;
  readonly conditional: boolean;
  /** Why it is a deny. */
  readonly denied: ReasonCode | null;
  readonly rules: readonly AccessRule[];
  /** How many rules there are beyond these. */
  readonly more: number;
}

/** An id that nobody can have: no document may have a control character in one. */
const STRANGER = '\u0000';

type Case = Pick<AccessRow, 'subject' | 'host' | 'action' | 'thing'>;

/** A row for each person and host. */
export function subjectRows(
  policies: PolicySet,
  question: SubjectsQuestion,
  now: number,
): Paged<string, Case, AccessRow> {
  const { type, action, resource, server } = question;
  const hosts = hostsOf(policies, question.host);
  const thing: Thing = { server, type: resource.type, id: resource.id };
  return {
    things: subjectIds(policies, type),
    keyOf: (id) => [id],
    *casesOf(id) {
      const subject = { type, id: id === '' ? null : id };
      for (const host of hosts) yield [[id, host], { subject, host, action, thing }] as const;
    },
    rowOf: rowOf(
      policies,
      question,
      { properties: resource.properties, arguments: question.arguments, unobliged: false },
      now,
    ),
    from: question.from,
    limit: question.limit,
  };
}

/** Everybody who is stored, bound or named by a rule; and first, as an empty id, whoever is not. */
function* subjectIds(policies: PolicySet, type: string): Iterable<string | null> {
  yield '';
  for (const known of knownSubjects(policies, type)) yield known && known.id;
  yield* subjectsOfRules(policies, type);
}

/**
 * A row for each thing, action and host.
 * @param named the actions that policies name, each once
 */
export function capabilityRows(
  policies: PolicySet,
  question: CapabilitiesQuestion,
  named: readonly Candidate[],
  now: number,
): Paged<Thing, Case, AccessRow> {
  const { subject } = question;
  const hosts = hostsOf(policies, question.host);
  const actions = new Map<string, readonly string[]>();
  const actionsFor = (type: string): readonly string[] => {
    const known = actions.get(type) ?? namesOf(actionsOn(type, named));
    actions.set(type, known);
    return known;
  };
  return {
    things: knownThings(policies, question.server),
    keyOf: ({ server, type, id }) => [server ?? '', type, id],
    *casesOf(thing) {
      const { server, type, id } = thing;
      for (const action of actionsFor(type))
        for (const host of hosts)
          yield [[server ?? '', type, id, action, host], { subject, host, action, thing }] as const;
    },
    rowOf: rowOf(policies, question, { properties: {}, arguments: null, unobliged: question.unobliged ?? false }, now),
    from: question.from,
    limit: question.limit,
  };
}

const namesOf = (candidates: Iterable<Candidate | null>): readonly string[] =>
  [...new Set([...candidates].flatMap((candidate) => candidate?.id ?? []))].sort();

const hostsOf = (policies: PolicySet, only: string | null): readonly string[] =>
  only === null ? [...policies.documents.all('Host')].map(({ document }) => document.name).sort() : [only];

function rowOf(
  policies: PolicySet,
  { context, effects }: AccessQuestion,
  known: Known,
  now: number,
): (one: Case) => AccessRow | undefined {
  return (one) => {
    const input = inputOf(one, context, known);
    if (one.subject === null) {
      const { within, ...rest } = withinBoundaries(policies, input);
      return effects.includes(within ? 'allow' : 'deny')
        ? { ...one, ...rest, effect: null, rules: [], more: 0 }
        : undefined;
    }
    const { rules, ...access } = accessOf(policies, input, now);
    return effects.includes(access.effect) ? { ...one, ...access, ...rules() } : undefined;
  };
}

/** What is known of a use besides who, through what, and on what. */
interface Known {
  /** Attributes of the resource that a host would assert. */
  readonly properties: JsonObject;
  /** Null: not known. */
  readonly arguments: JsonObject | null;
  readonly unobliged: boolean;
}

/** What a host that asserts nothing about the subject would ask. Only resources of MCP's types have arguments. */
function inputOf(
  { subject, host, action, thing: { server, type, id } }: Case,
  context: JsonObject,
  known: Known,
): DecisionInput {
  const input = permitted(
    {
      subject: { type: subject?.type ?? 'user', id: subject?.id ?? STRANGER, properties: {} },
      action,
      resource: { type, id, properties: known.properties },
      server: server === null ? null : { name: server },
      arguments: known.arguments ?? {},
      operation: operationWord(action),
      session: null,
      context,
      kind: 'ordinary',
      ...(known.unobliged ? { supportedObligations: [] } : {}),
    },
    { ...ANY_HOST, host },
  );
  return known.arguments === null && MCP_RESOURCE_TYPES.has(type) ? { ...input, arguments: 'unknown' } : input;
}

/** Whoever asks may assert what the administrator supposes. */
const ANY_HOST: Omit<HostPrincipal, 'host'> = {
  kind: 'host',
  via: 'key',
  tenant: '',
  credential: '',
  rights: { subjects: ['*'], subjectProperties: [], resourceProperties: ['*'], explain: true, scopes: [], agents: [] },
  validUntil: null,
};

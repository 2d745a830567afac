import type { Glob } from '../paths/glob.js';
import type { PolicySet } from './policy-set.js';
import type { Principals } from './principals.js';
import type { CompiledRule } from './rules.js';
import { covers, type Target } from './targets.js';

/** Most rules that may concern one request. More are refused: nobody could explain such an answer. */
export const MAX_CANDIDATES = 2000;

/** Whether more of some rules are the tenant's own than may concern one request. Guardrails do not count: they are not its own. */
export const areTooMany = (rules: readonly CompiledRule[]): boolean =>
  rules.length > MAX_CANDIDATES && rules.filter(({ guardrail }) => guardrail === null).length > MAX_CANDIDATES;

/** A request that more rules concern than may. */
export interface Crowd {
  readonly policy: string;
  readonly server: string | null;
  readonly action: string;
  readonly resource: string;
  readonly rules: number;
}

/** Rules that are counted before others may have their turn. */
const RULES_A_PIECE = 1000;

/** Most requests that are tried for one policy, and most pairs of patterns that are held against each other. */
const MAX_TRIES = 20_000;
const MAX_PAIRS = 500_000;

/**
 * Looks for requests that too many rules concern, whoever asks, among those that some policies are for. Yields nothing
 * between two pieces of work, so that others can have their turn, and the first such request of each policy.
 *
 * Patterns are tried by the texts that they are made of, alone and together, and not without end. What that does not find
 * is still refused when it is asked.
 */
export function* crowds(set: PolicySet, policies: ReadonlySet<string>): Generator<Crowd | undefined> {
  const targets = new Map<string, Target>();
  let count = 0;
  for (const { ref, target } of set.rules()) {
    targets.set(ref.policy, target);
    if (++count % RULES_A_PIECE === 0) yield undefined;
  }
  if (count <= MAX_CANDIDATES) return;
  for (const policy of policies) {
    const target = targets.get(policy);
    if (target) yield* crowdsOf(set, policy, target, targets.values());
  }
}

function* crowdsOf(
  set: PolicySet,
  policy: string,
  target: Target,
  all: Iterable<Target>,
): Generator<Crowd | undefined> {
  const others = isLiteral(target) ? [target] : all;
  const tried = new Set<string>();
  let pairs = 0;
  for (const other of others) {
    yield undefined;
    for (const request of requestsOf(target, other)) {
      if (++pairs % RULES_A_PIECE === 0) yield undefined;
      if (tried.size >= MAX_TRIES || pairs >= MAX_PAIRS) return;
      if (!request) continue;
      const { server, action, type, id } = request;
      const key = JSON.stringify([server, action, type, id]);
      if (tried.has(key) || covers(target, server, action, type, id) !== 'true') continue;
      tried.add(key);
      yield undefined;
      const rules = mostOfOneSort(set.candidates({ server, action, type, id, principals: ANYBODY }));
      if (rules <= MAX_CANDIDATES) continue;
      yield { policy, server, action, resource: id, rules };
      return;
    }
  }
}

/** With groups unknown, every rule is a candidate, whomever it names. */
const ANYBODY: Principals = {
  key: '',
  groups: null,
  mayBeInMore: true,
  isCertain: false,
  roles: new Set(),
  possibleRoles: new Set(),
  indexKeys: [],
};

/** Of the rules that decide, and of those that only would: both are evaluated, and each sort has its bound. */
function mostOfOneSort(rules: Iterable<CompiledRule>): number {
  const counts = { decide: 0, would: 0 };
  for (const rule of rules) if (rule.guardrail === null) counts[rule.enforced ? 'decide' : 'would']++;
  return Math.max(counts.decide, counts.would);
}

const isLiteral = ({ servers, actions, resources }: Target): boolean =>
  [...(servers ?? [NO_PATTERN]), ...actions, ...resources.map(({ id }) => id)].every(
    ({ exact }) => exact !== undefined,
  );

const NO_PATTERN = { exact: undefined } as const;

interface Request {
  readonly server: string | null;
  readonly action: string;
  readonly type: string;
  readonly id: string;
}

/** Requests that could be for both of two targets; undefined for each pair of patterns that have none in common. */
function* requestsOf(one: Target, other: Target): Generator<Request | undefined> {
  const servers =
    one.servers === null || other.servers === null ? serversOf(one, other) : meets(one.servers, other.servers);
  for (const server of servers) {
    if (server === undefined) yield undefined;
    else
      for (const action of meets(one.actions, other.actions)) {
        if (action === undefined) yield undefined;
        else yield* resourcesOf(one, other, server, action);
      }
  }
}

function* resourcesOf(
  one: Target,
  other: Target,
  server: string | null,
  action: string,
): Generator<Request | undefined> {
  for (const a of one.resources) {
    for (const b of other.resources) {
      yield undefined;
      if (one === other && a !== b) continue;
      if (a.type !== null && b.type !== null && a.type !== b.type) continue;
      for (const id of meet(a.id, b.id)) yield { server, action, type: a.type ?? b.type ?? 'tool', id };
    }
  }
}

/** Where one of two targets is for any server and for none: the servers of the other. */
function serversOf(one: Target, other: Target): readonly (string | null)[] {
  const servers = one.servers ?? other.servers;
  return servers === null ? [null] : servers.map(textOf);
}

/** Texts that a pattern of each list matches, each once; undefined for each pair that has no other. */
function* meets(some: readonly Glob[], others: readonly Glob[]): Generator<string | undefined> {
  // Of a target and itself: the rules of both are the same, so that one text for each pattern says it all.
  if (some === others) return yield* some.map(textOf);
  const known = new Set<string>();
  for (const a of some) {
    for (const b of others) {
      yield undefined;
      for (const text of meet(a, b)) {
        if (known.has(text)) continue;
        known.add(text);
        yield text;
      }
    }
  }
}

/** Texts that two patterns could both match. */
function meet(a: Glob, b: Glob): readonly string[] {
  if (a.exact !== undefined) return b.matches(a.exact) ? [a.exact] : [];
  if (b.exact !== undefined) return a.matches(b.exact) ? [b.exact] : [];
  const texts = new Set([textOf(a), textOf(b), a.prefix + b.suffix, b.prefix + a.suffix]);
  return [...texts].filter((text) => a.matches(text) && b.matches(text));
}

/** A text that a pattern matches: without its stars. */
const textOf = ({ exact, text }: Glob): string => exact ?? text.replaceAll(/\\([*\\])|\*/g, '$1');

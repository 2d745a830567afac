import type { Json, Obligation } from '../model.js';

/** Every type of obligation that an allow can carry. A closed list: `docs/hosts.md` says what each asks of the host. */
export const OBLIGATIONS = [
  'fields',
  'log',
  'mask',
  'notification',
  'redact',
  'resolve_realpath',
  'session_termination',
  'step-up',
] as const;

/** The one list of obligations that stands for several, or that they contradict each other. */
export type JoinedObligations = { readonly obligations: readonly Obligation[] } | { readonly conflict: string };

/** How two obligations of one type become one; undefined: they contradict each other. */
type Join = (left: Obligation, right: Obligation) => Obligation | undefined;

const JOINS: Readonly<Record<string, Join>> = {
  redact: unionOf('fields'),
  mask: unionOf('fields'),
  resolve_realpath: unionOf('paths'),
  log: (left, right) => (left.level === 'full' ? left : right),
  'step-up': (left, right) => (left.acr === right.acr ? left : undefined),
};

/** Joins obligations type by type, the stricter winning; those without a join all stay, each by itself. The order in which they come changes nothing. */
export function joinObligations(all: Iterable<Obligation>): JoinedObligations {
  const joined = new Map<string, Obligation>();
  for (const obligation of all) {
    const join = JOINS[obligation.type];
    const key = join ? obligation.type : JSON.stringify(obligation);
    const known = joined.get(key);
    const result = known && join ? join(known, obligation) : obligation;
    if (!result) return { conflict: obligation.type };
    joined.set(key, result);
  }
  const obligations = [...joined]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([, obligation]) => obligation);
  return { obligations };
}

function unionOf(member: string): Join {
  return (left, right) => {
    const values = new Set([...(left[member] as readonly Json[]), ...(right[member] as readonly Json[])]);
    return { type: left.type, [member]: [...values].sort() };
  };
}

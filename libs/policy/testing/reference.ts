import { subjectKey } from '../documents/names.js';
import type { AnyDocument, ConsentBlock, DocumentOf, Kind, RuleDocument, ScopeClauses } from '../documents/schema.js';
import type { Effect, Json, JsonObject } from '../model.js';
import { checkPath, compilePathPattern } from '../paths/patterns.js';
import { BY_TOOL, type DecisionInput } from '../decide/request.js';
import { OPEN, referenceCondition } from './reference-condition.js';

/** The effect by the reference interpreter, and the outcome of every rule that was not false. */
export interface ReferenceDecision {
  readonly effect: Effect;
  readonly rules: Readonly<Record<string, 'true' | 'error'>>;
  /** Which fields of the result an allow leaves: a list of places for each limit. */
  readonly keeps: readonly (readonly string[])[];
}

/** Which rules (as `policy/rule`; `default` for the tenant's) a live agreement meets. */
type Agreements = ReadonlySet<string>;

/**
 * The decision of docs/semantics.md in the most literal form that could be written: straight from the documents, every
 * rule looked at, nothing compiled, indexed or cached. Slow on purpose; the engine must agree with it.
 */
export function referenceDecide(
  documents: readonly AnyDocument[],
  input: DecisionInput,
  agreements: Agreements,
  now: number,
): ReferenceDecision {
  const all = <K extends Kind>(kind: K) =>
    documents.filter((document): document is DocumentOf<K> => document.kind === kind);
  const deny: ReferenceDecision = { effect: 'deny', rules: {}, keeps: [] };

  const person = [input.subject, ...all('Subject').filter((known) => isOfPerson(known, input.subject))];
  const names = person.flatMap((known) => [known, ...('aliases' in known ? (known.aliases ?? []) : [])]);
  const isSuspended = all('Suspension').some(({ of, name }) => {
    if (of === 'Tenant') return true;
    if (of === 'Subject') return names.some(({ type, id }) => `${type}:${id}` === name);
    return name === (of === 'Host' ? input.agent : input.server?.name);
  });
  if (isSuspended) return deny;

  const host = all('Host').find(({ name }) => name === input.agent);
  const server = all('Server').find(({ name }) => name === input.server?.name);
  if (!host || !server) return deny;
  const tool = input.resource.type === 'tool' ? server.tools?.[input.resource.id!] : undefined;

  const stored = all('Subject').find((known) => isOfPerson(known, input.subject));
  const subject = { type: stored?.type ?? input.subject.type, id: stored?.id ?? input.subject.id };
  const unsure = Object.fromEntries((input.subject.unsure ?? []).map((name) => [name, OPEN]));
  const properties = { ...input.subject.properties, ...unsure, ...stored?.properties } as JsonObject;
  const { groups: fromToken, assurance, token, roles: mapped = { held: [], possible: [] } } = input.subject;
  const asserted = assurance === 'asserted' ? input.subject.properties.groups : undefined;
  const said = fromToken ?? (asserted ? { names: asserted as string[], complete: true } : null);
  const known = stored?.groups ? { names: stored.groups, complete: true } : said;
  const groups = known?.names ?? null;
  const isWhole = known?.complete ?? false;
  const key = subjectKey(subject.type, subject.id);

  const inherited = (role: string): string[] => [
    role,
    ...(all('Role').find(({ name }) => name === role)?.inherits ?? []).flatMap(inherited),
  ];
  const rolesFrom = (names: (ref: string) => boolean) =>
    all('Binding')
      .filter(({ subjects, expires }) => subjects.some(names) && (expires === undefined || Date.parse(expires) > now))
      .flatMap(({ roles }) => roles.flatMap(inherited));
  const isSeen = (ref: string) => (groups ?? []).some((group) => ref === `group:${group}`);
  const roles = [...rolesFrom((ref) => ref === key || isSeen(ref)), ...mapped.held.flatMap(inherited)];
  const perhaps = [
    ...(isWhole ? [] : rolesFrom((ref) => ref.startsWith('group:') && !isSeen(ref))),
    ...mapped.possible.flatMap(inherited),
  ];

  const isOne = (ref: string): 'true' | 'false' | 'error' => {
    if (ref === 'any' || ref === key) return 'true';
    const [kind, name] = [ref.slice(0, ref.indexOf(':')), ref.slice(ref.indexOf(':') + 1)];
    if (kind === 'role') return roles.includes(name) ? 'true' : perhaps.includes(name) ? 'error' : 'false';
    if (kind !== 'group') return 'false';
    return groups?.includes(name) ? 'true' : isWhole ? 'false' : 'error';
  };

  const variables: Record<string, Json | undefined> = {
    // To be held against null is an error, as it is to be held against a group that is not known.
    subject: {
      ...subject,
      properties,
      assurance,
      ...(groups ? { groups: isWhole ? groups : [...groups, null] } : {}),
      ...(token ? { token } : {}),
    },
    agent: { id: host.name, properties: (host.properties ?? {}) as Json },
    resource: { type: input.resource.type, id: input.resource.id },
    arguments: input.arguments,
    context: input.context,
  };

  const outcomeOf = (policy: DocumentOf<'Policy'>, rule: RuleDocument): 'true' | 'false' | 'error' => {
    const parts = [
      truth(policy.target.servers === undefined || policy.target.servers.some((pattern) => like(pattern, server.name))),
      truth(policy.target.actions.some((pattern) => like(pattern, input.action))),
      truth(
        policy.target.resources.some((pattern) =>
          typeof pattern === 'string'
            ? like(pattern, input.resource.id!)
            : pattern.type === input.resource.type && like(pattern.id, input.resource.id!),
        ),
      ),
      truth(rule.via === undefined || rule.via.includes(host.name)),
      truth(leavesOf(input.arguments as JsonObject).every((leaf) => isAt(rule.fields?.arguments ?? ['*'], leaf))),
      anyOf(rule.to.map(isOne)),
      rule.when === undefined ? 'true' : referenceCondition(rule.when, variables),
      rule.unless === undefined ? 'true' : opposite(referenceCondition(rule.unless, variables)),
    ];
    if (parts.includes('false')) return 'false';
    return parts.includes('error') ? 'error' : 'true';
  };

  // Of the organisation, and for everybody.
  const above = all('Guardrail')
    .filter(({ tenants }) => tenants === undefined || tenants.includes('default'))
    .map(({ name, target, effect, when, unless, consent }): DocumentOf<'Policy'> => {
      const rule = { name: effect, effect, to: ['any'], when, unless, consent };
      return { kind: 'Policy', name: `guardrail:${name}`, target, rules: [rule] };
    });
  const rules = [...all('Policy'), ...above].flatMap((policy) =>
    policy.rules
      .filter(({ enforce }) => enforce !== false)
      .map((rule) => ({ id: `${policy.name}/${rule.name}`, rule, outcome: outcomeOf(policy, rule) })),
  );
  const alive = rules.filter(({ outcome }) => outcome !== 'false');
  const answer = (effect: Effect, keeps: ReferenceDecision['keeps'] = []): ReferenceDecision => ({
    effect,
    keeps: distinct(keeps),
    rules: Object.fromEntries(alive.map(({ id, outcome }) => [id, outcome as 'true' | 'error'])),
  });

  if (alive.some(({ rule }) => rule.effect === 'deny')) return answer('deny');

  const tenant = all('Tenant')[0]?.defaults;
  const scopes = all('Scope');
  const own = scopes.filter((scope) => scope.host === host.name);
  const hostScopes: ScopeClauses[] = own.length > 0 ? own : tenant?.hostScope ? [tenant.hostScope] : [];
  const boundaries = [...hostScopes, ...scopes.filter((scope) => scope.server === server.name)];
  const home = typeof properties.home === 'string' ? properties.home : undefined;
  const inside = (scope: ScopeClauses): boolean =>
    letsThrough(scope.servers, server.name) &&
    letsThrough(scope.actions, input.action) &&
    letsThrough(scope.resources, input.resource.id) &&
    letsThrough(scope.operations, input.operation === BY_TOOL ? tool?.operation : input.operation) &&
    (scope.paths === undefined || pathsInside(scope.paths));
  const pathsInside = ({ allow, deny: denied = [] }: NonNullable<ScopeClauses['paths']>): boolean =>
    tool !== undefined &&
    Object.keys(tool.arguments ?? {}).every((argument) => {
      const compiled = { allow: allow?.map(compilePathPattern), deny: denied.map(compilePathPattern) };
      return 'inside' in checkPath(compiled, (input.arguments as JsonObject)[argument], home);
    });
  if (hostScopes.length === 0 || !boundaries.every(inside)) return answer('deny');

  const allows = alive.filter(({ rule, outcome }) => rule.effect === 'allow' && outcome === 'true');
  if (allows.length === 0 && tenant?.effect !== 'ask') return answer('deny');

  const required: { id: string; consent: ConsentBlock }[] = alive
    .filter(({ rule }) => rule.effect === 'ask')
    .map(({ id, rule }) => ({ id, consent: rule.consent! }));
  if (allows.length === 0) required.push({ id: 'default', consent: tenant!.consent! });
  else if (allows.every(({ rule }) => rule.consent !== undefined)) {
    required.push(...allows.map(({ id, rule }) => ({ id, consent: rule.consent! })));
  }

  const free = allows.filter(({ rule }) => rule.consent === undefined);
  const standing = free.length > 0 ? free : allows;
  const keeps: string[][] = [];
  if (standing.length > 0 && standing.every(({ rule }) => rule.fields?.result)) {
    keeps.push(standing.flatMap(({ rule }) => rule.fields!.result!));
  }
  for (const { rule, outcome } of alive) {
    if (free.length === 0 && outcome === 'error' && rule.fields?.result) keeps.push(rule.fields.result);
  }
  const obliged = alive.flatMap(({ rule }) => rule.obligations ?? []).map(({ type }): string => type);
  if (keeps.length > 0) obliged.push('fields');
  if (Object.keys(tool?.arguments ?? {}).length > 0 && boundaries.some(({ paths }) => paths)) {
    obliged.push('resolve_realpath');
  }
  const { supportedObligations: supported } = input;
  if (supported && !obliged.every((type) => supported.includes(type))) return answer('deny');
  return required.every(({ id }) => agreements.has(id)) ? answer('allow', keeps) : answer('ask');
}

/** The names on the way to every leaf; lists on the way have none. */
function leavesOf(value: Json, way: readonly string[] = []): readonly (readonly string[])[] {
  if (Array.isArray(value) && value.length > 0)
    return (value as readonly Json[]).flatMap((item) => leavesOf(item, way));
  if (typeof value !== 'object' || value === null || Object.keys(value).length === 0)
    return way.length > 0 ? [way] : [];
  return Object.entries(value as JsonObject).flatMap(([name, member]) => leavesOf(member, [...way, name]));
}

/** Whether a place is one of those of some patterns, or below it. */
const isAt = (patterns: readonly string[], way: readonly string[]): boolean =>
  patterns.some((pattern) => {
    const names = pattern.split('.');
    return names.length <= way.length && names.every((name, at) => like(name, way[at]!));
  });

/** Lists as sets, and each once, in one order. */
export const distinct = (lists: readonly (readonly string[])[]): ReferenceDecision['keeps'] =>
  [...new Set(lists.map((list) => JSON.stringify([...new Set(list)].sort())))]
    .sort()
    .map((list) => JSON.parse(list) as string[]);

const truth = (value: boolean): 'true' | 'false' => (value ? 'true' : 'false');

function anyOf(outcomes: readonly ('true' | 'false' | 'error')[]): 'true' | 'false' | 'error' {
  if (outcomes.includes('true')) return 'true';
  return outcomes.includes('error') ? 'error' : 'false';
}

function opposite(outcome: 'true' | 'false' | 'error'): 'true' | 'false' | 'error' {
  if (outcome === 'error') return 'error';
  return outcome === 'true' ? 'false' : 'true';
}

/** A pattern as a regular expression. */
function like(pattern: string, text: string): boolean {
  const source = pattern
    .split('*')
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('.*');
  return new RegExp(`^${source}$`, 's').test(text);
}

function letsThrough(
  lists: { allow?: string[] | undefined; deny?: string[] | undefined } | undefined,
  name: string | null | undefined,
): boolean {
  if (lists === undefined || name === null) return true;
  if (name === undefined) return false;
  if (lists.deny?.some((pattern) => like(pattern, name))) return false;
  return lists.allow === undefined || lists.allow.some((pattern) => like(pattern, name));
}

function isOfPerson({ type, id, aliases = [] }: DocumentOf<'Subject'>, sent: DecisionInput['subject']): boolean {
  return [{ type, id }, ...aliases].some((name) => name.type === sent.type && name.id === sent.id);
}

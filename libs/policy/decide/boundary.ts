import { admits, type CompiledScope, type NameRules } from '../compile/scopes.js';
import { isJsonObject, own } from '../json.js';
import type { Json, Outcome } from '../model.js';
import { checkPath, type PathRules, type PathVerdict } from '../paths/patterns.js';
import { readPath } from '../paths/readings.js';
import type { ResolvedRequest } from './request.js';

/** Where a request stands with regard to one boundary, or to all of them. */
export interface BoundaryOutcome {
  /** `true`: proven inside. `unknown` only in listings. */
  readonly outcome: Exclude<Outcome, 'error'>;
  /** Which boundary it is outside of, and why. */
  readonly outside?: { readonly scope: string; readonly clause: string; readonly detail: string };
  /** Paths that were proven inside, in canonical form; that no symbolic link leads elsewhere is the host's to check. */
  readonly paths: readonly string[];
}

/** Whether a request is inside all boundaries. Inside must be proven: whatever is missing or cannot be read is outside. */
function checkBoundaries(scopes: readonly CompiledScope[], request: ResolvedRequest): BoundaryOutcome {
  const home = homeOf(request);
  const paths = new Set<string>();
  let outcome: BoundaryOutcome['outcome'] = 'true';
  for (const scope of scopes) {
    for (const [clause, verdict] of verdicts(scope, request, home)) {
      if (verdict === null) continue;
      if (verdict === 'unknown') outcome = 'unknown';
      else if ('outside' in verdict) {
        return { outcome: 'false', outside: { scope: scope.name, clause, detail: verdict.outside }, paths: [] };
      } else verdict.paths?.forEach((path) => paths.add(path));
    }
  }
  return { outcome, paths: [...paths] };
}

/** Null: the clause is absent, or does not concern the request. */
type Verdict =
  null | 'unknown' | { readonly inside: true; readonly paths?: readonly string[] } | { readonly outside: string };

function* verdicts(
  scope: CompiledScope,
  request: ResolvedRequest,
  home: string | undefined,
): Iterable<[string, Verdict]> {
  yield ['servers', scope.servers && named(scope.servers, request.server?.id, 'the request names no server')];
  yield ['actions', scope.actions && named(scope.actions, request.action, '')];
  yield [
    'resources',
    scope.resources && (request.resource.id === null ? 'unknown' : named(scope.resources, request.resource.id, '')),
  ];
  yield ['operations', scope.operations && operation(scope.operations, request)];
  yield ['paths', scope.paths && pathsOf(scope.paths, request, home)];
}

function named(rules: NameRules, name: string | undefined, missing: string): Verdict {
  if (name === undefined) return { outside: missing };
  return admits(rules, name) ? { inside: true } : { outside: `'${name}' is not let through` };
}

function operation(rules: NameRules, { operation: word, tool, resource }: ResolvedRequest): Verdict {
  if (word === null) return null;
  if (word === undefined && resource.id === null) return 'unknown';
  return named(
    rules,
    word,
    tool ? `the Server document does not say what the tool '${tool.name}' does` : 'nothing says what it does',
  );
}

function pathsOf(rules: PathRules, request: ResolvedRequest, home: string | undefined): Verdict {
  const { tool, resource } = request;
  if (tool) return pathArguments(rules, request, tool, home);
  if (resource.type !== 'resource') return null;
  if (resource.id === null) return 'unknown';
  if (!resource.id.startsWith('file:')) return { outside: 'a resource that is not a file has no path' };
  return together([checkPath(rules, resource.id, home)]);
}

function pathArguments(
  rules: PathRules,
  { arguments: given }: ResolvedRequest,
  { name, registered }: NonNullable<ResolvedRequest['tool']>,
  home: string | undefined,
): Verdict {
  if (!registered) return { outside: `the tool '${name}' is not declared in the Server document` };
  const declared = Object.entries(registered.document.arguments ?? {}).filter(([, kind]) => kind === 'path');
  if (declared.length === 0) return { inside: true };
  if (given === 'unknown') return 'unknown';
  return together(
    declared.flatMap(([argument]) => {
      const values = valuesAt(given, argument.split('.'));
      if (values.includes(undefined)) return [{ outside: `the argument '${argument}' is missing` }];
      return values.map((value) => {
        const verdict = checkPath(rules, value, home);
        return 'outside' in verdict
          ? { outside: `the argument '${argument}' is outside: ${verdict.outside}` }
          : verdict;
      });
    }),
  );
}

function together(verdicts: readonly PathVerdict[]): Verdict {
  const paths: string[] = [];
  for (const verdict of verdicts) {
    if ('outside' in verdict) return verdict;
    paths.push(...verdict.inside);
  }
  return { inside: true, paths };
}

/**
 * Every value at a dotted place; lists on the way stand for each of their elements. What is missing, there or in one of
 * the elements, is undefined, and so is what an empty list does not name.
 */
function valuesAt(value: Json | undefined, path: readonly string[]): readonly (Json | undefined)[] {
  if (Array.isArray(value)) {
    return value.length === 0 ? [undefined] : (value as readonly Json[]).flatMap((item) => valuesAt(item, path));
  }
  const [name, ...rest] = path;
  if (name === undefined) return [value];
  return valuesAt(isJsonObject(value) ? own(value, name) : undefined, rest);
}

/** What `~` stands for: the subject's attribute `home`, if it is one plain absolute path. */
function homeOf({ subject }: ResolvedRequest): string | undefined {
  const home = own(subject.properties, 'home');
  if (typeof home !== 'string') return undefined;
  const read = readPath(home, undefined);
  const plain = 'readings' in read && read.readings.length === 1 ? read.readings[0] : undefined;
  return home.replace(/\/$/, '') === plain ? plain : undefined;
}

/** All of a host's and a server's boundaries in one outcome; a host without any has nothing inside. */
export function boundaryOf(
  serverScopes: Iterable<CompiledScope>,
  hostScopes: readonly CompiledScope[],
  request: ResolvedRequest,
): BoundaryOutcome {
  if (hostScopes.length === 0) {
    const detail = `the host '${request.agent.id}' has no scope, and the tenant has no default one`;
    return { outcome: 'false', outside: { scope: 'none', clause: 'host', detail }, paths: [] };
  }
  const scopes = [...serverScopes, ...hostScopes].sort((left, right) => (left.name < right.name ? -1 : 1));
  return checkBoundaries(scopes, request);
}

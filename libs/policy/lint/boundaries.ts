import type { CompiledScope, NameRules } from '../compile/scopes.js';
import { admits } from '../compile/scopes.js';
import type { PolicyDocument, ServerDocument } from '../documents/schema.js';
import { shown } from '../documents/wording.js';
import type { Glob } from '../paths/glob.js';
import type { Facts } from './facts.js';
import type { Report } from './finding.js';
import { canBeTool, targetOf, witnessOf, type LintTarget, type ResourcePattern } from './patterns.js';

/** One server (undefined: not told), one action and one resource of a target. */
export interface Part {
  readonly server: ServerDocument | undefined;
  readonly action: Glob;
  readonly resource: ResourcePattern;
}

/** Targets with more combinations than this are not looked at. */
const MAX_PARTS = 256;

/** Allow rules, and single servers, actions and resources of them, that no boundary lets through. */
export function lintBoundaries(facts: Facts, policy: PolicyDocument, report: Report): void {
  if (policy.rules.every(({ effect }) => effect !== 'allow')) return;
  const target = targetOf(policy);
  if ((target.servers?.length ?? 1) * target.actions.length * target.resources.length > MAX_PARTS) return;
  const reported = new Set<string>();
  const known = new Map<string, Blocked>();
  policy.rules.forEach(({ name, effect, via }, index) => {
    if (effect !== 'allow') return;
    const key = JSON.stringify(via ?? null);
    const blocked = known.get(key) ?? blockedOf(facts, target, via);
    known.set(key, blocked);
    if (blocked.all !== undefined) {
      report('outside_boundary', `this can allow nothing: ${blocked.all}`, ['rules', index], { rule: name });
      return;
    }
    for (const { path, text, why } of blocked.elements) {
      if (reported.has(path.join())) continue;
      reported.add(path.join());
      report('outside_boundary', `'${shown(text)}' can never be allowed: ${why}`, ['target', ...path], { rule: name });
    }
  });
}

interface Blocked {
  /** Why nothing gets through. */
  readonly all?: string;
  /** What gets through in no combination with the rest. */
  readonly elements: readonly { readonly path: readonly PropertyKey[]; readonly text: string; readonly why: string }[];
}

function blockedOf(facts: Facts, target: LintTarget, via: readonly string[] | undefined): Blocked {
  const servers = target.servers ?? [undefined];
  const lists = { servers, actions: target.actions, resources: target.resources };
  const open = { servers: new Set<number>(), actions: new Set<number>(), resources: new Set<number>() };
  const why = {
    servers: new Map<number, string>(),
    actions: new Map<number, string>(),
    resources: new Map<number, string>(),
  };
  let first: string | undefined;
  servers.forEach((pattern, server) => {
    const registered = pattern?.exact === undefined ? undefined : facts.server(pattern.exact);
    target.actions.forEach((action, at) => {
      target.resources.forEach((resource, id) => {
        const reason = obstacle(facts, { server: registered, action, resource }, via);
        first ??= reason;
        for (const [list, index] of [
          ['servers', server],
          ['actions', at],
          ['resources', id],
        ] as const) {
          if (reason === undefined) open[list].add(index);
          else why[list].set(index, reason);
        }
      });
    });
  });
  if (open.actions.size === 0) return { all: first!, elements: [] };
  const elements = (['servers', 'actions', 'resources'] as const).flatMap((list) =>
    lists[list].flatMap((item, index) => {
      if (open[list].has(index) || item === undefined) return [];
      const text = 'id' in item ? item.id.text : item.text;
      return [{ path: [list, index], text, why: why[list].get(index)! }];
    }),
  );
  return { elements };
}

/** What boundary certainly keeps a part of a target from being allowed; undefined where some request may get through. */
export function obstacle(facts: Facts, part: Part, via: readonly string[] | undefined): string | undefined {
  if (part.server) {
    for (const scope of facts.serverScopes(part.server.name)) {
      const clause = clauseAgainst(scope, part);
      if (clause) return `it is outside of the scope '${scope.name}' by its ${clause}`;
    }
  }
  const hosts = facts.hostBoundaries(via);
  if (!hosts) return undefined;
  let first: string | undefined;
  for (const scopes of hosts) {
    const found = scopes.flatMap((scope) => {
      const clause = clauseAgainst(scope, part);
      return clause ? [`'${scope.name}' by its ${clause}`] : [];
    });
    if (found.length === 0) return undefined;
    first ??= found[0];
  }
  return hosts.length === 1
    ? `it is outside of the scope ${first}`
    : `it is outside of the scopes of all hosts, as of ${first}`;
}

/** The clause of a boundary that lets nothing of a part through. */
function clauseAgainst(scope: CompiledScope, part: Part): string | undefined {
  const { server, action, resource } = part;
  if (scope.servers && server && !admits(scope.servers, server.name)) return 'servers';
  if (scope.actions && admitsNone(scope.actions, action)) return 'actions';
  if (scope.resources && admitsNone(scope.resources, resource.id)) return 'resources';
  if (scope.operations && operationsOf(part)?.every((word) => !admits(scope.operations!, word))) return 'operations';
  return undefined;
}

/** Of a pattern only what is plain: that nothing is let through, or that all it matches is denied. */
function admitsNone(rules: NameRules, { exact, text }: Glob): boolean {
  if (exact !== undefined) return !admits(rules, exact);
  const witness = witnessOf(text);
  return rules.allow?.length === 0 || rules.deny.some((pattern) => pattern.matches(witness));
}

/** What calls of the tools of a part do, as far as the Server document says so; other calls are outside. */
function operationsOf({ server, action, resource }: Part): readonly string[] | undefined {
  if (!server || action.exact !== 'tools/call' || !canBeTool(resource)) return undefined;
  return Object.entries(server.tools ?? {}).flatMap(([name, { operation }]) =>
    operation !== undefined && resource.id.matches(name) ? [operation] : [],
  );
}

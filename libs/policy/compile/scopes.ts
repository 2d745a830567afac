import type { ScopeClauses } from '../documents/schema.js';
import { compileGlob, type Glob } from '../paths/glob.js';
import { compilePathPattern, type PathRules } from '../paths/patterns.js';

/** Names that a clause lets through; an absent list limits nothing, and deny beats allow. */
export interface NameRules {
  readonly allow: readonly Glob[] | null;
  readonly deny: readonly Glob[];
}

/** A boundary, ready to be asked. A null clause limits nothing. */
export interface CompiledScope {
  /** What a record calls it. */
  readonly name: string;
  readonly servers: NameRules | null;
  readonly actions: NameRules | null;
  readonly resources: NameRules | null;
  readonly operations: NameRules | null;
  readonly paths: PathRules | null;
}

export function compileScope(name: string, clauses: ScopeClauses): CompiledScope {
  return {
    name,
    servers: compileNames(clauses.servers),
    actions: compileNames(clauses.actions),
    resources: compileNames(clauses.resources),
    operations: compileNames(clauses.operations),
    paths: clauses.paths
      ? {
          allow: clauses.paths.allow?.map(compilePathPattern),
          deny: clauses.paths.deny?.map(compilePathPattern) ?? [],
        }
      : null,
  };
}

function compileNames(
  lists: { allow?: string[] | undefined; deny?: string[] | undefined } | undefined,
): NameRules | null {
  if (!lists) return null;
  return { allow: lists.allow?.map(compileGlob) ?? null, deny: lists.deny?.map(compileGlob) ?? [] };
}

/** Whether a name is let through. */
export function admits(rules: NameRules, name: string): boolean {
  if (rules.deny.some((pattern) => pattern.matches(name))) return false;
  return rules.allow === null || rules.allow.some((pattern) => pattern.matches(name));
}

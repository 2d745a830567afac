import { parsePrincipal } from '../documents/names.js';
import type { PolicyDocument } from '../documents/schema.js';
import { compileGlob, type Glob } from '../paths/glob.js';

/** Stands for whatever a star stands for; no name and no sensible pattern has it. */
const ANYTHING = '\uffff';

/**
 * A text of which holds: a pattern that matches it matches everything that `pattern` does, because only its stars can
 * have taken the sign that stands for anything.
 */
export const witnessOf = (pattern: string): string =>
  pattern.replace(/\\([*\\])|\*/g, (_star, escaped: string | undefined) => escaped ?? ANYTHING);

/** Whether one pattern matches everything that another does; false also where that is not plain. */
export const includes = (wide: Glob, narrow: Glob): boolean =>
  !wide.text.includes(ANYTHING) && wide.matches(witnessOf(narrow.text));

/** What a target says of resources: ids by a pattern, of one type or (null) of any. */
export interface ResourcePattern {
  readonly type: string | null;
  readonly id: Glob;
}

/** The target of a policy, its patterns compiled. */
export interface LintTarget {
  /** Null: any server, and none. */
  readonly servers: readonly Glob[] | null;
  readonly actions: readonly Glob[];
  readonly resources: readonly ResourcePattern[];
}

export function targetOf({ target }: PolicyDocument): LintTarget {
  return {
    servers: target.servers?.map(compileGlob) ?? null,
    actions: target.actions.map(compileGlob),
    resources: target.resources.map((resource) =>
      typeof resource === 'string'
        ? { type: null, id: compileGlob(resource) }
        : { type: resource.type, id: compileGlob(resource.id) },
    ),
  };
}

/** Whether calls of tools are among what a target is for. */
export const isForToolCalls = ({ actions }: LintTarget): boolean =>
  actions.some((action) => action.matches('tools/call'));

/** Whether resources of a pattern can be tools. */
export const canBeTool = ({ type }: ResourcePattern): boolean => type === null || type === 'tool';

/** Whether a target covers a tool by its name. */
export const coversTool = ({ resources }: LintTarget, tool: string): boolean =>
  resources.some((resource) => canBeTool(resource) && resource.id.matches(tool));

/** The role that a principal's name stands for. */
export function roleIn(ref: string): string | undefined {
  const principal = parsePrincipal(ref);
  return principal?.kind === 'role' ? principal.name : undefined;
}

import { compileGlob, type Glob } from './glob.js';
import { IGNORED, readPath } from './readings.js';

/** Which paths a boundary lets through. An absent list limits nothing; deny beats allow. */
export interface PathRules {
  readonly allow: readonly PathPattern[] | undefined;
  readonly deny: readonly PathPattern[];
}

/**
 * A path pattern: `*` within a name, `**` for any names. `/a/**`, also written `/a/`, stands for `/a` itself as well.
 * In a deny list, all that lies below a match is denied with it.
 */
export interface PathPattern {
  readonly text: string;
  readonly underHome: boolean;
  readonly segments: readonly (Glob | '**')[];
  /** The same for comparing without regard to case. */
  readonly folded: readonly (Glob | '**')[];
}

/** What is wrong with a pattern, or undefined. */
export function pathPatternProblem(text: string): string | undefined {
  if (!text.startsWith('/') && !text.startsWith('~/')) return 'a path pattern starts with "/" or "~/"';
  if (text.includes('\\')) return 'a path pattern is written with "/"';
  if (/[?[\]{}]/.test(text)) return 'only "*" and "**" are wildcards of a path pattern: write one pattern per case';
  if (text.normalize('NFKC') !== text.normalize('NFC'))
    return `a path pattern is written in plain characters: ${text.normalize('NFKC')}`;
  const segments = namesOfPattern(text);
  if (segments.some((segment) => segment === '.' || segment === '..')) return 'a path pattern has no "." or ".."';
  if (segments.includes('')) return 'a path pattern has no empty names';
  if (segments.some((segment) => segment.includes('**') && segment !== '**'))
    return '"**" stands alone between slashes';
  return undefined;
}

/** Compiles a pattern that `pathPatternProblem` has nothing against. */
export function compilePathPattern(text: string): PathPattern {
  const compile = (fold: (name: string) => string) =>
    namesOfPattern(text).map((name) => (name === '**' ? name : compileGlob(fold(name))));
  return { text, underHome: text.startsWith('~/'), segments: compile(toNfc), folded: compile(foldCase) };
}

const namesOfPattern = (text: string): string[] =>
  text
    .slice(text.indexOf('/') + 1)
    .replace(/(?<=\/|^)$/, '**')
    .split('/');

/** The outcome for one path argument: proven inside under each canonical path given, or why not. */
export type PathVerdict = { readonly inside: readonly string[] } | { readonly outside: string };

/**
 * Whether a path is proven inside. Every reading must match an allow pattern, with regard to case, and none a deny
 * pattern, without: so the verdict is safe on file systems of either kind.
 */
export function checkPath(rules: PathRules, text: unknown, home: string | undefined): PathVerdict {
  const read = readPath(text, home);
  if ('unproven' in read) return { outside: read.unproven };
  if (home === undefined && rules.deny.some((pattern) => pattern.underHome)) {
    return { outside: 'a home directory that is not known' };
  }
  for (const reading of read.readings) {
    const folded = placeOf(reading, home, foldCase);
    const denied = rules.deny.find((pattern) => matches(pattern.folded, pattern, folded, true));
    if (denied) return { outside: `within the denied ${denied.text}` };
    const exact = placeOf(reading, home, toNfc);
    if (rules.allow && !rules.allow.some((pattern) => matches(pattern.segments, pattern, exact, false))) {
      return { outside: 'within none of the allowed paths' };
    }
  }
  return { inside: read.readings };
}

/** A path as its names, and as those after the home directory if it lies there. */
interface Place {
  readonly names: readonly string[];
  readonly belowHome: readonly string[] | undefined;
}

function placeOf(path: string, home: string | undefined, fold: (name: string) => string): Place {
  const names = namesOf(path).map(fold);
  const homeNames = home === undefined ? undefined : namesOf(home).map(fold);
  const isBelow = homeNames?.every((name, index) => names[index] === name);
  return { names, belowHome: isBelow ? names.slice(homeNames!.length) : undefined };
}

const namesOf = (path: string): string[] => path.split('/').filter((name) => name !== '');

const toNfc = (text: string): string => text.normalize('NFC');

/** Folds what file systems that ignore case take for the same name: `ß` is `SS` there, and joiners are not seen. */
const foldCase = (text: string): string => text.replace(IGNORED, '').toLowerCase().toUpperCase().normalize('NFC');

function matches(
  segments: readonly (Glob | '**')[],
  { underHome }: PathPattern,
  { names, belowHome }: Place,
  orBelow: boolean,
): boolean {
  const candidate = underHome ? belowHome : names;
  return candidate !== undefined && matchesNames(segments, candidate, orBelow);
}

/**
 * Glob matching over names, by the set of patterns reached after each name: linear in their product.
 * @param orBelow whether it is enough that the names begin with a match
 */
function matchesNames(patterns: readonly (Glob | '**')[], names: readonly string[], orBelow: boolean): boolean {
  const skipStars = (positions: Set<number>): Set<number> => {
    for (const position of positions) if (patterns[position] === '**') positions.add(position + 1);
    return positions;
  };
  let reached = skipStars(new Set([0]));
  for (const name of names) {
    if (orBelow && reached.has(patterns.length)) return true;
    const next = new Set<number>();
    for (const position of reached) {
      const pattern = patterns[position];
      if (pattern === '**') next.add(position);
      else if (pattern?.matches(name)) next.add(position + 1);
    }
    reached = skipStars(next);
  }
  return reached.has(patterns.length);
}

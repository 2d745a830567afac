/**
 * A pattern in which `*` stands for any run of characters, also none, and `\*` for a star. Everything else stands for
 * itself. Matching takes time proportional to text times pattern at worst, whatever the text.
 */
export interface Glob {
  readonly text: string;
  /** The only text that matches, where the pattern has no star. */
  readonly exact: string | undefined;
  /** What every match starts with, and ends with. */
  readonly prefix: string;
  readonly suffix: string;
  matches(text: string): boolean;
}

export function compileGlob(text: string): Glob {
  const parts = literalParts(text);
  const prefix = parts[0]!;
  if (parts.length === 1) {
    return { text, exact: prefix, prefix, suffix: prefix, matches: (candidate) => candidate === prefix };
  }
  const suffix = parts.at(-1)!;
  const middle = parts.slice(1, -1);
  return {
    text,
    exact: undefined,
    prefix,
    suffix,
    matches: (candidate) => matchesParts(candidate, prefix, middle, suffix),
  };
}

/** The literal runs between the stars of a pattern. */
export function literalParts(text: string): string[] {
  // Nearly always. Without escapes the parts are pieces of the text itself, which is shorter for the processor to read.
  if (!text.includes('\\')) return text.split('*');
  const parts = [''];
  for (let index = 0; index < text.length; index++) {
    const character = text[index]!;
    if (character === '\\' && (text[index + 1] === '*' || text[index + 1] === '\\'))
      parts.push(parts.pop()! + text[++index]!);
    else if (character === '*') parts.push('');
    else parts.push(parts.pop()! + character);
  }
  return parts;
}

/** The leftmost place for each run is always the best one, so no backtracking is needed. */
function matchesParts(text: string, prefix: string, middle: readonly string[], suffix: string): boolean {
  if (text.length < prefix.length + suffix.length) return false;
  if (!text.startsWith(prefix) || !text.endsWith(suffix)) return false;
  const end = text.length - suffix.length;
  let from = prefix.length;
  for (const part of middle) {
    const found = text.indexOf(part, from);
    if (found < 0 || found + part.length > end) return false;
    from = found + part.length;
  }
  return true;
}

/**
 * Every path that a server could take a text for, each absolute and without `.`, `..` or doubled slashes; or why the
 * text cannot be proven to name a place at all.
 */
export type PathReadings = { readonly readings: readonly string[] } | { readonly unproven: string };

const MAX_PATH = 4096;
const MAX_READINGS = 16;

/**
 * Reads a path as strictly as the least strict server would: percent-encoding decoded and not, backslashes as
 * separators and as characters, compatibility and invisible characters folded and not, names cut the way Windows cuts
 * them. A boundary must hold for every reading, so it holds whichever one the server takes.
 *
 * What cannot be known here is where symbolic links lead: that is the host's to check (`resolve_realpath`).
 *
 * @param home the absolute path that `~` stands for, if it is known
 */
export function readPath(text: unknown, home: string | undefined): PathReadings {
  if (typeof text !== 'string') return { unproven: 'not a text' };
  if (text === '') return { unproven: 'empty' };
  if (text.length > MAX_PATH) return { unproven: `longer than ${MAX_PATH} characters` };
  const variants = closure(withoutFileScheme(text));
  if (variants === undefined) return { unproven: 'an encoding that is not valid, or encodings within encodings' };
  const readings = new Set<string>();
  for (const variant of variants) {
    const resolved = resolve(variant, home);
    if (typeof resolved !== 'string') return resolved;
    readings.add(resolved).add(asWindowsCutsIt(resolved));
  }
  return { readings: [...readings] };
}

/** Characters that some file systems and servers do not see: joiners, marks of direction, variation selectors. */
export const IGNORED = /\p{Default_Ignorable_Code_Point}/gu;

/** The path of a `file:` URI; any other text as it is. No other URI looks like an absolute path. */
function withoutFileScheme(text: string): string {
  return /^file:(?:\/\/(?:localhost)?)?(\/[^?#]*)$/i.exec(text)?.[1] ?? text;
}

/** Backslashes, and what Windows makes separators of when it brings a text to one of its code pages. */
const SEPARATORS = /[\\\u00a5\u20a9\u2044\u2215\u2216]/g;

/** A text and all that decoding it, in any order and number of times, can make of it. */
function closure(text: string): Set<string> | undefined {
  const variants = new Set([text]);
  for (const variant of variants) {
    if (variants.size > MAX_READINGS || /%u[0-9a-f]{4}/i.test(variant)) return undefined;
    const decoded = percentDecoded(variant);
    if (decoded === undefined) return undefined;
    variants.add(decoded);
    variants.add(variant.replace(SEPARATORS, '/'));
    variants.add(variant.replace(IGNORED, ''));
    variants.add(variant.normalize('NFKC'));
  }
  return variants;
}

/** Decodes what is well-formed UTF-8; overlong forms such as `%c0%ae` are not. */
function percentDecoded(text: string): string | undefined {
  try {
    return text.replace(/(?:%[0-9A-Fa-f]{2})+/g, (run) => decodeURIComponent(run));
  } catch {
    return undefined;
  }
}

/** `$NAME`, `${…}`, `$(…)`, backquotes, and `%NAME%` where its percent signs are not both encodings. */
const EXPANDED_BY_SHELLS = /\$[\w({]|`|%(?![0-9a-f]{2}).*%|%.*%(?![0-9a-f]{2})/is;

/** A drive, or a name of which nothing but dots and blanks is left before, between or after colons. */
const NO_PLAIN_NAME = /^[A-Za-z]:|(?:^|:)[.\s]*(?::|$)/;

/** The absolute form of one variant. */
function resolve(variant: string, home: string | undefined): string | { unproven: string } {
  if (/\p{Cc}/u.test(variant) || !variant.isWellFormed()) return { unproven: 'control characters' };
  const expanded = expandHome(variant, home);
  if (expanded === undefined) return { unproven: 'a home directory that is not known' };
  if (!expanded.startsWith('/')) return { unproven: 'neither an absolute path nor a file:///path' };
  if (expanded.startsWith('//')) return { unproven: 'a network path' };

  const segments: string[] = [];
  for (const segment of expanded.split('/')) {
    if (segment === '' || segment === '.') continue;
    if (segment === '..') {
      // After a link, `..` leads elsewhere than one name up, and what the host then checks is not what is opened.
      if (segments.length > 0) return { unproven: 'a ".." after a name' };
    } else if (NO_PLAIN_NAME.test(segment)) return { unproven: 'a drive, a stream, or a name of dots and blanks' };
    else if (EXPANDED_BY_SHELLS.test(segment)) return { unproven: 'a variable that a shell would expand' };
    else if (/~\d/.test(segment)) return { unproven: 'a Windows short name' };
    else segments.push(segment);
  }
  return `/${segments.join('/')}`;
}

function expandHome(path: string, home: string | undefined): string | undefined {
  if (!path.startsWith('~')) return path;
  if (path !== '~' && !path.startsWith('~/')) return undefined;
  return home === undefined ? undefined : home + path.slice(1);
}

/** Windows drops dots and blanks at the end of a name, and opens `name:stream` as part of `name`. */
function asWindowsCutsIt(path: string): string {
  return path
    .split('/')
    .map((segment) => segment.split(':')[0]!.replace(/(?<![.\s])[.\s]+$/, ''))
    .join('/');
}

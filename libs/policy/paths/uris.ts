import { compileGlob } from './glob.js';
import { IGNORED, readPath } from './readings.js';

/** The one spelling by which rules know a URI, or why it could be taken for more than one place. */
export type UriReading = { readonly uri: string } | { readonly ambiguous: string };

/**
 * Brings a URI to one spelling: scheme in lower case, `file:` with an empty host and no slash at the end, and nothing
 * percent-encoded but what means something else when it is not. What a server could still read in two ways is refused:
 * a rule that names `file:///work/*` must not be met by `file:///work/../etc/passwd` in any spelling.
 */
export function readUri(text: string): UriReading {
  if (!text.isWellFormed()) return { ambiguous: 'half of a surrogate pair' };
  if (text.includes('\\')) return { ambiguous: 'a backslash' };
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) return { ambiguous: 'a percent sign that encodes nothing' };
  if (/%(?:2f|5c|25)/i.test(text)) return { ambiguous: 'an encoded slash or percent sign' };
  const parts = decodedParts(text);
  if (parts === undefined) return { ambiguous: 'no scheme, or an encoding that is not UTF-8' };
  const uri = join(parts);
  if (INVISIBLE.test(uri)) return { ambiguous: 'white space, control characters or invisible ones' };
  if (/%..\p{M}/u.test(uri)) return { ambiguous: 'an accent on an encoded character' };
  const composed = uri.normalize('NFC');
  if (uri.normalize('NFKC') !== composed) return { ambiguous: 'compatibility characters' };
  if (uri !== composed) return readUri(composed);
  if (parts.scheme === 'file') return readFileUri(parts);

  const names = [parts.authority ?? '', ...parts.path.split('/')];
  if (names.some((name) => /^\.\.?(?:;.*)?$/.test(name))) return { ambiguous: 'a "." or ".." in its path' };
  if (names.slice(2, -1).includes('')) return { ambiguous: 'an empty name in its path' };
  return /^(?:https?|wss?|ftp)$/.test(parts.scheme) ? readWebAddress(parts) : { uri };
}

/**
 * What is wrong with a pattern for URIs, or undefined: no URI could meet it, because the one spelling of each is
 * another. A pattern that does not begin with a scheme and a slash is not looked at; it may be for anything.
 */
export function uriPatternProblem(pattern: string): string | undefined {
  if (!/^[A-Za-z][A-Za-z0-9+.-]+:\//.test(pattern)) return undefined;
  const isOpen = compileGlob(pattern).exact === undefined;
  const readings = ['x', '1', '/x'].map((fill) => {
    const example = pattern.replace(/\\([*\\])|\*/g, (_, escaped?: string) => escaped ?? fill);
    return { example, reading: readUri(example) };
  });
  const meetable = readings.some(
    ({ example, reading }) =>
      'uri' in reading && (reading.uri === example || (isOpen && reading.uri === `${example}/`)),
  );
  if (meetable) return undefined;
  const { reading } = readings[0]!;
  return 'uri' in reading
    ? `write it as in ${reading.uri}: no request has it otherwise`
    : `no URI can be like this: it has ${reading.ambiguous}`;
}

const INVISIBLE = new RegExp(`[\\p{Cc}\\p{Cf}\\p{Z}]|${IGNORED.source}`, 'u');

interface Parts {
  readonly scheme: string;
  /** Undefined where there is none; empty as in `file:///`. */
  readonly authority: string | undefined;
  readonly path: string;
  /** With the sign that introduces it; empty where there is none. */
  readonly query: string;
  readonly fragment: string;
}

/** A scheme has at least two letters: a single one is a Windows drive. */
const PARTS = /^([A-Za-z][A-Za-z0-9+.-]+):(?:\/\/([^/?#]*))?([^?#]*)(\?[^#]*)?(#.*)?$/;

function decodedParts(text: string): Parts | undefined {
  const found = PARTS.exec(text);
  if (!found) return undefined;
  const [, scheme, authority, path, query = '', fragment = ''] = found;
  try {
    return {
      scheme: scheme!.toLowerCase(),
      authority: authority === undefined ? undefined : decode(authority, /[ "<>`#?:[\]]/),
      path: decode(path!, /[ "<>`#?]/),
      query: decode(query, /[ "<>`#&=+;]/),
      fragment: decode(fragment, /[ "<>`#]/),
    };
  } catch {
    return undefined;
  }
}

/** Decodes all but the characters that mean something else when they are not encoded, and encodes what must be. */
function decode(part: string, meaning: RegExp): string {
  return part.replace(/(?:%[89A-Fa-f][0-9A-Fa-f])+|%[0-7][0-9A-Fa-f]|["<>`]/g, (run) => {
    if (run.length === 1) return encodeURIComponent(run);
    const character = decodeURIComponent(run);
    return meaning.test(character) ? run.toUpperCase() : character;
  });
}

const join = ({ scheme, authority, path, query, fragment }: Parts): string =>
  `${scheme}:${authority === undefined ? '' : `//${authority}`}${path}${query}${fragment}`;

/** A file by its absolute path, of which a server can have one reading only: a stream of a file aside. */
function readFileUri({ authority, path, query, fragment }: Parts): UriReading {
  if (authority !== undefined && !/^(?:localhost)?$/i.test(authority)) return { ambiguous: 'a file on another host' };
  if (query !== '' || fragment !== '') return { ambiguous: 'a query or fragment after a file' };
  const trimmed = path.replace(/(?<=.)\/$/, '');
  const plain = decodeURIComponent(trimmed);
  const read = plain.startsWith('/') ? readPath(plain, undefined) : { unproven: 'no absolute path' };
  if ('unproven' in read) return { ambiguous: read.unproven };
  const withoutStreams = plain.replace(/:[^/]*/g, '');
  if (read.readings.some((reading) => reading !== plain && reading !== withoutStreams))
    return { ambiguous: 'a path that servers read differently' };
  return { uri: `file://${trimmed}` };
}

/** A web address without a user part or fragment, its host and port as the WHATWG URL standard spells them. */
function readWebAddress(parts: Parts): UriReading {
  const uri = join({ ...parts, path: parts.path === '' ? '/' : parts.path });
  const ambiguous = { ambiguous: 'a web address with more than one spelling' };
  if (!URL.canParse(uri) || parts.fragment !== '') return ambiguous;
  const { host, hostname } = new URL(uri);
  if (host !== parts.authority || hostname.endsWith('.') || hostname.startsWith('[::ffff:')) return ambiguous;
  return { uri };
}

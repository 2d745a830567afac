import { ScimError } from './error.js';
import { isText } from './values.js';

/** Where in a resource something is: `emails[type eq "work"].value` (RFC 7644 §3.5.2). */
export interface Path {
  readonly attribute: string;
  readonly filter?: { readonly attribute: string; readonly value: string | boolean };
  readonly sub?: string;
}

/** An attribute of another schema than the resource's own, which we keep nothing of. */
export const FOREIGN = Symbol('foreign');

const NAME = '[A-Za-z$][A-Za-z0-9_$-]{0,99}';
const PATH = new RegExp(
  `^(${NAME})(?:\\[\\s*(${NAME})\\s+eq\\s+(?:"((?:[^"\\\\]|\\\\.){0,1024})"|(true|false))\\s*\\])?(?:\\.(${NAME}))?$`,
  'i',
);

/** Reads a path. Throws ScimError (`invalidPath`). */
export function readPath(text: string, schema: string): Path | typeof FOREIGN {
  const own = withoutSchema(text, schema);
  if (own === FOREIGN) return FOREIGN;
  const found = own.length <= 2000 ? PATH.exec(own) : null;
  if (!found) throw new ScimError('invalidPath', `'${text.slice(0, 100)}' is no path that can be changed here`);
  const [, attribute, filtered, quoted, flag, sub] = found;
  const value = quoted === undefined ? flag?.toLowerCase() === 'true' : unescaped(quoted);
  return {
    attribute: attribute!,
    ...(filtered === undefined ? {} : { filter: { attribute: filtered, value } }),
    ...(sub === undefined ? {} : { sub }),
  };
}

/**
 * A name without the URN of the resource's own schema before it. Throws ScimError (`invalidPath`) where that URN stands
 * otherwise, alone or with another sign after it: who writes so means an attribute of ours, such as `active`, and must not be
 * told that it is done.
 */
export function withoutSchema(text: string, schema: string): string | typeof FOREIGN {
  if (!/^urn:/i.test(text)) return text;
  if (!text.toLowerCase().startsWith(schema.toLowerCase())) return FOREIGN;
  const next = text.charAt(schema.length);
  if (next === ':') return text.slice(schema.length + 1);
  if (/\w|-/.test(next)) return FOREIGN;
  throw new ScimError('invalidPath', `'${text.slice(0, 100)}': an attribute is written after ${schema} and a colon`);
}

/** The text that stands in quotes in a path or a filter: a string of JSON. Throws ScimError. */
export function unescaped(quoted: string): string {
  let text: string;
  try {
    text = JSON.parse(`"${quoted}"`) as string;
  } catch {
    throw new ScimError('invalidFilter', 'a text in a filter is written as in JSON');
  }
  if (isText(text)) return text;
  throw new ScimError('invalidFilter', 'a text in a filter has no control characters');
}

import type { ResourceKind } from './attributes.js';
import { ScimError } from './error.js';
import { FOREIGN, unescaped, withoutSchema } from './path.js';

/** What a list is filtered by: each attribute that is given equals a text. */
export type Filter = Readonly<Partial<Record<'id' | 'externalId' | 'userName' | 'displayName' | 'member', string>>>;

/** Attributes with an index, by kind, with the names by which filters know them. */
const INDEXED: Readonly<Record<ResourceKind['name'], Readonly<Record<string, keyof Filter>>>> = {
  User: { id: 'id', externalid: 'externalId', username: 'userName' },
  Group: {
    id: 'id',
    externalid: 'externalId',
    displayname: 'displayName',
    members: 'member',
    'members.value': 'member',
  },
};

const TERM = /^\s*([A-Za-z][\w.:-]{0,199})\s+eq\s+"((?:[^"\\]|\\.){0,1024})"\s*/i;
const MEMBER = /^\s*members\[\s*value\s+eq\s+"((?:[^"\\]|\\.){0,1024})"\s*\]\s*/i;
const AND = /^and\s+/i;

/**
 * Reads a filter (RFC 7644 §3.4.2.2): equalities of attributes that have an index, all of which must hold. Anything else
 * is a ScimError (`invalidFilter`): a filter that was not understood never finds more than was asked for.
 */
export function readFilter({ name, schema }: ResourceKind, text: string): Filter {
  const filter: Partial<Record<keyof Filter, string>> = {};
  let rest = text;
  do {
    const { attribute, value, length } = termOf(name, schema, rest);
    if (filter[attribute] !== undefined && filter[attribute] !== value) throw notUnderstood(name);
    filter[attribute] = value;
    rest = rest.slice(length);
    const and = AND.exec(rest);
    if (!and && rest !== '') throw notUnderstood(name);
    rest = and ? rest.slice(and[0].length) : '';
    if (and && rest === '') throw notUnderstood(name);
  } while (rest !== '');
  return filter;
}

function termOf(
  kind: ResourceKind['name'],
  schema: string,
  text: string,
): { readonly attribute: keyof Filter; readonly value: string; readonly length: number } {
  const member = kind === 'Group' ? MEMBER.exec(text) : null;
  if (member) return { attribute: 'member', value: unescaped(member[1]!), length: member[0].length };
  const found = TERM.exec(text);
  const own = found ? withoutSchema(found[1]!, schema) : FOREIGN;
  const known = INDEXED[kind];
  const named = own === FOREIGN ? '' : own.toLowerCase();
  if (!found || !Object.hasOwn(known, named)) throw notUnderstood(kind);
  return { attribute: known[named]!, value: unescaped(found[2]!), length: found[0].length };
}

const notUnderstood = (kind: ResourceKind['name']): ScimError =>
  new ScimError(
    'invalidFilter',
    `a ${kind} is found by ${Object.values(INDEXED[kind])
      .filter((attribute) => attribute !== 'member')
      .join(' eq "…", ')} eq "…"${kind === 'Group' ? ', members eq "…"' : ''}, or several of them joined by and`,
  );

import type { JsonObject } from '../model.js';
import { NOT_SUPPORTED_YET, type Kind } from './schema.js';
import { shown, type Finding } from './wording.js';

/** A place in a source text; lines and columns count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A mistake in a document, with where it stands as far as that is known. */
export interface DocumentProblem {
  readonly code:
    | 'syntax'
    | 'invalid'
    | 'unknown_kind'
    | 'unknown_field'
    | 'not_supported_yet'
    | 'duplicate_name'
    | 'condition'
    | 'unknown_role'
    | 'unknown_issuer'
    | 'role_cycle'
    | 'identity_taken'
    | 'in_use'
    | 'too_many_candidates'
    | 'too_many_cases'
    | 'test_failed';
  readonly message: string;
  readonly document?: { readonly kind: string; readonly name: string };
  readonly rule?: string;
  /** The case of a Test that it is about. */
  readonly case?: string;
  /** Where in the document, as in `rules.0.when`. */
  readonly path?: string;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
}

/** A mistake with its place in the document's value: that of a member, or only of the name that it has. */
export type Described = DocumentProblem & { readonly at: readonly PropertyKey[]; readonly named?: true };

/** What a schema has found wrong, as a problem of ours. */
export function describeFinding({ path, message, about }: Finding, kind: Kind, value: JsonObject): Described {
  const common = { document: { kind, name: nameOf(value) }, ...partAt(value, path), at: path };
  if (about !== 'unknown') return { ...common, ...(about === 'name' ? { named: true } : {}), code: 'invalid', message };
  if (!NOT_SUPPORTED_YET[kind].some((pattern) => covers(pattern, path)))
    return { ...common, named: true, code: 'unknown_field', message };
  return {
    ...common,
    named: true,
    code: 'not_supported_yet',
    message: insteadOf(kind, String(path.at(-1))),
  };
}

/** What is to be done instead of writing a member that nothing enforces. */
function insteadOf(kind: Kind, member: string): string {
  if (member !== 'suspended') return `'${member}' is not enforced by this version and is therefore refused`;
  const [name, example] = kind === 'Subject' ? ['TYPE:ID', ', as in user:ann'] : ['NAME', ''];
  return `'suspended' is not written in documents: run 'placet suspend ${kind} ${name}'${example}, or PUT /api/v1/suspensions/${kind}/${name}`;
}

/** No name of ours is longer, and most ids are shorter. */
const LONGEST_NAME = 128;

/** The name a broken document seems to have, for the message. */
function nameOf(value: JsonObject): string {
  const text = (key: string) => (typeof value[key] === 'string' ? shown(value[key], LONGEST_NAME) : undefined);
  return text('name') ?? text('id') ?? text('server') ?? text('host') ?? '?';
}

/** The rule or the case that something stands in, by its name, or by its number where it has none. */
function partAt(value: JsonObject, [list, index]: readonly PropertyKey[]): { rule?: string; case?: string } {
  if ((list !== 'rules' && list !== 'cases') || typeof index !== 'number') return {};
  const part = (value[list] as readonly JsonObject[])[index];
  const name = typeof part?.name === 'string' ? shown(part.name, LONGEST_NAME) : `#${index + 1}`;
  return list === 'rules' ? { rule: name } : { case: name };
}

function covers(pattern: string, path: readonly PropertyKey[]): boolean {
  const parts = pattern.split('.');
  return parts.length === path.length && parts.every((part, index) => part === '*' || part === String(path[index]));
}

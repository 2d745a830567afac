import { z } from 'zod';
import { uriPatternProblem } from '../paths/uris.js';
import { isForeignId, isSubjectType, NAME, parsePrincipal } from './names.js';

// Members that documents of several kinds have.

export const name = z
  .string()
  .regex(NAME, 'a name has 1 to 128 letters, digits, ".", "_" or "-", and starts with a letter or digit');

export const foreignId = z
  .string()
  .refine(isForeignId, 'an id has 1 to 1024 characters, none of them control characters');

export const text = z.string().max(2000);

export const subjectType = z
  .string()
  .refine(isSubjectType, 'a type has up to 64 letters, digits, "_" or "-", and is neither role nor group');

export const instant = z.iso.datetime({ offset: true, error: 'a time is written as in 2026-12-31T23:59:59Z' });

/** A free object of attributes. Checked by hand: a zod record would drop `__proto__`. */
export const properties = z.custom<Record<string, unknown>>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  'attributes are written as an object',
);

export const principal = z
  .string()
  .refine(
    (ref) => parsePrincipal(ref) !== undefined,
    'write any, role:NAME, group:NAME or a subject as TYPE:ID, such as user:ann',
  );

export const subjectOrGroup = principal.refine((ref) => {
  const parsed = parsePrincipal(ref);
  return parsed?.kind === 'subject' || parsed?.kind === 'group';
}, 'a binding is for subjects and groups');

/** As in `acr` and in scopes of OAuth. */
export const word = z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,256}$/, 'a word without spaces and quotes');

export const glob = z.string().min(1).max(1024);

/** Ids of resources: among them URIs, of which a pattern must have the one spelling. */
export const resourceGlob = glob.superRefine(withoutProblem(uriPatternProblem));

export const operation = z
  .string()
  .regex(/^[a-z][a-z0-9_-]{0,63}$/, 'an operation is a word in lower case, such as read or delete');

/** A check by a function that says what is wrong with a text. */
export function withoutProblem(problemOf: (text: string) => string | undefined) {
  return (value: string, context: z.core.$RefinementCtx<string>): void => {
    const message = problemOf(value);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  };
}

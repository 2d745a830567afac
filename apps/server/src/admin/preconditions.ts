import { Refusal } from '#http';
import type { RequestConditions } from '../http/nest.js';

/** What the client knows of a thing that it changes: a version, or that there must be none. */
export type Precondition = { readonly version: number } | 'absent' | undefined;

/** What a request makes its effect depend on. Throws Refusal for what cannot be read. */
export function preconditionOf({ match, none }: RequestConditions): Precondition {
  if (none !== undefined) {
    if (none.trim() !== '*') throw new Refusal('invalid_request', 'If-None-Match takes * only');
    return 'absent';
  }
  if (match === undefined) return undefined;
  const version = /^"?(\d{1,15})"?$/.exec(match.trim())?.[1];
  if (version === undefined)
    throw new Refusal('invalid_request', 'If-Match takes the version that is there, as in "3"');
  return { version: Number(version) };
}

/** Holds what the client expects against what is there (undefined: nothing). Throws Refusal. */
export function checkPrecondition(
  what: string,
  version: number | undefined,
  expected: Precondition,
  notFound: () => Refusal,
): void {
  if (expected === 'absent') {
    if (version !== undefined) throw new Refusal('already_exists', `${what} is there already, at version ${version}`);
    return;
  }
  if (expected === undefined) {
    if (version === undefined) return;
    throw new Refusal(
      'precondition_required',
      `${what} is at version ${version}: send If-Match: "${version}" to change it`,
    );
  }
  if (version === expected.version) return;
  if (version === undefined) throw notFound();
  throw new Refusal('version_mismatch', `${what} is at version ${version}, not ${expected.version}: read it again`);
}

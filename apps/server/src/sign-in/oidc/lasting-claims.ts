import type { JsonObject } from '#policy';

/** Claims about one token or one sign-in, and not about the person; what is needed of them is kept with the session. */
const PASSING: ReadonlySet<string> = new Set([
  'acr',
  'aio',
  'amr',
  'at_hash',
  'auth_time',
  'c_hash',
  'exp',
  'iat',
  'jti',
  'nbf',
  'nonce',
  'rat',
  'rh',
  's_hash',
  'sid',
  'uti',
]);

/** What a token says about a person that is the same at the next sign-in, unless something has changed. */
export const lastingClaims = (claims: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(claims).filter(([name]) => !PASSING.has(name)));

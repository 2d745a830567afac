import { RE2JS } from 're2js';

/** How documents say which signature algorithms an issuer may use: those with a public key only. */
export const SIGNATURE_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const;

const LOOPBACK: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

/** What is wrong with the address of something of an identity provider: https, or http on this machine. */
export function endpointProblem(text: string): string | undefined {
  const message = 'write an https URL without user, password and fragment (http only on localhost)';
  // RFC 3986 has no place for them, and parsers escape them in silence: no token would ever say the same.
  const [foreign] = /[<>"^`{|}]/.exec(text) ?? [];
  if (foreign !== undefined) return `no URL has a ${foreign}: put the real name in its place`;
  if (!URL.canParse(text) || /[\s\u0000-\u001f\u007f\\]/.test(text)) return message;
  const { protocol, hostname, username, password } = new URL(text);
  if (username !== '' || password !== '' || text.includes('#')) return message;
  const isOpen = protocol === 'https:' || (protocol === 'http:' && LOOPBACK.has(hostname));
  return isOpen && /^https?:\/\//.test(text) ? undefined : message;
}

/** What is wrong with the name of an issuer (RFC 8414 §2: no query and no fragment). */
export function issuerProblem(text: string): string | undefined {
  return (
    endpointProblem(text) ?? (text.includes('?') ? 'an issuer has no query: write it as its tokens do' : undefined)
  );
}

/** What is wrong with a JSON pointer (RFC 6901) to a claim. The whole of the claims is none. */
export function pointerProblem(text: string): string | undefined {
  return /^(\/([^~/]|~[01])*)+$/.test(text) && text.isWellFormed()
    ? undefined
    : 'a claim is named by its JSON pointer, such as /groups or /realm_access/roles (~0 for ~, ~1 for /)';
}

/** Claims that say how to reach somebody or what they are called: whoever is given the address later is somebody else. */
const REASSIGNABLE: ReadonlySet<string> = new Set([
  'email',
  'emails',
  'emailaddress',
  'mail',
  'upn',
  'userprincipalname',
  'preferred_username',
  'unique_name',
  'verified_primary_email',
  'verified_secondary_email',
  'phone_number',
  'name',
  'nickname',
]);

/** What is wrong with a claim as the identity of people (OpenID Connect Core §5.7): an e-mail address or a UPN is none. */
export function identityProblem(text: string): string | undefined {
  const parts = text.toLowerCase().split(/\/|~1/);
  return parts.some((part) => REASSIGNABLE.has(part))
    ? 'an e-mail address or a name can be given to somebody else, and is never an identity: name a claim such as /sub or /oid'
    : undefined;
}

/** What is wrong with a pattern for values of claims. */
export function patternProblem(text: string): string | undefined {
  try {
    RE2JS.compile(text);
    return undefined;
  } catch (error) {
    return `the pattern is not valid (RE2 syntax): ${(error as Error).message}`;
  }
}

/** Parameters of a sign-in that are ours to set (OpenID Connect Core §3.1.2.1, RFC 7636, RFC 9101). */
const RESERVED_PARAMETERS: ReadonlySet<string> = new Set([
  'acr_values',
  'claims',
  'client_assertion',
  'client_assertion_type',
  'client_id',
  'client_secret',
  'code_challenge',
  'code_challenge_method',
  'dpop_jkt',
  'id_token_hint',
  'max_age',
  'nonce',
  'redirect_uri',
  'request',
  'request_uri',
  'response_mode',
  'response_type',
  'scope',
  'state',
]);

/** Whether a document may add this parameter to a sign-in. */
export const isFreeParameter = (name: string): boolean =>
  /^[A-Za-z0-9_.:-]{1,64}$/.test(name) && !RESERVED_PARAMETERS.has(name);

import * as oidc from 'openid-client';
import { saidKeyOf } from '#identity';
import type { Watch } from '../connector.js';

/** The looks that the library takes at what came back, in its order (OpenID Connect Core §3.1.2.7, §3.1.3.5, §3.1.3.7). */
const LOOKS = ['state', 'response', 'token_endpoint', 'id_token', 'signature'] as const;
type LookName = (typeof LOOKS)[number];

/** Tells what was looked at, where all of it was good. */
export function tellRedeemed(watch: Watch, config: oidc.Configuration, url: URL, idToken: string | undefined): void {
  for (const look of LOOKS) watch.look(look, foundAt(look, config, url, idToken));
}

/** Tells what was looked at up to the look that was not good, by what the library says of it. */
export function tellUnredeemed(watch: Watch, config: oidc.Configuration, url: URL, error: unknown): void {
  const last = lookOf(error);
  for (const look of LOOKS.slice(0, LOOKS.indexOf(last))) watch.look(look, foundAt(look, config, url, undefined));
  watch.look(last, compared(error) ?? foundAt(last, config, url, undefined));
}

/** What a token endpoint answers that gives no tokens; undefined: that was no answer of one (RFC 6749 §5.2). */
export function tokenAnswer(error: unknown): string | undefined {
  if (error instanceof oidc.ResponseBodyError) return `${error.error} ${error.error_description ?? ''}`.trim();
  if (!(error instanceof oidc.WWWAuthenticateChallengeError)) return undefined;
  const said = error.cause.map(
    ({ parameters: { error: code, error_description: text } }) => `${code ?? ''} ${text ?? ''}`,
  );
  return `${error.status} ${said.join(', ')}`.trim();
}

function foundAt(look: LookName, config: oidc.Configuration, url: URL, idToken: string | undefined): string {
  const { token_endpoint: endpoint } = config.serverMetadata();
  switch (look) {
    case 'state':
      return 'state, and iss where the provider sends it, against what this sign-in has begun with';
    case 'response': {
      const said = ['error', 'error_description'].flatMap((name) => url.searchParams.get(name) ?? []);
      return `the browser brings ${[...new Set(url.searchParams.keys())].join(', ') || 'nothing'}${said.length > 0 ? `: ${said.join(': ')}` : ''}`;
    }
    case 'token_endpoint':
      return `${endpoint ?? 'none'} is asked for the tokens of the code`;
    case 'id_token':
      return 'iss, aud, exp, iat, nonce and alg of the ID token';
    case 'signature': {
      if (idToken === undefined) return 'of the ID token';
      const { algorithm, keyId } = saidKeyOf(idToken);
      return `of the ID token: alg ${algorithm}, kid ${keyId}`;
    }
  }
}

/** Which look a refusal of the library comes from. */
function lookOf(error: unknown): LookName {
  if (error instanceof oidc.AuthorizationResponseError) return 'response';
  if (!(error instanceof oidc.ClientError)) return 'token_endpoint';
  const text = `${error.message} ${error.cause instanceof Error ? error.cause.message : ''}`;
  if (/"(state|iss)".*response parameter|response parameter "(state|iss)"/.test(text)) return 'state';
  if (/authorization code|callbackParameters|provided only once/.test(text)) return 'response';
  if (/signature verification|verification key/.test(text)) return 'signature';
  return /JWT|ID Token|id_token|JWS|claim/i.test(text) ? 'id_token' : 'token_endpoint';
}

/** What the library compares in a token, where it says it. What is random is not shown. */
function compared(error: unknown): string | undefined {
  const answer = tokenAnswer(error);
  if (answer !== undefined) return `the token endpoint answers ${answer}`;
  const { cause } = ((error as Error).cause ?? {}) as {
    readonly cause?: {
      readonly claim?: unknown;
      readonly claims?: Record<string, unknown>;
      readonly expected?: unknown;
    };
  };
  const { claim, claims, expected } = cause ?? {};
  if (typeof claim !== 'string' || claim === 'nonce') return undefined;
  const value = claims?.[claim];
  if (typeof value === 'number')
    return `${claim} is ${new Date(value * 1000).toISOString()}, now is ${new Date().toISOString()}`;
  return `${claim} is ${JSON.stringify(value)}${expected === undefined ? '' : `, ours is ${JSON.stringify(expected)}`}`;
}

import {
  allowInsecureRequests,
  discovery,
  initiateDeviceAuthorization,
  None,
  pollDeviceAuthorizationGrant,
  refreshTokenGrant,
  ResponseBodyError,
  tokenRevocation,
  type Configuration,
} from 'openid-client';
import { CommandError } from './command-error.js';
import { plain } from './output.js';

/** What a person's sign-in gave, as it is kept. */
export interface SignIn {
  readonly issuer: string;
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
  /** ms since 1970, by the clock of this machine. */
  readonly expiresAt: number;
}

/** What the person has to do in a browser. */
export interface DevicePrompt {
  readonly url: string;
  readonly completeUrl: string;
  readonly code: string;
}

const CLIENT = 'placet-cli';
const SCOPE = 'administer offline_access';

/** Signs a person in by the device flow (RFC 8628); `ask` shows them what to do. Throws CommandError. */
export async function signIn(issuer: string, ask: (prompt: DevicePrompt) => void): Promise<SignIn> {
  return told(issuer, async () => {
    const server = await find(issuer);
    if (server.serverMetadata().device_authorization_endpoint === undefined) throw switchedOff();
    const device = await initiateDeviceAuthorization(server, { scope: SCOPE });
    const url = device.verification_uri;
    ask({ url, completeUrl: device.verification_uri_complete ?? url, code: device.user_code });
    // The library stops by itself when the code is over, and says of it what it says of a service that is away.
    const ended = AbortSignal.timeout(device.expires_in * 1000);
    try {
      return kept(issuer, await pollDeviceAuthorizationGrant(server, device, undefined, { signal: ended }));
    } catch (error) {
      throw ended.aborted ? nobodyCame(error) : error;
    }
  });
}

/** New tokens in the place of old ones. Throws CommandError where the sign-in is over. */
export async function refresh({ issuer, refreshToken }: SignIn): Promise<SignIn> {
  if (refreshToken === undefined) throw over();
  return told(issuer, async () => kept(issuer, await refreshTokenGrant(await find(issuer), refreshToken)));
}

/** Ends a sign-in on the side of the service: all its tokens. Throws CommandError. */
export async function signOut({ issuer, refreshToken, accessToken }: SignIn): Promise<void> {
  await told(issuer, async () => tokenRevocation(await find(issuer), refreshToken ?? accessToken));
}

const find = async (issuer: string): Promise<Configuration> => {
  const isPlain = new URL(issuer).protocol === 'http:';
  return discovery(new URL(issuer), CLIENT, undefined, None(), { execute: isPlain ? [allowInsecureRequests] : [] });
};

interface Tokens {
  readonly access_token: string;
  readonly refresh_token?: string;
  readonly expires_in?: number;
}

const kept = (issuer: string, { access_token, refresh_token, expires_in = 0 }: Tokens): SignIn => ({
  issuer,
  accessToken: access_token,
  refreshToken: refresh_token,
  expiresAt: Date.now() + expires_in * 1000,
});

/** What people can do about what the library says. */
async function told<T>(issuer: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof CommandError) throw error;
    if (!(error instanceof ResponseBodyError)) throw new CommandError(unanswered(issuer, error), { cause: error });
    if (error.error === 'invalid_grant') throw over();
    if (error.error === 'unauthorized_client') throw switchedOff();
    if (error.error === 'access_denied') throw new CommandError('the sign-in was refused in the browser.');
    if (error.error === 'expired_token') throw nobodyCame(error);
    throw new CommandError(`the service refused: ${error.error_description ?? error.error}`);
  }
}

/** Why there is nobody to sign in to: an address that is another's, a tenant that is not there, or a name that the service does not go by. */
function unanswered(issuer: string, error: unknown): string {
  const { code, cause } = error as {
    readonly code?: unknown;
    readonly cause?: { readonly body?: { issuer?: unknown } };
  };
  const other = cause?.body?.issuer;
  if (code === 'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED' && typeof other === 'string') {
    return `${issuer} calls itself ${plain(other)}: set PLACET_URL to what stands before /t/ there, or mend the PLACET_PUBLIC_URL of the service.`;
  }
  return `${issuer} cannot be reached, or is no tenant of a Placet: start the service, or mend PLACET_URL or --tenant.`;
}

const switchedOff = (): CommandError =>
  new CommandError(
    'this tenant lets nobody sign in devices (signIn.deviceFlow of its Tenant document): set PLACET_KEY to a key instead, or ask an owner.',
  );

const nobodyCame = (cause: unknown): CommandError =>
  new CommandError('nobody entered the code in time: run placet login again.', { cause });

const over = (): CommandError => new CommandError('the sign-in is over: run placet login.');

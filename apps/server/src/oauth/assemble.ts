import type { IncomingMessage } from 'node:http';
import type { AbuseLimits } from '#http';
import type { KeyCheck } from '#identity';
import type { Snapshots } from '#snapshot';
import { OAuthStore, type Store } from '#store';
import type { Changes } from '../admin/changes.js';
import type { PublicAddress } from '../http/public-address.js';
import type { RefusedCredentials } from '../http/refused-credentials.js';
import type { Log } from '../operations/log.js';
import type { Metrics } from '../operations/metrics.js';
import { oauthPepper } from './adapter.js';
import { OAuthClients } from './clients.js';
import { DevicePages } from './device-pages.js';
import type { EndpointGuard } from './forms.js';
import { OAuthMount } from './mount.js';
import type { SignedInPersons } from './signed-in.js';
import { Providers } from './providers.js';
import type { SigningKeys } from './signing-keys.js';
import { Workloads, type AssertionVerifier } from './workloads.js';

/** What the authorization servers are put together from. */
export interface OAuthParts {
  readonly store: Store;
  readonly snapshots: Snapshots;
  readonly changes: Changes;
  readonly keyCheck: KeyCheck;
  readonly signingKeys: SigningKeys;
  readonly address: PublicAddress;
  readonly homeTenant: string;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly personSessions: SignedInPersons;
  readonly assertions: AssertionVerifier;
  readonly guard: EndpointGuard;
  readonly limits: AbuseLimits;
  readonly refusals: Pick<RefusedCredentials, 'note'>;
  readonly devicePollSeconds: number;
  /** From where a request comes. */
  readonly addressOf: (request: IncomingMessage) => string;
}

/** Puts the authorization servers together. */
export function mountOAuth(parts: OAuthParts): OAuthMount {
  const { store, snapshots, keyCheck, assertions, addressOf, limits } = parts;
  const pepper = oauthPepper(keyCheck);
  const clients = new OAuthClients(store, keyCheck, (about, address) => parts.refusals.note(about, address));
  const proven = new WeakMap<IncomingMessage, string>();
  return new OAuthMount({
    ...parts,
    providers: new Providers({ ...parts, clients, pepper, workloadOf: (request) => proven.get(request) }),
    pages: new DevicePages({
      state: new OAuthStore(store),
      pepper,
      sessions: parts.personSessions,
      addressOf,
      limits,
    }),
    workloads: new Workloads(store, snapshots, clients, assertions, pepper),
    noteWorkload: (request, client) => void proven.set(request, client),
  });
}

/** Counts what is refused at the endpoints against the limits of the service. */
export const endpointGuard = (limits: AbuseLimits): EndpointGuard => ({
  waitFor: ({ address }) => limits.secondsToWait('token', address),
  failed: ({ address }) => limits.failed('token', address),
});

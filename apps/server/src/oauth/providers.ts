import type { IncomingMessage } from 'node:http';
import { tenantSuspended } from '#http';
import { OAuthStore, type Store } from '#store';
import type { Snapshots } from '#snapshot';
import type { Changes } from '../admin/changes.js';
import type { PublicAddress } from '../http/public-address.js';
import type { Log } from '../operations/log.js';
import { denialKey } from '../sign-in/person-sessions.js';
import { endTokens } from './access-tokens.js';
import type { OAuthClients } from './clients.js';
import { letsDevicesIn } from './device-flow.js';
import { endpointsOf, type Endpoints } from './endpoints.js';
import { lastSignIns } from './personal-rights.js';
import { createProvider, type Provider } from './provider.js';
import type { SigningKeys } from './signing-keys.js';

/** The authorization server of a tenant. */
export interface AuthorizationServer {
  readonly tenant: string;
  readonly endpoints: Endpoints;
  readonly provider: Provider;
  readonly handle: ReturnType<Provider['callback']>;
  /** Whether people may sign in devices, by the documents of this moment. */
  readonly letsDevicesIn: () => Promise<boolean>;
}

export interface ProvidersParts {
  readonly store: Store;
  readonly snapshots: Snapshots;
  readonly changes: Changes;
  readonly clients: OAuthClients;
  readonly signingKeys: SigningKeys;
  readonly pepper: Buffer;
  readonly address: PublicAddress;
  readonly log: Log;
  readonly workloadOf: (request: IncomingMessage) => string | undefined;
  readonly addressOf: (request: IncomingMessage) => string;
  readonly devicePollSeconds: number;
}

/** After how long without a request a server is given up, in ms, and how many there are at most. */
const IDLE_MS = 10 * 60_000;
const MOST = 1000;

/** The authorization servers of tenants, made when they are first asked for. */
export class Providers {
  readonly #servers = new Map<string, { readonly server: Promise<AuthorizationServer>; usedAt: number }>();

  constructor(private readonly parts: ProvidersParts) {}

  /** The server of the tenant with a name; undefined where there is none. Throws Refusal where its operator has suspended it. */
  async named(name: string): Promise<AuthorizationServer | undefined> {
    const tenant = await this.parts.store.tenantNamed(name);
    if (tenant === undefined) return undefined;
    if ((await this.parts.snapshots.of(tenant)).suspended) throw tenantSuspended();
    const now = performance.now();
    this.#giveUp(now);
    let known = this.#servers.get(tenant);
    if (!known) {
      const server = this.#make(tenant, name);
      server.catch(() => this.#servers.delete(tenant));
      this.#servers.set(tenant, (known = { server, usedAt: now }));
    }
    known.usedAt = now;
    return known.server;
  }

  #giveUp(now: number): void {
    for (const [tenant, { usedAt }] of this.#servers) {
      if (now - usedAt > IDLE_MS || this.#servers.size > MOST) this.#servers.delete(tenant);
    }
  }

  async #make(tenant: string, name: string): Promise<AuthorizationServer> {
    const { store, snapshots, changes, clients, signingKeys, pepper, address, log } = this.parts;
    const { workloadOf, addressOf, devicePollSeconds } = this.parts;
    const endpoints = endpointsOf(address.url, name);
    const lastSignIn = lastSignIns(store, snapshots);
    const provider = createProvider({
      tenant,
      issuer: endpoints.issuer,
      state: new OAuthStore(store),
      pepper,
      clients,
      signingKey: await signingKeys.privateJwk(tenant, 'ES256'),
      now: () => store.clock.now(),
      endTokens: (of, tokens) => endTokens(changes, of, tokens),
      async mayGoOn(person, since) {
        await snapshots.refresh(tenant, Infinity);
        const snapshot = await snapshots.of(tenant);
        if (!letsDevicesIn(snapshot.policies) || snapshot.denies([denialKey(person)], since)) return false;
        return (await lastSignIn(tenant, person)) !== undefined;
      },
      workloadOf,
      addressOf,
      devicePollSeconds,
      onError: (error) => log.error('the authorization server failed', error, { tenant }),
    });
    return {
      tenant,
      endpoints,
      provider,
      handle: provider.callback(),
      async letsDevicesIn() {
        await snapshots.refresh(tenant, Infinity);
        return letsDevicesIn((await snapshots.of(tenant)).policies);
      },
    };
  }
}

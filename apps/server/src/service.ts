import 'reflect-metadata';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { NamedSecrets, type Settings } from '#config';
import { Decisions, SubjectTokens } from '#decision';
import { AbuseLimits, parseJson } from '#http';
import { KeySets, Outgoing, TokenVerifier, type KeyCheck } from '#identity';
import { Snapshots } from '#snapshot';
import {
  CountedEvents,
  DecisionCommits,
  ensureTenant,
  prepareDatabase,
  recordEvent,
  SessionStore,
  ConsentReader,
  ConsentStore,
  Store,
  Sweep,
  writeCredentialUses,
  type DatabaseAddress,
} from '#store';
import { Changes } from './admin/changes.js';
import { AppModule, type Parts } from './app.module.js';
import { bootstrap, type FirstKeys } from './bootstrap.js';
import { assembleConsents } from './consents.js';
import { assembleNotifier, type NotifierSettings } from './notifications.js';
import { PageTokens } from './fronts/authzen/page-tokens.js';
import { authzenRoutes } from './fronts/authzen/routes.js';
import { FrontDoor } from './fronts/front-door.js';
import { mcpRoutes } from './fronts/mcp/routes.js';
import { requestRoutes } from './fronts/requests/routes.js';
import { Authenticator } from './http/authenticator.js';
import { ClientAddresses } from './http/client-address.js';
import { CONSENT_USES, LastUses } from './http/last-uses.js';
import { declaredRoutes } from './http/declared-rights.js';
import { Gate } from './http/gate.js';
import { TenantNames } from './http/tenant-names.js';
import { PublicAddress } from './http/public-address.js';
import { RefusedCredentials } from './http/refused-credentials.js';
import { requestBody, requestContext } from './http/request-body.js';
import { TokenPrincipals } from './http/token-principals.js';
import { AccessTokens } from './oauth/access-tokens.js';
import { oauthPepper } from './oauth/adapter.js';
import { endpointGuard, mountOAuth, type OAuthParts } from './oauth/assemble.js';
import { personalRights } from './oauth/personal-rights.js';
import type { OAuthMount } from './oauth/mount.js';
import { SigningKeys } from './oauth/signing-keys.js';
import { documentApi } from './openapi/document.js';
import { type Log } from './operations/log.js';
import { ConsentMetrics } from './operations/consent-metrics.js';
import { Metrics } from './operations/metrics.js';
import { Readiness } from './operations/readiness.js';
import { clientKeyOf } from './sign-in/client-key.js';
import { SessionAuthenticator } from './sign-in/session-authenticator.js';
import { PersonSessions } from './sign-in/person-sessions.js';

/** The name of the home tenant: the one that every service has, and whose operators make the others. */
const DEFAULT_TENANT = 'default';

export interface ServiceOptions
  extends
    Pick<Settings, 'host' | 'port' | 'publicUrl' | 'environment' | 'bootstrapKey' | 'quickstart'>,
    Partial<Pick<Settings, 'trustedProxies' | 'privateIdentityProviders'>>,
    NotifierSettings {
  readonly attempts?: Partial<Settings['attempts']>;
  readonly database: DatabaseAddress;
  readonly pepper: Buffer;
  readonly log: Log;
  /** For how long the state of a tenant that nobody uses stays in memory; left out: for ever. */
  readonly tenantIdleMinutes?: number;
  /** How often what is over is looked for, in ms; left out: every ten minutes. */
  readonly sweepEveryMs?: number;
  /** How long a device that somebody signs in waits between two questions for its tokens; left out: 5, as RFC 8628 has it. */
  readonly devicePollSeconds?: number;
  /** Told what takes time at the start. */
  readonly progress?: (text: string) => void;
}

/** A service that answers. */
export interface Service {
  /** Under which it listens here. */
  readonly url: string;
  readonly publicUrl: string;
  readonly firstKeys: FirstKeys;
  /** Lets open requests finish, then gives back everything. */
  stop(): Promise<void>;
}

/** The port is taken, or may not be used. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
}

/**
 * Brings the database up to date, loads the home tenant and listens; the others are loaded when they are asked for. Whatever
 * fails leaves nothing open behind.
 */
export async function startService(options: ServiceOptions): Promise<Service> {
  const { progress = () => undefined } = options;
  progress('preparing the database');
  const connection = await prepareDatabase(options.database);
  const tenant = await ensureTenant(options.database, DEFAULT_TENANT);
  const store = await Store.open(connection);
  const closing: (() => Promise<void>)[] = [() => store.close()];
  const close = async () => {
    for (const step of closing.splice(0).reverse()) await step();
  };
  try {
    const keyCheck: KeyCheck = { pepper: options.pepper, environment: options.environment };
    const snapshots = new Snapshots(
      store,
      (error) => options.log.error('a tenant could not be brought up to date', error),
      { idleMs: (options.tenantIdleMinutes ?? Infinity) * 60_000, home: tenant },
    );
    closing.push(() => snapshots.close());
    progress('loading policies');
    await snapshots.of(tenant);
    await snapshots.start();
    const sweep = new Sweep(store, {
      everyMs: options.sweepEveryMs,
      onError: (error) => options.log.error('what is over could not be deleted', error),
    });
    closing.push(() => sweep.close());
    sweep.start();
    const commits = new DecisionCommits(store, 4);
    closing.push(() => commits.close());

    const consentMetrics = new ConsentMetrics();
    const parts = assemble(store, snapshots, tenant, keyCheck, consentMetrics, options);
    const notifier = assembleNotifier(store, parts.address, options, consentMetrics, options.log);
    closing.push(() => notifier.close());
    closing.push(() =>
      Promise.all([
        parts.uses.close(),
        parts.consentUses.close(),
        parts.consents.settlement.close(),
        parts.refusedEvents.close(),
        parts.refusedRequests.close(),
        parts.signIn.refusedSignIns.close(),
      ]).then(() => undefined),
    );
    const tokens = new SubjectTokens(parts.verifier, (of, { fault, issuer }) =>
      parts.refusedEvents.note(of, { credential: 'subject_token', reason: fault, issuer }),
    );
    const { consentUses } = parts;
    const onRelied = (of: string, ids: readonly string[]) => ids.forEach((id) => consentUses.used(of, id));
    const reader = new ConsentReader(store);
    const decisions = new Decisions(snapshots, commits, store.clock, parts.metrics, tokens, reader, onRelied);
    closing.push(() => decisions.drain());
    const { app, door, mount } = await createApp(parts, decisions);
    closing.push(() => app.close());
    await listen(app, options);
    closing.push(
      () => door.drain(),
      () => mount.drain(),
      () => stopListening(app.getHttpServer()),
    );
    const url = urlOf(app.getHttpServer(), options.host);
    parts.address.url = options.publicUrl ?? url;
    notifier.start();
    // Last of all: what is shown only once must not be lost because a port was taken.
    const firstKeys = await bootstrap(store, tenant, keyCheck, options);
    await snapshots.refresh(tenant, Infinity);
    return { url, publicUrl: parts.address.url, firstKeys, stop: close };
  } catch (error) {
    await close().catch(() => undefined);
    throw error;
  }
}

/** What the decision routes need besides, which stand before the application. */
interface FrontParts {
  readonly gate: Gate;
  readonly uses: LastUses;
  readonly consentUses: LastUses;
  readonly refusedEvents: CountedEvents;
  readonly refusedRequests: CountedEvents;
}

function assemble(
  store: Store,
  snapshots: Snapshots,
  tenant: string,
  keyCheck: KeyCheck,
  consentMetrics: ConsentMetrics,
  options: ServiceOptions,
): Parts & FrontParts & OAuthParts {
  const { log, trustedProxies, attempts, privateIdentityProviders = 'home' } = options;
  const { pepper } = keyCheck;
  const limits = new AbuseLimits(attempts);
  const refusedEvents = countedEvents(store, log, 'credential_refused');
  const refusedSignIns = countedEvents(store, log, 'sign_in_refused');
  const refusedRequests = countedEvents(store, log, 'consent');
  const refusals = new RefusedCredentials(limits, refusedEvents);
  const uses = new LastUses((of, used) => writeCredentialUses(store, of, used), log);
  const written = new ConsentStore(store);
  const writeConsents = (of: string, used: Parameters<ConsentStore['used']>[1]) => written.used(of, used);
  const consentUses = new LastUses(writeConsents, log, undefined, CONSENT_USES);
  const address = new PublicAddress();
  const accessTokens = new AccessTokens(store, oauthPepper(keyCheck));
  const gate = new Gate(store, snapshots, keyCheck, limits, refusals, (value) => accessTokens.find(value));
  const tokenNamed = accessTokens.named.bind(accessTokens);
  const tokens = new TokenPrincipals(store, snapshots, tokenNamed, personalRights(store, snapshots));
  const addresses = new ClientAddresses(trustedProxies);
  const personSessions = new PersonSessions(store, new SessionStore(store), snapshots, keyCheck, limits, addresses);
  const sessions = new SessionAuthenticator(store, snapshots, personSessions, address);
  const authenticator = new Authenticator(store, snapshots, gate, uses, tokens, sessions);
  const changes = new Changes(store, snapshots, authenticator);
  const consents = assembleConsents(
    store,
    snapshots,
    authenticator,
    address,
    keyCheck,
    refusedRequests,
    consentMetrics,
    (error) => log.error('consents that cannot apply any more could not be ended', error),
  );
  changes.onDocuments = (of) => consents.settlement.soon(of);
  const outgoing = new Outgoing(privateIdentityProviders, tenant);
  const keySets = new KeySets(outgoing);
  const verifier = new TokenVerifier(keySets, parseJson);
  const signingKeys = new SigningKeys(store, changes, pepper);
  const tenantNames = new TenantNames(store);
  snapshots.onForget((gone, why) => {
    if (why !== 'gone') return;
    gate.forget(gone);
    tenantNames.forget(gone);
    keySets.forget(gone);
  });
  return {
    signIn: {
      outgoing,
      verifier,
      secrets: options.secrets ?? NamedSecrets.NONE,
      clientKey: clientKeyOf(signingKeys),
      personSessions,
      sessionAuthenticator: sessions,
      refusedSignIns,
    },
    store,
    snapshots,
    keyCheck,
    gate,
    uses,
    refusedEvents,
    refusedRequests,
    consents,
    consentUses,
    refusals,
    limits,
    addresses,
    home: tenant,
    tenantNames,
    log,
    verifier,
    authenticator,
    changes,
    signingKeys,
    personSessions,
    assertions: verifier,
    homeTenant: DEFAULT_TENANT,
    devicePollSeconds: options.devicePollSeconds ?? 5,
    guard: endpointGuard(limits),
    addressOf: (request) => addresses.of(request),
    readiness: new Readiness(store, snapshots, tenant),
    metrics: new Metrics(
      () =>
        snapshots.watched().flatMap((watched) => {
          const held = snapshots.held(watched);
          return held ? [{ tenant: watched, revision: held.revision, epoch: held.epoch }] : [];
        }),
      [consentMetrics],
    ),
    address,
  };
}

/** Events that anybody may cause, of one kind, for the ledgers of tenants. */
const countedEvents = (
  store: Store,
  log: Log,
  kind: 'credential_refused' | 'sign_in_refused' | 'consent',
): CountedEvents =>
  new CountedEvents(
    (tenant, content) => recordEvent(store, tenant, kind, content),
    (error, count) => log.error('what was refused could not be recorded', error, { kind, count }),
  );

/** The HTTP application, not listening yet; the decision routes and the authorization servers stand before it. */
async function createApp(
  parts: Parts & FrontParts & OAuthParts,
  decisions: Decisions,
): Promise<{ app: NestExpressApplication; door: FrontDoor; mount: OAuthMount }> {
  const app = await NestFactory.create<NestExpressApplication>(AppModule.of(parts), {
    bodyParser: false,
    logger: false,
    abortOnError: false,
  });
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(requestContext(parts.metrics), requestBody);
  const { address, consents, keyCheck, snapshots, store } = parts;
  const routes = [
    ...mcpRoutes(decisions, address),
    ...authzenRoutes(decisions, new PageTokens(keyCheck.pepper), address),
    ...requestRoutes({ decisions, snapshots, store, address, ...consents }),
  ];
  documentApi(app, declaredRoutes(app));
  await app.init();
  const door = new FrontDoor(routes, parts.gate, parts.addresses, parts.uses, parts.log, parts.metrics, parts.address);
  const mount = mountOAuth(parts);
  const server = app.getHttpServer();
  const [nest] = server.listeners('request') as Parameters<FrontDoor['before']>;
  server.removeAllListeners('request').on('request', door.before(mount.before(nest)));
  return { app, door, mount };
}

async function listen(app: NestExpressApplication, { host, port }: ServiceOptions): Promise<void> {
  const server = app.getHttpServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(new ListenError(describeListenError(error, host, port))),
    );
    server.listen(port, host, resolve);
  });
}

function describeListenError({ code, message }: NodeJS.ErrnoException, host: string, port: number): string {
  if (code === 'EADDRINUSE')
    return `Port ${port} on ${host} is taken. Stop what uses it, or set PLACET_PORT to another port.`;
  if (code === 'EACCES') return `Port ${port} may not be used by this user. Set PLACET_PORT to one above 1023.`;
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return `${host} is no address of this machine. Set PLACET_HOST to one that is.`;
  return `The service cannot listen on ${host}:${port} (${code ?? message}).`;
}

function urlOf(server: Server, host: string): string {
  const { port } = server.address() as AddressInfo;
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
}

/**
 * New connections are refused, idle ones ended; requests under way go on. A connection whose last request ends only now is
 * idle from then on, and would otherwise be waited for until its time is up.
 */
async function stopListening(server: Server): Promise<void> {
  const sweeping = setInterval(() => server.closeIdleConnections(), 20);
  server.close(() => clearInterval(sweeping));
  server.closeIdleConnections();
}

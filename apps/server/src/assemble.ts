import { NamedSecrets } from '#config';
import { AbuseLimits, parseJson } from '#http';
import { KeySets, Outgoing, TokenVerifier, type KeyCheck } from '#identity';
import type { Snapshots } from '#snapshot';
import { ConsentStore, CountedEvents, recordEvent, SessionStore, writeCredentialUses, type Store } from '#store';
import { Changes } from './admin/changes.js';
import { FourEyes } from './admin/four-eyes.js';
import type { Parts } from './app.module.js';
import { assembleConsents } from './consents.js';
import { Authenticator } from './http/authenticator.js';
import { ClientAddresses } from './http/client-address.js';
import { Gate } from './http/gate.js';
import { CONSENT_USES, LastUses } from './http/last-uses.js';
import { PublicAddress } from './http/public-address.js';
import { RefusedCredentials } from './http/refused-credentials.js';
import { TenantNames } from './http/tenant-names.js';
import { TokenPrincipals } from './http/token-principals.js';
import { AccessTokens } from './oauth/access-tokens.js';
import { oauthPepper } from './oauth/adapter.js';
import { endpointGuard, type OAuthParts } from './oauth/assemble.js';
import { personalRights } from './oauth/personal-rights.js';
import { SigningKeys } from './oauth/signing-keys.js';
import type { ConsentMetrics } from './operations/consent-metrics.js';
import type { Log } from './operations/log.js';
import { Metrics } from './operations/metrics.js';
import { Readiness } from './operations/readiness.js';
import { DEFAULT_TENANT, type ServiceOptions } from './service-options.js';
import { clientKeyOf } from './sign-in/client-key.js';
import { Directories } from './sign-in/ldap/directories.js';
import { DirectoryReader } from './sign-in/ldap/directory-reader.js';
import { PersonSessions } from './sign-in/person-sessions.js';
import { SamlKeys } from './sign-in/saml/saml-keys.js';
import { SessionAuthenticator } from './sign-in/session-authenticator.js';

/** What the decision routes need besides, which stand before the application. */
interface FrontParts {
  readonly gate: Gate;
  readonly uses: LastUses;
  readonly consentUses: LastUses;
  readonly refusedEvents: CountedEvents;
  readonly refusedRequests: CountedEvents;
}

/** What a service consists of, beside its decisions. */
export type ServiceParts = Parts & FrontParts & OAuthParts;

/** Puts the parts together; nothing of them runs yet. */
export function assemble(
  store: Store,
  snapshots: Snapshots,
  tenant: string,
  keyCheck: KeyCheck,
  consentMetrics: ConsentMetrics,
  options: ServiceOptions,
): ServiceParts {
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
  const changes = new Changes(store, snapshots, authenticator, new FourEyes(store, options.fourEyesWaived));
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
  const named = options.secrets ?? NamedSecrets.NONE;
  const directories = new Directories({ outgoing, secrets: named, now: () => store.clock.now() });
  const reader = new DirectoryReader({ store, snapshots, changes, directories, log });
  return {
    signIn: {
      outgoing,
      directories: { directories, reader },
      verifier,
      secrets: named,
      clientKey: clientKeyOf(signingKeys),
      samlKeys: new SamlKeys(store, changes, pepper),
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

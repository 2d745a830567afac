import type { Provider } from '@nestjs/common';
import type { ClientAuth } from 'openid-client';
import { AbuseLimits } from '#http';
import { type TokenVerifier, type KeyCheck, type Outgoing } from '#identity';
import { Snapshots } from '#snapshot';
import { SessionStore, type CountedEvents, type Store } from '#store';
import type { Changes } from '../admin/changes.js';
import { SignInTestsService } from '../admin/sign-in-tests/sign-in-tests.service.js';
import type { ClientAddresses } from '../http/client-address.js';
import type { PublicAddress } from '../http/public-address.js';
import { Log } from '../operations/log.js';
import type { TenantNames } from '../http/tenant-names.js';
import { Connectors, type NamedSecretsOf } from './connectors.js';
import { Doorway } from './doorway.js';
import type { Directories } from './ldap/directories.js';
import type { DirectoryReader } from './ldap/directory-reader.js';
import { passwordAttempts } from './ldap/password-attempts.js';
import { PasswordController } from './ldap/password.controller.js';
import { LogoutTokens } from './logout-tokens.js';
import { PersonSessions } from './person-sessions.js';
import { RefusedSignIns } from './refused-sign-ins.js';
import { SamlKeys } from './saml/saml-keys.js';
import { SamlMetadataController, ServiceMetadataOf } from './saml/saml-metadata.controller.js';
import { SessionAuthenticator } from './session-authenticator.js';
import { SignInController } from './sign-in.controller.js';
import { SignInService } from './sign-in.service.js';
import { SignOutController, SignOuts } from './sign-out.controller.js';
import { SignInTestController } from './test/sign-in-test.controller.js';
import { SignInTests } from './test/sign-in-tests.js';

/** What signing in is made of. */
export interface SignInParts {
  readonly store: Store;
  readonly snapshots: Snapshots;
  readonly keyCheck: KeyCheck;
  readonly address: PublicAddress;
  readonly addresses: ClientAddresses;
  readonly tenantNames: TenantNames;
  readonly limits: AbuseLimits;
  readonly outgoing: Pick<Outgoing, 'for'>;
  readonly verifier: TokenVerifier;
  readonly secrets: NamedSecretsOf;
  readonly clientKey: (tenant: string) => Promise<ClientAuth | undefined>;
  readonly samlKeys: SamlKeys;
  readonly personSessions: PersonSessions;
  readonly sessionAuthenticator: SessionAuthenticator;
  readonly changes: Changes;
  readonly refusedSignIns: CountedEvents;
  readonly directories: { readonly directories: Directories; readonly reader: DirectoryReader };
  readonly log: Log;
}

export const SIGN_IN_CONTROLLERS = [
  PasswordController,
  SignInTestController,
  SignInController,
  SignOutController,
  SamlMetadataController,
];

export function signInProviders(parts: SignInParts): Provider[] {
  const { store, snapshots, keyCheck, address, addresses, log } = parts;
  const sessions = new SessionStore(store);
  // Where the API is only described there is nothing behind it.
  const { directories, reader } = parts.directories ?? ({} as SignInParts['directories']);
  const connectors = new Connectors({
    directories,
    passwords: ({ id, name }) => ({
      attempts: passwordAttempts(id, parts.limits, sessions),
      bringUp: (issuer) => reader.bringUp(id, name, issuer),
    }),
    outgoing: parts.outgoing,
    secrets: parts.secrets,
    clientKey: parts.clientKey,
    samlKeys: parts.samlKeys,
    address,
    useOnce: (tenant, mac, until) => sessions.useOnce(tenant, mac, until),
    now: () => store.clock.now(),
  });
  const tests = new SignInTests(store, keyCheck);
  const logoutTokens = new LogoutTokens(store, sessions, snapshots, parts.verifier, parts.changes);
  return [
    { provide: Snapshots, useValue: snapshots },
    { provide: Doorway, useValue: new Doorway(parts.tenantNames, address, addresses) },
    { provide: Log, useValue: log },
    { provide: AbuseLimits, useValue: parts.limits },
    { provide: PersonSessions, useValue: parts.personSessions },
    { provide: SessionAuthenticator, useValue: parts.sessionAuthenticator },
    { provide: RefusedSignIns, useValue: new RefusedSignIns(parts.refusedSignIns, log) },
    {
      provide: SignInService,
      useValue: new SignInService(store, sessions, snapshots, connectors, keyCheck, address, tests),
    },
    { provide: SignInTests, useValue: tests },
    {
      provide: SignInTestsService,
      useValue: new SignInTestsService(store, snapshots, connectors, tests, address),
    },
    { provide: SamlKeys, useValue: parts.samlKeys },
    { provide: ServiceMetadataOf, useValue: new ServiceMetadataOf(snapshots, parts.samlKeys, address) },
    { provide: SignOuts, useValue: new SignOuts(sessions, keyCheck) },
    { provide: LogoutTokens, useValue: logoutTokens },
  ];
}

import { Module, type DynamicModule } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_PIPE, Reflector } from '@nestjs/core';
import {
  AskedRequests,
  ConsentAnswers,
  ConsentRequests,
  Consents,
  Delegations,
  type ConsentSettlement,
} from '#consent';
import { AccessQuestions } from '#decision';
import type { AbuseLimits } from '#http';
import type { KeyCheck, TokenVerifier } from '#identity';
import type { Snapshots } from '#snapshot';
import { RecordReader, SessionStore, type Store } from '#store';
import { AccessReviewController } from './admin/access-review/access-review.controller.js';
import { AccessReviewService } from './admin/access-review/access-review.service.js';
import { AccessController } from './admin/access/access.controller.js';
import type { Changes } from './admin/changes.js';
import { ClientsController } from './admin/clients/clients.controller.js';
import { ClientsService } from './admin/clients/clients.service.js';
import { RecordedDecisionsController } from './admin/decisions/recorded-decisions.controller.js';
import { RecordedDecisionsService } from './admin/decisions/recorded-decisions.service.js';
import { Activity, ActivityController } from './admin/consents/activity.controller.js';
import { ConnectorTokensController } from './admin/connector-tokens/connector-tokens.controller.js';
import { ConnectorTokensService } from './admin/connector-tokens/connector-tokens.service.js';
import { ConsentsController } from './admin/consents/consents.controller.js';
import { DelegationsController } from './admin/consents/delegations.controller.js';
import { OwnConsentsController } from './admin/consents/own-consents.controller.js';
import { Receipts } from './admin/consents/receipts.js';
import { ApprovalsController, OwnRequestsController } from './admin/consents/requests.controller.js';
import { SuggestionsController, SuggestionsService } from './admin/consents/suggestions.controller.js';
import { DocumentsController } from './admin/documents/documents.controller.js';
import { DocumentsService } from './admin/documents/documents.service.js';
import { DraftsController } from './admin/drafts/drafts.controller.js';
import { DraftsService } from './admin/drafts/drafts.service.js';
import { KeyPatternController } from './admin/keys/key-pattern.controller.js';
import { KeysController } from './admin/keys/keys.controller.js';
import { KeysService } from './admin/keys/keys.service.js';
import { MappingsController } from './admin/mappings/mappings.controller.js';
import { MappingsService } from './admin/mappings/mappings.service.js';
import { MeController } from './admin/me/me.controller.js';
import { OwnSessionsController } from './admin/people/own-sessions.controller.js';
import { PeopleController } from './admin/people/people.controller.js';
import { PeopleService } from './admin/people/people.service.js';
import { RevisionsController } from './admin/revisions/revisions.controller.js';
import { RevisionsService } from './admin/revisions/revisions.service.js';
import { SamlKeysController } from './admin/signing-keys/saml-keys.controller.js';
import { SigningKeysController } from './admin/signing-keys/signing-keys.controller.js';
import { SignInTestsController } from './admin/sign-in-tests/sign-in-tests.controller.js';
import { SuspensionsController } from './admin/suspensions/suspensions.controller.js';
import { SuspensionsService } from './admin/suspensions/suspensions.service.js';
import { AnsweringController } from './answering/answering.controller.js';
import { Visitors } from './answering/visitors.js';
import { MetadataController } from './fronts/authzen/metadata.controller.js';
import { ReviewLinks } from './fronts/requests/review-links.js';
import { TasksController } from './fronts/requests/tasks.controller.js';
import { TenantsController } from './admin/tenants/tenants.controller.js';
import { TenantsService } from './admin/tenants/tenants.service.js';
import { Authenticator } from './http/authenticator.js';
import type { ClientAddresses } from './http/client-address.js';
import { PublicAddress } from './http/public-address.js';
import { TenantNames } from './http/tenant-names.js';
import { ProblemFilter, RightsGuard, SchemaPipe } from './http/nest.js';
import type { Log } from './operations/log.js';
import { Metrics } from './operations/metrics.js';
import { SchemasController } from './openapi/schemas.controller.js';
import { OperationsController } from './operations/operations.controller.js';
import { Readiness } from './operations/readiness.js';
import { SigningKeys } from './oauth/signing-keys.js';
import { SCIM_CONTROLLERS, scimProviders } from './scim/scim.module-parts.js';
import { Doorway } from './sign-in/doorway.js';
import { PersonSessions } from './sign-in/person-sessions.js';
import { SessionAuthenticator } from './sign-in/session-authenticator.js';
import { SIGN_IN_CONTROLLERS, signInProviders, type SignInParts } from './sign-in/sign-in.module-parts.js';

/** What asks people, takes their answers, and says where they are given. */
export interface ConsentParts {
  readonly requests: ConsentRequests;
  readonly asked: AskedRequests;
  readonly answers: ConsentAnswers;
  readonly consents: Consents;
  readonly settlement: ConsentSettlement;
  readonly delegations: Delegations;
  readonly links: ReviewLinks;
}

/** What the service is made of; main.ts and the tests put it together once. */
export interface Parts {
  readonly store: Store;
  readonly snapshots: Snapshots;
  readonly tenantNames: TenantNames;
  readonly keyCheck: KeyCheck;
  readonly authenticator: Authenticator;
  readonly changes: Changes;
  readonly signingKeys: SigningKeys;
  readonly addresses: ClientAddresses;
  readonly limits: AbuseLimits;
  readonly readiness: Readiness;
  readonly metrics: Metrics;
  readonly address: PublicAddress;
  /** The tenant whose operators manage the tenants. */
  readonly home: string;
  readonly log: Log;
  readonly consents: ConsentParts;
  /** Who verifies the tokens of identity providers. */
  readonly verifier: TokenVerifier;
  /** How people sign in. */
  readonly signIn: Omit<
    SignInParts,
    'store' | 'snapshots' | 'keyCheck' | 'address' | 'addresses' | 'tenantNames' | 'limits' | 'changes' | 'log'
  >;
}

/** Everything but the decision routes, which the front door answers before Nest. */
@Module({})
export class AppModule {
  static of(parts: Parts): DynamicModule {
    const { store, snapshots, tenantNames, keyCheck, authenticator, addresses, changes, verifier } = parts;
    // Where the API is only described there is nothing behind it.
    const { readiness, metrics, address, home, log, signIn, limits, consents = {} as ConsentParts } = parts;
    return {
      module: AppModule,
      controllers: [
        DocumentsController,
        DraftsController,
        RevisionsController,
        KeysController,
        ClientsController,
        ConnectorTokensController,
        SigningKeysController,
        SamlKeysController,
        KeyPatternController,
        SuspensionsController,
        AccessController,
        AccessReviewController,
        MappingsController,
        SignInTestsController,
        RecordedDecisionsController,
        MeController,
        TenantsController,
        MetadataController,
        OperationsController,
        SchemasController,
        PeopleController,
        OwnSessionsController,
        OwnRequestsController,
        // Before the consents, whose paths would take its name for an id.
        SuggestionsController,
        OwnConsentsController,
        ActivityController,
        ConsentsController,
        DelegationsController,
        ApprovalsController,
        TasksController,
        ...SIGN_IN_CONTROLLERS,
        ...SCIM_CONTROLLERS,
        AnsweringController,
      ],
      providers: [
        { provide: DocumentsService, useFactory: () => new DocumentsService(store, snapshots, changes, home) },
        {
          provide: DraftsService,
          inject: [DocumentsService],
          useFactory: (documents: DocumentsService) => new DraftsService(store, snapshots, changes, documents),
        },
        {
          provide: RevisionsService,
          inject: [DocumentsService],
          useFactory: (documents: DocumentsService) => new RevisionsService(store, snapshots, documents),
        },
        { provide: AccessReviewService, useFactory: () => new AccessReviewService(store, authenticator) },
        { provide: KeysService, useFactory: () => new KeysService(store, snapshots, changes, keyCheck) },
        { provide: ClientsService, useFactory: () => new ClientsService(store, snapshots, changes, keyCheck) },
        {
          provide: ConnectorTokensService,
          useFactory: () => new ConnectorTokensService(store, snapshots, changes, keyCheck),
        },
        { provide: SigningKeys, useValue: parts.signingKeys },
        { provide: PeopleService, useFactory: () => new PeopleService(store, snapshots, changes) },
        { provide: SuspensionsService, useFactory: () => new SuspensionsService(store, snapshots, changes) },
        { provide: AskedRequests, useFactory: () => consents.asked },
        { provide: ConsentAnswers, useFactory: () => consents.answers },
        { provide: ConsentRequests, useFactory: () => consents.requests },
        { provide: ReviewLinks, useFactory: () => consents.links },
        { provide: SuggestionsService, useFactory: () => new SuggestionsService(store, snapshots) },
        { provide: Consents, useFactory: () => consents.consents },
        { provide: Delegations, useFactory: () => consents.delegations },
        { provide: Activity, useFactory: () => new Activity(new RecordReader(store)) },
        { provide: Receipts, useFactory: () => new Receipts(store, parts.signingKeys, address) },
        { provide: SessionStore, useFactory: () => new SessionStore(store) },
        {
          provide: Visitors,
          inject: [Doorway, PersonSessions, SessionAuthenticator],
          useFactory: (doorway: Doorway, sessions: PersonSessions, authenticator: SessionAuthenticator) =>
            new Visitors(doorway, sessions, authenticator, keyCheck),
        },
        { provide: AccessQuestions, useFactory: () => new AccessQuestions(snapshots, store) },
        { provide: MappingsService, useFactory: () => new MappingsService(store, snapshots, verifier) },
        { provide: RecordedDecisionsService, useFactory: () => new RecordedDecisionsService(store) },
        ...signInProviders({
          ...signIn,
          store,
          snapshots,
          keyCheck,
          address,
          addresses,
          tenantNames,
          limits,
          changes,
          log,
        }),
        {
          provide: TenantsService,
          useFactory: () => new TenantsService(store, snapshots, authenticator, keyCheck, home),
        },
        ...scimProviders(store, snapshots, changes, log),
        { provide: TenantNames, useValue: tenantNames },
        { provide: Metrics, useValue: metrics },
        { provide: Readiness, useValue: readiness },
        { provide: PublicAddress, useValue: address },
        {
          provide: APP_GUARD,
          inject: [Reflector],
          useFactory: (reflector: Reflector) => new RightsGuard(reflector, authenticator, addresses, home),
        },
        { provide: APP_PIPE, useClass: SchemaPipe },
        { provide: APP_FILTER, useFactory: () => new ProblemFilter(log, address) },
      ],
    };
  }
}

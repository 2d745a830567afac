export { prepareDatabase, ensureTenant, type DatabaseAddress } from './database.js';
export type { Connection } from './connection.js';
export type { DatabaseClock } from './database-clock.js';
export { Store } from './store.js';
export { StoreError, type StoreErrorCode } from './errors.js';
export {
  loadCredential,
  loadTenant,
  type StoredCredential,
  type StoredDenial,
  type TenantDelta,
  type PresentNumbers,
  type TenantNumbers,
} from './tenant-state.js';
export {
  commitChange,
  type Change,
  type ChangeNote,
  type ChangeOutcome,
  type DraftContent,
  type Operation,
  type RightsProof,
} from './change.js';
export { DecisionCommits, type CommitAnswer, type DecisionEntry, type RefusalReason } from './decision-commit.js';
export {
  ConsentReader,
  type AgreedConsentRow,
  type ConsentAnswer,
  type LiveConsents,
  type ConsentRequestStatus,
  type ConsentRow,
  type StoredConsentRequest,
  type UsedConsentRow,
} from './consent-reader.js';
export {
  ConsentStore,
  type AnswerOutcome,
  type ConsentActor,
  type ConsentBudgets,
  type NewConsent,
  type NewConsentRequest,
  type OpenedRequest,
  type WhichConsents,
} from './consent-store.js';
export { ConsentStatistics, type AnsweredRule, type AnsweredThing } from './consent-statistics.js';
export { NotificationQueue, type ClaimedNotification, type SettledNotification } from './notification-queue.js';
export {
  CONSENT_STATES,
  ConsentView,
  type ConsentDetail,
  type ConsentListing,
  type GivenFor,
  type ListedConsents,
  type WhosePerson,
} from './consent-view.js';
export { DelegationStore, type Delegation, type Delegator } from './delegation-store.js';
export { ChangeFeed, type ChangeListener } from './change-feed.js';
export { DocumentReader, type StoredVersion } from './document-reader.js';
export { RecordReader, type RecordOfSubject } from './record-reader.js';
export {
  DraftReader,
  type ChangedDocument,
  type DraftEye,
  type DraftListing,
  type StoredDraft,
} from './draft-reader.js';
export { RevisionReader, type RevisionEntry, type StateChange } from './revision-reader.js';
export { CredentialReader, type CredentialListing } from './credential-reader.js';
export { OAuthStore, type StoredOAuthState } from './oauth-store.js';
export { SigningKeyStore, type StoredSigningKey } from './signing-key-store.js';
export { ClientReader, type ClientListing } from './client-reader.js';
export { SessionStore, type FoundSession, type StoredSession } from './session-store.js';
export { SignInTestStore, type SignInTestState } from './sign-in-test-store.js';
export { DirectoryStore, type DirectorySaid, type DirectoryTurn, type StoredDirectory } from './directory-store.js';
export { PersonReader, type PersonDetail, type PersonListing, type SessionListing } from './person-reader.js';
export {
  ProvisioningReader,
  type ScimPage,
  type ScimReference,
  type StoredScimGroup,
  type StoredScimUser,
} from './provisioning-reader.js';
export { ConnectorTokenReader, type ConnectorTokenListing } from './connector-token-reader.js';
export { writeCredentialUses } from './credential-use.js';
export { recordEvent } from './events.js';
export { Sweep } from './sweep.js';
export { CountedEvents } from './counted-events.js';
export { exportTenant } from './tenant-export.js';
export { reviewAccess, type AccessGrant, type ReviewedIdentity, type ReviewedPerson } from './access-review.js';
export {
  LONGEST_NAME,
  OperationRefused,
  TENANT_NAME,
  Tenants,
  type OperationRefusal,
  type Operator,
  type Quotas,
  type TenantListing,
} from './tenants.js';

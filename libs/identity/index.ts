export {
  abilityOf,
  covers,
  isSameAbility,
  may,
  mayOnSome,
  packed,
  type AdministratorAbility,
} from './administration/ability.js';
export { DOCUMENT_OBJECTS, SUSPENDABLE_OBJECTS } from './administration/built-in.js';
export { exceeding, foreignWorkload } from './administration/grants.js';
export { administratorOf } from './administration/people.js';
export { hasOwner, ownersOf, rolesOfCredential } from './administration/owners.js';
export {
  API_KEY_PATTERN,
  ENVIRONMENT,
  generateApiKey,
  generateSecret,
  macOf,
  parseApiKey,
  sameMac,
  sameSecret,
  type ApiKey,
} from './api-key.js';
export {
  administratorAgain,
  connectorOf,
  isGood,
  mayBeUsedFrom,
  principalOf,
  refusedKey,
  UnauthenticatedError,
  type KeyCheck,
  type PresentedKey,
  type RefusedCredential,
} from './authenticate.js';
export { capabilityRules } from './capability-rules.js';
export { KeyReader } from './key-reader.js';
export {
  principalName,
  type AdministratorPrincipal,
  type ConnectorPrincipal,
  type HostPrincipal,
  type Principal,
  type SignInAssurance,
} from './principal.js';
export {
  administratorRightsSchema,
  HOST_SCOPES,
  hostRightsSchema,
  type AdministratorRights,
  type HostRights,
  type HostScope,
} from './rights.js';
export {
  checkTokenScope,
  checkStands,
  isToken,
  principalAt,
  ScopeError,
  type AccessToken,
  type Presented,
  type PresentedToken,
} from './access-token.js';
export * from './sessions/index.js';
export { Networks, normalAddress, normalNetwork, partyOf, UNKNOWN_ADDRESS } from './networks.js';
export { Outgoing, type OutgoingFetch } from './outgoing.js';
export { SignatureError, signText, verifiedText } from './signed-text.js';
export { derivedKey, digestOf, seal, unseal } from './seal.js';
export { isPersonSuspended } from './suspended.js';
export {
  audiencesOf,
  fetchKeys,
  IdentityProviderUnavailable,
  KeySets,
  saidKeyOf,
  TokenRefused,
  TokenVerifier,
  TOLERANCE_MS,
  type VerifiedToken,
} from './tokens/index.js';

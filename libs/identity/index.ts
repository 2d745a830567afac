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
export { exceeding } from './administration/grants.js';
export { hasOwner, rolesOfCredential } from './administration/owners.js';
export { ENVIRONMENT, generateApiKey, generateSecret, macOf, parseApiKey, type ApiKey } from './api-key.js';
export {
  administratorAgain,
  principalOf,
  UnauthenticatedError,
  type KeyCheck,
  type PresentedKey,
} from './authenticate.js';
export { KeyReader } from './key-reader.js';
export {
  principalName,
  type AdministratorPrincipal,
  type HostPrincipal,
  type Principal,
  type ProvenAdministrator,
  type SignInAssurance,
} from './principal.js';
export { administratorRightsSchema, hostRightsSchema, type HostRights } from './rights.js';
export { Networks, normalAddress, normalNetwork, partyOf, UNKNOWN_ADDRESS } from './networks.js';

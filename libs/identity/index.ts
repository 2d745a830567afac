export { ENVIRONMENT, generateApiKey, generateSecret, macOf, parseApiKey, sameMac, type ApiKey } from './api-key.js';
export {
  administratorAgain,
  principalOf,
  UnauthenticatedError,
  type KeyCheck,
  type PresentedKey,
} from './authenticate.js';
export { KeyReader } from './key-reader.js';
export { principalName, type AdministratorPrincipal, type HostPrincipal, type Principal } from './principal.js';
export { administratorRightsSchema, hostRightsSchema, type HostRights } from './rights.js';
export { derivedKey, digestOf, seal, SealError, unseal } from './seal.js';
export {
  checkScope,
  checkStands,
  isToken,
  principalAt,
  ScopeError,
  SCOPES,
  type AccessToken,
  type CallerState,
  type Presented,
  type PresentedToken,
} from './access-token.js';

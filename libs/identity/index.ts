export { ENVIRONMENT, generateApiKey, generateSecret, macOf, parseApiKey, type ApiKey } from './api-key.js';
export { principalOf, UnauthenticatedError, type KeyCheck, type PresentedKey } from './authenticate.js';
export { KeyReader } from './key-reader.js';
export type { AdministratorPrincipal, HostPrincipal, Principal } from './principal.js';
export { administratorRightsSchema, hostRightsSchema, type HostRights } from './rights.js';

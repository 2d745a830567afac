export { audiencesOf, TOLERANCE_MS, type TokenUse } from './claims.js';
export { KeySets } from './key-sets.js';
export type { ParseJson } from './read-token.js';
export { IdentityProviderUnavailable, TokenRefused, type TokenFault } from './refusal.js';
export { TokenVerifier, type Verification, type VerifiedToken } from './token-verifier.js';

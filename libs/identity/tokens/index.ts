export { audiencesOf, TOLERANCE_MS } from './claims.js';
export { fetchKeys } from './fetch-keys.js';
export { KeySets } from './key-sets.js';
export { IdentityProviderUnavailable, TokenRefused } from './refusal.js';
export { saidKeyOf } from './token-key.js';
export { TokenVerifier, type VerifiedToken } from './token-verifier.js';

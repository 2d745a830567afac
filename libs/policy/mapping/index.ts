export { groupsOf, type TokenGroups } from './groups.js';
export { identityOf, unmetRequirement } from './identity.js';
export { mapClaims, type Mapped, type MappedRole, type MappingOutcome, type MappingReason } from './map-claims.js';
export { claimAt } from './pointer.js';

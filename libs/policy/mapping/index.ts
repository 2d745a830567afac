export { groupsClaim, groupsOfPerson, type TokenGroups } from './groups.js';
export { identityClaim, identityOf, unmetRequirement } from './identity.js';
export { mapClaims, type Mapped, type MappedRole } from './map-claims.js';

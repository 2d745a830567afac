export { choicesOf, ONCE_MS, reachOf, type ConsentChoice } from './choices.js';
export { entitlementOf, mayStandIn, type Concerned, type Entitlement } from './entitled.js';
export { namesOf, personAt, type KnownPerson, type SignedInPerson } from './person.js';
export { standingConsents, weighAgreements, type Agreed, type StoredConsent } from './standing.js';

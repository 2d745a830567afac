export { choicesOf, lengthOf, LONGEST_UNSAID_MS, ONCE_MS, reachOf, type ConsentChoice, type Reach } from './choices.js';
export { entitlementOf, mayStandIn, type Concerned, type Entitlement } from './entitled.js';
export { namesOf, personAt, type KnownPerson, type SignedInPerson } from './person.js';
export { standingConsents, type Agreed, type StandingConsents, type StoredConsent } from './standing.js';

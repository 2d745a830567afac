export { type Reach } from './addresses.js';
export { allowedHost, isAllowed, type AllowedHost } from './allowed-hosts.js';
export { Lookups } from './lookups.js';
export { addressesOf } from './reach-out.js';
export { isLoopbackUrl, OutgoingError, sendOut, type OutgoingOptions, type WayOut } from './send.js';

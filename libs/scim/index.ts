export { GROUP, USER, type ResourceKind } from './attributes.js';
export { MAX_RESULTS, resourceTypes, schemas, serviceProviderConfig } from './discovery.js';
export { ScimError } from './error.js';
export { readFilter, type Filter } from './filter.js';
export { patchGroup, type GroupEdit } from './patch-group.js';
export { patchUser } from './patch-user.js';
export { readGroup, readUser, type UserValues } from './resource.js';

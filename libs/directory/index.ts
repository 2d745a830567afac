export { Directory, type Reading } from './directory.js';
export { DirectoryError, type DirectoryReason } from './errors.js';
export { type DirectoryStep } from './parts.js';
export { type DirectoryPerson } from './people.js';

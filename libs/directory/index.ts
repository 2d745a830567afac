export { Directory, type DirectoryParts, type DirectoryPerson, type Reading } from './directory.js';
export { DirectoryError, type DirectoryReason } from './errors.js';

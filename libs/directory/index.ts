export { Directory, type DirectoryPerson, type Reading } from './directory.js';
export { DirectoryError, type DirectoryReason } from './errors.js';

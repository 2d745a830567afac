export { resolveRealpath } from './resolve-realpath.js';

export { startEmbeddedPostgres, type EmbeddedPostgres } from './start.js';
export { EmbeddedPostgresError } from './error.js';

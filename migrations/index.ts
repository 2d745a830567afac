import { Credentials0003 } from './0003-credentials.js';
import { Documents0002 } from './0002-documents.js';
import { Ledger0004 } from './0004-ledger.js';
import { Publishing0005 } from './0005-publishing.js';
import { Tenants0001 } from './0001-tenants.js';
import { UntestedChanges0006 } from './0006-untested-changes.js';

/** Every migration, in the order in which they run. Listed and not globbed: what runs is what was reviewed. */
export const migrations = [
  Tenants0001,
  Documents0002,
  Credentials0003,
  Ledger0004,
  Publishing0005,
  UntestedChanges0006,
];

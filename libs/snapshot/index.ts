export { SnapshotError, Snapshots } from './snapshots.js';
export type { TenantSnapshot } from './tenant-snapshot.js';

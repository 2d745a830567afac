import type { Store } from './store.js';

/** Writes down when credentials of a tenant were used, by their ids, in ms since 1970. What is there and newer stays. */
export async function writeCredentialUses(
  store: Store,
  tenant: string,
  uses: readonly (readonly [credential: string, at: number])[],
): Promise<void> {
  await store.call('select placet.credentials_used($1, $2, $3)', [
    tenant,
    uses.map(([credential]) => credential),
    uses.map(([, at]) => new Date(at).toISOString()),
  ]);
}

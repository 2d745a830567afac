import { parseArgs } from 'node:util';
import { revokeConsents } from './consents.js';
import { revokeGrants } from './grants.js';
import { endPeople } from './people.js';
import { endUsers } from './scim.js';

const REPLICAS = 3;

/** Whose rights end, by the argument `--mode`. */
const MODES: Readonly<Record<string, (replicas: number, users: number) => Promise<boolean>>> = {
  grants: revokeGrants,
  people: endPeople,
  consents: revokeConsents,
  scim: endUsers,
};

/** Is a revocation true when its call returns, on every replica, whatever befalls them? */
export async function revocation(given: readonly string[]): Promise<boolean> {
  const { values } = parseArgs({
    args: [...given],
    options: { mode: { type: 'string', default: 'grants' }, users: { type: 'string', default: '10000' } },
  });
  const mode = Object.hasOwn(MODES, values.mode) ? MODES[values.mode] : undefined;
  if (mode) return mode(REPLICAS, Number(values.users));
  throw new Error(`there is no --mode ${values.mode}: it is one of ${Object.keys(MODES).join(', ')}`);
}

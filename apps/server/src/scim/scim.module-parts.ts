import type { Provider } from '@nestjs/common';
import type { Snapshots } from '#snapshot';
import type { Store } from '#store';
import { ChangeRates } from '../admin/change-rates.js';
import type { Changes } from '../admin/changes.js';
import type { Log } from '../operations/log.js';
import { ScimDiscoveryController } from './discovery.controller.js';
import { ScimGroupsController } from './groups.controller.js';
import { ScimGroups } from './groups.js';
import { Provisioning } from './provisioning.js';
import { ScimUsersController } from './users.controller.js';
import { ScimUsers } from './users.js';

export const SCIM_CONTROLLERS = [ScimUsersController, ScimGroupsController, ScimDiscoveryController];

/** Changes that a connector can make at once which has made none for a while: all of a large directory, and its groups. */
const SAVED_UP = 200_000;

/** What provisioning is made of. */
export function scimProviders(store: Store, snapshots: Snapshots, changes: Changes, log: Log): Provider[] {
  const rates = new ChangeRates(SAVED_UP);
  const provisioning = () => new Provisioning(snapshots, changes, rates, log);
  return [
    { provide: ScimUsers, useFactory: () => new ScimUsers(store, provisioning()) },
    { provide: ScimGroups, useFactory: () => new ScimGroups(store, provisioning()) },
  ];
}

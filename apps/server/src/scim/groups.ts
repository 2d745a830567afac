import { randomUUID } from 'node:crypto';
import { Refusal } from '#http';
import type { ConnectorPrincipal } from '#identity';
import { patchGroup, readGroup, ScimError, type Filter, type GroupEdit } from '#scim';
import { ProvisioningReader, type ScimPage, type Store, type StoredScimGroup } from '#store';
import type { PlannedChange } from '../admin/changes.js';
import type { RequestConditions } from '../http/nest.js';
import { keysOfUsers, type Provisioning, type ProvisionedIssuer } from './provisioning.js';
import { checkMatch } from './versions.js';

const TAKEN = 'there is another group with this externalId';

/** Groups of connectors. */
export class ScimGroups {
  readonly reader: ProvisioningReader;

  constructor(
    store: Store,
    private readonly provisioning: Provisioning,
  ) {
    this.reader = new ProvisioningReader(store);
  }

  async get({ tenant, issuer }: ConnectorPrincipal, id: string): Promise<StoredScimGroup> {
    const found = await this.reader.group(tenant, issuer, id);
    if (!found) throw noGroup(id);
    return found;
  }

  list(
    { tenant, issuer }: ConnectorPrincipal,
    filter: Filter,
    skip: number,
    most: number,
  ): Promise<ScimPage<StoredScimGroup>> {
    return this.reader.groups(tenant, issuer, filter, skip, most);
  }

  async create(connector: ConnectorPrincipal, body: unknown): Promise<StoredScimGroup> {
    const dropping = this.provisioning.dropping(connector);
    const { members = [], ...values } = readGroup(body, dropping.note);
    const id = randomUUID();
    const edit = { ...values, clears: false, add: new Set(members), remove: new Set<string>() };
    await this.provisioning.make(connector, TAKEN, ({ issuer }) =>
      this.#written(connector, issuer, id, undefined, edit),
    );
    dropping.say();
    return this.get(connector, id);
  }

  /** PUT. Members that it says nothing of stay. */
  async replace(
    connector: ConnectorPrincipal,
    id: string,
    body: unknown,
    conditions: RequestConditions,
  ): Promise<StoredScimGroup> {
    const dropping = this.provisioning.dropping(connector);
    const { members, ...values } = readGroup(body, dropping.note);
    const edit = { ...values, clears: members !== undefined, add: new Set(members), remove: new Set<string>() };
    await this.#change(connector, id, conditions, edit);
    dropping.say();
    return this.get(connector, id);
  }

  async patch(
    connector: ConnectorPrincipal,
    id: string,
    body: unknown,
    conditions: RequestConditions,
  ): Promise<StoredScimGroup> {
    const dropping = this.provisioning.dropping(connector);
    await this.#change(connector, id, conditions, patchGroup(body, dropping.note));
    dropping.say();
    return this.get(connector, id);
  }

  async remove(connector: ConnectorPrincipal, id: string, conditions: RequestConditions): Promise<void> {
    await this.provisioning.make(connector, TAKEN, async ({ issuer }) => {
      const before = await this.get(connector, id);
      checkMatch(conditions, before);
      const members = await this.reader.identities(connector.tenant, connector.issuer, id, null);
      return {
        keys: keysOfUsers(
          issuer,
          members.map(({ identity }) => identity),
        ),
        operations: [{ op: 'delete_scim_group', id, issuer: issuer.name, expectedVersion: before.version }],
      };
    });
  }

  async #change(
    connector: ConnectorPrincipal,
    id: string,
    conditions: RequestConditions,
    edit: GroupEdit,
  ): Promise<void> {
    await this.provisioning.make(connector, TAKEN, async ({ issuer }) => {
      const before = await this.get(connector, id);
      checkMatch(conditions, before);
      return this.#written(connector, issuer, id, before, edit);
    });
  }

  /**
   * The change that an edit comes to; undefined where it changes nothing. It touches whose groups it changes, and nobody else:
   * all members where the group is called otherwise.
   */
  async #written(
    { tenant, issuer: name }: ConnectorPrincipal,
    issuer: ProvisionedIssuer,
    id: string,
    before: StoredScimGroup | undefined,
    { displayName = before?.displayName, externalId = before?.externalId ?? null, clears, add, remove }: GroupEdit,
  ): Promise<PlannedChange | undefined> {
    const isRenamed = before !== undefined && (before.displayName !== displayName || before.externalId !== externalId);
    const named = await this.reader.identities(tenant, name, id, [...add, ...remove]);
    const known = new Set(named.map((user) => user.id));
    const unknown = [...add].find((one) => !known.has(one));
    if (unknown !== undefined) throw new ScimError('invalidValue', `members: there is no user ${unknown}`);
    const all = clears || isRenamed ? await this.reader.identities(tenant, name, id, null) : [];
    const coming = named.filter((user) => add.has(user.id) && !user.isMember);
    const going = [...(clears ? all : named.filter((user) => remove.has(user.id)))].filter(
      (user) => user.isMember && !add.has(user.id),
    );
    if (before && !isRenamed && coming.length === 0 && going.length === 0) return undefined;
    return {
      keys: keysOfUsers(
        issuer,
        [...coming, ...going, ...(isRenamed ? all : [])].map(({ identity }) => identity),
      ),
      operations: [
        {
          op: 'put_scim_group',
          id,
          issuer: issuer.name,
          expectedVersion: before?.version ?? 0,
          body: { displayName: displayName!, externalId },
          add: coming.map((user) => user.id),
          remove: going.map((user) => user.id),
        },
      ],
    };
  }
}

const noGroup = (id: string): Refusal => new Refusal('not_found', `there is no group ${id}`);

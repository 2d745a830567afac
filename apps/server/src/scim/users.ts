import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { Refusal } from '#http';
import type { ConnectorPrincipal } from '#identity';
import { patchUser, readUser, type Filter, type UserValues } from '#scim';
import { ProvisioningReader, type ScimPage, type Store, type StoredScimUser } from '#store';
import type { PlannedChange } from '../admin/changes.js';
import { leavingOf } from '../admin/suspensions/denials.js';
import type { RequestConditions } from '../http/nest.js';
import {
  keysOfUsers,
  subjectOfUser,
  type Provisioning,
  type ProvisioningState,
  type ProvisionedIssuer,
} from './provisioning.js';
import { checkMatch } from './versions.js';

const TAKEN = 'there is another user with this userName or externalId';

/** A user as a request leaves it: whether they are active has been settled. */
type Settled = UserValues & { readonly active: boolean };

/** Users of connectors. */
export class ScimUsers {
  readonly reader: ProvisioningReader;

  constructor(
    private readonly store: Store,
    private readonly provisioning: Provisioning,
  ) {
    this.reader = new ProvisioningReader(store);
  }

  async get({ tenant, issuer }: ConnectorPrincipal, id: string): Promise<StoredScimUser> {
    const found = await this.reader.user(tenant, issuer, id);
    if (!found) throw noUser(id);
    return found;
  }

  list(
    { tenant, issuer }: ConnectorPrincipal,
    filter: Filter,
    skip: number,
    most: number,
  ): Promise<ScimPage<StoredScimUser>> {
    return this.reader.users(tenant, issuer, filter, skip, most);
  }

  async create(connector: ConnectorPrincipal, body: unknown): Promise<StoredScimUser> {
    const dropping = this.provisioning.dropping(connector);
    const values = readUser(body, dropping.note);
    const id = randomUUID();
    await this.provisioning.make(connector, TAKEN, async (state) =>
      this.#written(state, id, undefined, { ...values, active: values.active ?? true }),
    );
    dropping.say();
    return this.get(connector, id);
  }

  /**
   * PUT. What it does not say is taken away, but for two things: whoever is inactive stays so until somebody says that they
   * are active, and what tokens call them stays what it was.
   */
  async replace(
    connector: ConnectorPrincipal,
    id: string,
    body: unknown,
    conditions: RequestConditions,
  ): Promise<StoredScimUser> {
    const dropping = this.provisioning.dropping(connector);
    const values = readUser(body, dropping.note);
    await this.#change(connector, id, conditions, (before) => ({
      ...values,
      active: values.active ?? before.active,
      ...externalIdOf(values.externalId ?? before.externalId),
    }));
    dropping.say();
    return this.get(connector, id);
  }

  async patch(
    connector: ConnectorPrincipal,
    id: string,
    body: unknown,
    conditions: RequestConditions,
  ): Promise<StoredScimUser> {
    const dropping = this.provisioning.dropping(connector);
    await this.#change(connector, id, conditions, (before) => {
      const { userName, active, attributes, externalId } = before;
      const values = { ...attributes, userName, active, ...externalIdOf(externalId) };
      return { active, ...patchUser(values, body, dropping.note) };
    });
    dropping.say();
    return this.get(connector, id);
  }

  /** Takes a user away: all that they have ends, and nothing that was issued before lets them in again. */
  async remove(connector: ConnectorPrincipal, id: string, conditions: RequestConditions): Promise<void> {
    await this.provisioning.make(connector, TAKEN, async ({ issuer, policies }) => {
      const before = await this.get(connector, id);
      checkMatch(conditions, before);
      const { identity, version } = before;
      const now = this.store.clock.now();
      return {
        keys: keysOfUsers(issuer, [identity]),
        operations: [
          { op: 'delete_scim_user', id, issuer: issuer.name, expectedVersion: version },
          ...(identity === null ? [] : leavingOf(subjectOfUser(issuer, identity), policies, now)),
        ],
      };
    });
  }

  async #change(
    connector: ConnectorPrincipal,
    id: string,
    conditions: RequestConditions,
    next: (before: StoredScimUser) => Settled,
  ): Promise<void> {
    await this.provisioning.make(connector, TAKEN, async (state) => {
      const before = await this.get(connector, id);
      checkMatch(conditions, before);
      return this.#written(state, id, before, next(before));
    });
  }

  /**
   * The change that leaves a user as it is said; undefined where they are so already.
   *
   * INVARIANT: whoever is not active afterwards and was, or was unknown, leaves: all that they have ends in the same change;
   * so does whatever an identity has that is not a user's any more. Whoever becomes active gets nothing back.
   */
  #written(
    { issuer, policies }: ProvisioningState,
    id: string,
    before: StoredScimUser | undefined,
    values: Settled,
  ): PlannedChange | undefined {
    const { userName, externalId = null, active, ...attributes } = values;
    const isSame =
      before !== undefined &&
      isDeepStrictEqual(
        { userName, externalId, active, attributes },
        {
          userName: before.userName,
          externalId: before.externalId,
          active: before.active,
          attributes: before.attributes,
        },
      );
    if (isSame) return undefined;
    const identity = identityOf(issuer, { id, userName, externalId });
    const leaving = new Set<string>();
    const isOther = before !== undefined && before.identity !== identity;
    if (isOther && before.identity !== null) leaving.add(before.identity);
    if (identity !== null && !active && (isOther || before?.active !== false)) leaving.add(identity);
    const now = this.store.clock.now();
    return {
      keys: keysOfUsers(issuer, isOther ? [...leaving, identity] : leaving),
      operations: [
        {
          op: 'put_scim_user',
          id,
          issuer: issuer.name,
          expectedVersion: before?.version ?? 0,
          identityBy: issuer.provisioning.identity,
          active,
          body: { userName, externalId, attributes },
        },
        ...[...leaving].flatMap((each) => leavingOf(subjectOfUser(issuer, each), policies, now)),
      ],
    };
  }
}

/** What tokens of an Issuer call a user; null: nobody knows. */
const identityOf = (
  { provisioning }: ProvisionedIssuer,
  user: { readonly id: string; readonly userName: string; readonly externalId: string | null },
): string | null => user[provisioning.identity];

const externalIdOf = (externalId: string | null): { readonly externalId?: string } =>
  externalId === null ? {} : { externalId };

const noUser = (id: string): Refusal => new Refusal('not_found', `there is no user ${id}`);

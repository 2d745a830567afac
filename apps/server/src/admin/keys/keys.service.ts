import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { Refusal } from '#http';
import {
  administratorRightsSchema,
  generateApiKey,
  generateSecret,
  hostRightsSchema,
  macOf,
  rolesOfCredential,
  type AdministratorPrincipal,
  type AdministratorRights,
  type HostRights,
  type KeyCheck,
} from '#identity';
import { BUILT_IN_ADMINISTRATION, isBuiltInAdministration, PLAIN_WORDS, type TouchKey } from '#policy';
import type { Snapshots, TenantSnapshot } from '#snapshot';
import {
  CredentialReader,
  loadCredential,
  type CredentialListing,
  type Operation,
  type Store,
  type StoredCredential,
} from '#store';
import { invalid } from '../../fronts/front-door.js';
import { forbidden } from '../../http/rights.js';
import type { Changes, PlannedChange } from '../changes.js';
import { changedTerms, refusePast } from '../credential-terms.js';
import { mayWithCredential, refuseCredential, type CredentialFate } from '../grants.js';
import { networksOf } from '../networks.js';
import type { KeyChangeBody, NewKeyBody, ShownKeyBody } from './wire.js';

@Injectable()
export class KeysService {
  readonly reader: CredentialReader;

  constructor(
    private readonly store: Store,
    private readonly snapshots: Snapshots,
    private readonly changes: Changes,
    private readonly check: KeyCheck,
  ) {
    this.reader = new CredentialReader(store);
  }

  /** Makes a key; its text is in the answer and nowhere else. */
  async create(principal: AdministratorPrincipal, body: NewKeyBody): Promise<ShownKeyBody> {
    const { host, administrator, expires_at: expiresAt = null } = body;
    const rights = rightsFor(host === undefined ? 'administrator' : 'host', body.rights ?? {});
    refusePast(expiresAt, this.store.clock.now());
    const { text, key } = generateApiKey(this.check.environment);
    const holder = {
      principalKind: host === undefined ? 'administrator' : 'host',
      principal: host ?? administrator!,
    } as const;
    permitCredential(principal, 'write', holder);
    const roles = 'roles' in rights ? rights.roles : [];
    await this.#change(principal, (snapshot) => {
      const known = host === undefined || snapshot.policies.host(host) !== undefined;
      if (!known) throw new Refusal('not_found', `there is no Host named '${host}': save its document first`);
      refuseUnknownRoles(snapshot, roles);
      refuseCredential(principal, snapshot, undefined, { roles }, this.store.clock.now());
      const operation: Operation = {
        op: 'create_credential',
        id: key.id,
        ...holder,
        environment: key.environment,
        rights,
        cidrs: networksOf(body.cidrs),
        expiresAt,
        mac: macOf(key, this.check.pepper).toString('hex'),
      };
      return { keys: [], operations: [operation] };
    });
    return { id: key.id, key: text };
  }

  /**
   * Changes what a key may do, from where and until when: when this returns, no decision that is asked for afterwards
   * rests on what it could do before.
   */
  async change(principal: AdministratorPrincipal, id: string, body: KeyChangeBody): Promise<void> {
    const { disabledAt, ...holder } = await this.get(principal.tenant, id);
    permitCredential(principal, 'write', holder);
    if (disabledAt !== null) throw new Refusal('invalid_request', 'the key is disabled: create a new one');
    refusePast(body.expires_at ?? null, this.store.clock.now());
    const rights = body.rights && rightsFor(holder.principalKind, body.rights);
    const operation = {
      op: 'change_credential' as const,
      id,
      ...(rights === undefined ? {} : { rights }),
      ...changedTerms(body),
    };
    const roles = rights && 'roles' in rights ? rights.roles : undefined;
    await this.#write(principal, operation, (snapshot, stored) => {
      refuseUnknownRoles(snapshot, roles ?? []);
      return { roles: roles ?? rolesOfCredential(stored) };
    });
  }

  /** Gives a key a new secret. The old ones stay good for a while, so that hosts can change over. */
  async rotate(principal: AdministratorPrincipal, id: string, overlapSeconds: number): Promise<ShownKeyBody> {
    const { environment, disabledAt, ...holder } = await this.get(principal.tenant, id);
    permitCredential(principal, 'rotate', holder);
    if (disabledAt !== null) throw new Refusal('invalid_request', 'the key is disabled: create a new one');
    const { text, key } = generateSecret({ environment, id });
    const oldExpiresAt = new Date(this.store.clock.now() + overlapSeconds * 1000).toISOString();
    const mac = macOf(key, this.check.pepper).toString('hex');
    await this.#write(principal, { op: 'rotate_credential', id, mac, oldExpiresAt }, () => 'taken over');
    return { id, key: text };
  }

  /** Ends a key: when this returns, no decision that is asked for with it afterwards is an allow. */
  async disable(principal: AdministratorPrincipal, id: string): Promise<void> {
    const { credential } = await loadCredential(this.store, principal.tenant, id);
    if (credential?.kind !== 'api_key') throw noKey(id);
    permitCredential(principal, 'delete', credential);
    await this.#write(principal, { op: 'disable_credential', id }, () => 'ended');
  }

  async get(tenant: string, id: string): Promise<CredentialListing> {
    const found = await this.reader.find(tenant, id);
    if (!found) throw noKey(id);
    return found;
  }

  /**
   * Writes to a key that is there.
   *
   * INVARIANT: whose the key is and what it may do is looked at on the very state that the change is made on, if it is one
   * of an administrator.
   */
  async #write(
    principal: AdministratorPrincipal,
    operation: Extract<Operation, { op: 'rotate_credential' | 'disable_credential' | 'change_credential' }>,
    fateOf: (snapshot: TenantSnapshot, stored: StoredCredential) => CredentialFate,
  ): Promise<void> {
    const keys: TouchKey[] = [`credential:${operation.id}`];
    await this.#change(principal, (snapshot) => {
      const { revision } = snapshot;
      const stored = snapshot.credential(operation.id);
      // A replica that has not heard of the key yet may not say whose it is.
      if (!stored) throw noKey(operation.id);
      if (stored.principalKind === 'host') return { keys, operations: [operation] };
      refuseCredential(principal, snapshot, stored, fateOf(snapshot, stored), this.store.clock.now());
      return { keys, operations: [operation], expectedRevision: revision };
    });
  }

  async #change(principal: AdministratorPrincipal, plan: (snapshot: TenantSnapshot) => PlannedChange): Promise<void> {
    await this.changes.make(principal, async () => plan(await this.snapshots.of(principal.tenant)));
  }
}

const noKey = (id: string): Refusal => new Refusal('not_found', `there is no key ${id}`);

/** Throws Refusal where an administrator may not do something with the keys of a host, an administrator or a connector. */
export function permitCredential(
  { name, ability }: AdministratorPrincipal,
  action: 'write' | 'rotate' | 'delete',
  holder: Pick<StoredCredential, 'principalKind' | 'principal'>,
): void {
  if (mayWithCredential(ability, action, 'Key', holder)) return;
  throw forbidden(name, action, `keys of the ${holder.principalKind} '${holder.principal}'`);
}

/** A mistyped role would give nothing, and nobody would know why. */
function refuseUnknownRoles({ policies }: TenantSnapshot, roles: readonly string[]): void {
  const unknown = roles.find(
    (role) => !isBuiltInAdministration(role) && !policies.documents.find('AdministratorRole', role),
  );
  if (unknown === undefined) return;
  const known = BUILT_IN_ADMINISTRATION.join(', ');
  throw new Refusal(
    'invalid_request',
    `rights.roles: there is no role of administrators '${unknown}': save an AdministratorRole document, or name one of ${known}`,
  );
}

/** Rights of a kind of principal, whole: what is not said has its default. */
function rightsFor(kind: 'host' | 'administrator', rights: object): HostRights | AdministratorRights {
  const given = { rights };
  const schema: z.ZodType<HostRights | AdministratorRights> =
    kind === 'host' ? hostRightsSchema : administratorRightsSchema;
  const parsed = z.object({ rights: schema }).safeParse(given, PLAIN_WORDS);
  if (parsed.success) return parsed.data.rights;
  throw invalid(parsed.error, given);
}

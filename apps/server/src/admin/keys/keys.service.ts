import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { Refusal } from '#http';
import {
  administratorRightsSchema,
  generateApiKey,
  generateSecret,
  hostRightsSchema,
  macOf,
  type AdministratorPrincipal,
  type KeyCheck,
} from '#identity';
import { PLAIN_WORDS, type TouchKey } from '#policy';
import type { Snapshots } from '#snapshot';
import { CredentialReader, type CredentialListing, type Operation, type Store } from '#store';
import { invalid } from '../../fronts/front-door.js';
import type { Changes } from '../changes.js';
import type { NewKeyBody, ShownKeyBody } from './wire.js';

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
    const given = { rights: body.rights ?? {} };
    const parsed = z
      .object({ rights: host === undefined ? administratorRightsSchema : hostRightsSchema })
      .safeParse(given, PLAIN_WORDS);
    if (!parsed.success) throw invalid(parsed.error, given);
    if (expiresAt !== null && Date.parse(expiresAt) <= this.store.clock.now()) {
      throw new Refusal('invalid_request', 'expires_at: lies in the past');
    }
    const { text, key } = generateApiKey(this.check.environment);
    await this.#change(principal, [], () => {
      const known = host === undefined || this.snapshots.held(principal.tenant)?.policies.host(host) !== undefined;
      if (!known) throw new Refusal('not_found', `there is no Host named '${host}': save its document first`);
      return {
        op: 'create_credential',
        id: key.id,
        principalKind: host === undefined ? 'administrator' : 'host',
        principal: host ?? administrator!,
        environment: key.environment,
        rights: parsed.data.rights,
        expiresAt,
        mac: macOf(key, this.check.pepper).toString('hex'),
      };
    });
    return { id: key.id, key: text };
  }

  /** Gives a key a new secret. The old ones stay good for a while, so that hosts can change over. */
  async rotate(principal: AdministratorPrincipal, id: string, overlapSeconds: number): Promise<ShownKeyBody> {
    const { environment, disabledAt } = await this.get(principal.tenant, id);
    if (disabledAt !== null) throw new Refusal('invalid_request', 'the key is disabled: create a new one');
    const { text, key } = generateSecret({ environment, id });
    const oldExpiresAt = new Date(this.store.clock.now() + overlapSeconds * 1000).toISOString();
    const mac = macOf(key, this.check.pepper).toString('hex');
    await this.#change(principal, touching(id), () => ({ op: 'rotate_credential', id, mac, oldExpiresAt }));
    return { id, key: text };
  }

  /** Ends a key: when this returns, no decision that is asked for with it afterwards is an allow. */
  async disable(principal: AdministratorPrincipal, id: string): Promise<void> {
    await this.#change(principal, touching(id), () => ({ op: 'disable_credential', id }));
  }

  async get(tenant: string, id: string): Promise<CredentialListing> {
    const found = await this.reader.find(tenant, id);
    if (!found) throw new Refusal('not_found', `there is no key ${id}`);
    return found;
  }

  async #change(
    principal: AdministratorPrincipal,
    keys: readonly TouchKey[],
    operation: () => Operation,
  ): Promise<void> {
    await this.snapshots.of(principal.tenant);
    await this.changes.make(principal, async () => ({ keys, operations: [operation()] }));
  }
}

const touching = (id: string): TouchKey[] => [`credential:${id}`];

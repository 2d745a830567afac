import { Injectable } from '@nestjs/common';
import { Refusal } from '#http';
import {
  generateApiKey,
  generateSecret,
  hostRightsSchema,
  macOf,
  type AdministratorPrincipal,
  type KeyCheck,
} from '#identity';
import type { TouchKey } from '#policy';
import type { Snapshots } from '#snapshot';
import { ClientReader, type ClientListing, type Operation, type Store } from '#store';
import { permit } from '../../http/rights.js';
import { LIFETIMES } from '../../oauth/lifetimes.js';
import type { Changes } from '../changes.js';
import { changedTerms, refusePast } from '../credential-terms.js';
import { networksOf } from '../networks.js';
import type { ClientChangeBody, NewClientBody, ShownClientBody } from './wire.js';

/** OAuth clients of hosts: by a secret, by keys of their own, or workloads that an identity provider vouches for. */
@Injectable()
export class ClientsService {
  readonly reader: ClientReader;

  constructor(
    private readonly store: Store,
    private readonly snapshots: Snapshots,
    private readonly changes: Changes,
    private readonly check: KeyCheck,
  ) {
    this.reader = new ClientReader(store);
  }

  /** Makes a client; if it has a secret, that is in the answer and nowhere else. */
  async create(principal: AdministratorPrincipal, body: NewClientBody): Promise<ShownClientBody> {
    const { host, keys, federated, expires_at: expiresAt = null } = body;
    refusePast(expiresAt, this.store.clock.now());
    permit(principal, 'write', 'Client', host);
    const { text, key } = generateApiKey(this.check.environment);
    const hasSecret = keys === undefined && federated === undefined;
    await this.#change(principal, [], () => {
      const documents = this.snapshots.held(principal.tenant)?.policies.documents;
      if (!documents?.find('Host', host))
        throw new Refusal('not_found', `there is no Host named '${host}': save its document first`);
      if (federated && !documents.find('Issuer', federated.issuer)?.document.workloads)
        throw new Refusal(
          'not_found',
          `there is no Issuer named '${federated.issuer}' with workloads: save its document first`,
        );
      return {
        op: 'create_credential',
        id: key.id,
        credentialKind: federated ? 'federated' : 'client',
        principalKind: 'host',
        principal: host,
        environment: key.environment,
        rights: hostRightsSchema.parse(body.rights ?? {}),
        cidrs: networksOf(body.cidrs),
        expiresAt,
        mac: hasSecret ? macOf(key, this.check.pepper).toString('hex') : null,
        ...(keys ? { jwks: keys } : {}),
        ...(federated ?? {}),
      };
    });
    return hasSecret ? { id: key.id, secret: text } : { id: key.id };
  }

  /**
   * Changes what a client may do, from where and until when: when this returns, no decision that is asked for afterwards
   * with one of its tokens rests on what it could do before.
   */
  async change(principal: AdministratorPrincipal, id: string, body: ClientChangeBody): Promise<void> {
    const { principal: host, disabledAt } = await this.get(principal.tenant, id);
    permit(principal, 'write', 'Client', host);
    if (disabledAt !== null) throw isDisabled();
    refusePast(body.expires_at ?? null, this.store.clock.now());
    await this.#change(principal, touching(id), () => ({
      op: 'change_credential',
      id,
      ...(body.rights === undefined ? {} : { rights: body.rights }),
      ...changedTerms(body),
    }));
  }

  /**
   * Gives a client a new secret. The old ones stay good for a while, so that hosts can change over; without that while the
   * tokens end as well that somebody may have got with them.
   */
  async rotate(principal: AdministratorPrincipal, id: string, overlapSeconds: number): Promise<ShownClientBody> {
    const { environment } = await this.#live(principal, id, 'client_secret');
    const { text, key } = generateSecret({ environment, id });
    const oldExpiresAt = new Date(this.store.clock.now() + overlapSeconds * 1000).toISOString();
    const mac = macOf(key, this.check.pepper).toString('hex');
    const ends = overlapSeconds === 0 ? this.#endOfTokens(id) : [];
    await this.#change(principal, touching(id), () => ({ op: 'rotate_credential', id, mac, oldExpiresAt }), ...ends);
    return { id, secret: text };
  }

  /**
   * Puts other public keys in the place of a client's. Those that are not among them prove nothing any more.
   * @param endTokens whether the tokens end as well that somebody may have got with them
   */
  async replaceKeys(principal: AdministratorPrincipal, id: string, keys: object, endTokens: boolean): Promise<void> {
    await this.#live(principal, id, 'private_key_jwt');
    const ends = endTokens ? this.#endOfTokens(id) : [];
    await this.#change(principal, touching(id), () => ({ op: 'change_credential', id, jwks: keys }), ...ends);
  }

  /**
   * Ends a client and its tokens: when this returns, no decision that is asked for with one of them afterwards is an allow.
   */
  async disable(principal: AdministratorPrincipal, id: string): Promise<void> {
    permit(principal, 'delete', 'Client', (await this.get(principal.tenant, id)).principal);
    await this.#change(principal, touching(id), () => ({ op: 'disable_credential', id }), {
      op: 'end_tokens',
      client: id,
    });
  }

  async get(tenant: string, id: string): Promise<ClientListing> {
    const found = await this.reader.find(tenant, id);
    if (found) return found;
    throw new Refusal('not_found', `there is no client ${id}`);
  }

  /** Ends the tokens that a live client has: those of after the change are good. */
  #endOfTokens(client: string): Operation[] {
    const expiresAt = new Date(this.store.clock.now() + TOKENS_GONE_MS).toISOString();
    return [
      { op: 'deny', key: `client:${client}`, expiresAt },
      { op: 'end_tokens', client },
    ];
  }

  async #live(principal: AdministratorPrincipal, id: string, by: string): Promise<ClientListing> {
    const client = await this.get(principal.tenant, id);
    permit(principal, 'rotate', 'Client', client.principal);
    if (client.disabledAt !== null) throw isDisabled();
    if (authenticationOf(client) === by) return client;
    throw new Refusal('invalid_request', `the client proves itself by ${authenticationOf(client)}, and not by ${by}`);
  }

  async #change(
    principal: AdministratorPrincipal,
    keys: readonly TouchKey[],
    operation: () => Operation,
    ...more: readonly Operation[]
  ): Promise<void> {
    await this.snapshots.of(principal.tenant);
    await this.changes.make(principal, async () => ({ keys, operations: [operation(), ...more] }));
  }
}

/** After how long every token that a client has now has expired by itself, in ms, whatever the clocks say. */
const TOKENS_GONE_MS = 2 * LIFETIMES.hostToken * 1000;

const isDisabled = (): Refusal => new Refusal('invalid_request', 'the client is disabled: create a new one');

const touching = (id: string): TouchKey[] => [`credential:${id}`];

/** How a client proves itself. */
export function authenticationOf({ kind, jwks }: ClientListing): 'client_secret' | 'private_key_jwt' | 'federated' {
  if (kind === 'federated') return 'federated';
  return jwks === null ? 'client_secret' : 'private_key_jwt';
}

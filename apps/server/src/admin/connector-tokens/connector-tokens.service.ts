import { Refusal } from '#http';
import { generateApiKey, generateSecret, macOf, type AdministratorPrincipal, type KeyCheck } from '#identity';
import type { Snapshots } from '#snapshot';
import { ConnectorTokenReader, type ConnectorTokenListing, type Store } from '#store';
import type { Changes } from '../changes.js';
import { refusePast } from '../credential-terms.js';
import { refuseConnector } from '../grants.js';
import { permitCredential } from '../keys/keys.service.js';
import { networksOf } from '../networks.js';
import type { NewConnectorTokenBody, ShownConnectorTokenBody } from './wire.js';

/** Tokens by which directories provision the people of one Issuer (SCIM). They are good for nothing else. */
export class ConnectorTokensService {
  readonly reader: ConnectorTokenReader;

  constructor(
    private readonly store: Store,
    private readonly snapshots: Snapshots,
    private readonly changes: Changes,
    private readonly check: KeyCheck,
  ) {
    this.reader = new ConnectorTokenReader(store);
  }

  /** Makes a token; its text is in the answer and nowhere else. */
  async create(principal: AdministratorPrincipal, body: NewConnectorTokenBody): Promise<ShownConnectorTokenBody> {
    const { issuer, expires_at: expiresAt = null } = body;
    permitCredential(principal, 'write', holderOf(issuer));
    refusePast(expiresAt, this.store.clock.now());
    const { text, key } = generateApiKey(this.check.environment);
    await this.changes.make(principal, async () => {
      const { policies, revision } = await this.snapshots.of(principal.tenant);
      const document = policies.documents.find('Issuer', issuer)?.document;
      if (!document) throw new Refusal('not_found', `there is no Issuer named '${issuer}': save its document first`);
      if (!document.provisioning)
        throw new Refusal('invalid_request', `the Issuer '${issuer}' does not say provisioning: {scim: true}`);
      refuseConnector(principal, policies, issuer);
      return {
        keys: [],
        // What people of the Issuer can come to have was looked at on this state.
        expectedRevision: revision,
        operations: [
          {
            op: 'create_credential',
            credentialKind: 'scim',
            id: key.id,
            ...holderOf(issuer),
            issuer,
            environment: key.environment,
            rights: {},
            cidrs: networksOf(body.cidrs),
            expiresAt,
            mac: macOf(key, this.check.pepper).toString('hex'),
          },
        ],
      };
    });
    return { id: key.id, token: text };
  }

  /** Gives a token a new secret. The old ones stay good for a while. */
  async rotate(
    principal: AdministratorPrincipal,
    id: string,
    overlapSeconds: number,
  ): Promise<ShownConnectorTokenBody> {
    const { environment, issuer, disabledAt } = await this.#get(principal, id, 'rotate');
    if (disabledAt !== null) throw new Refusal('invalid_request', 'the token is disabled: create a new one');
    const { text, key } = generateSecret({ environment, id });
    const mac = macOf(key, this.check.pepper).toString('hex');
    const oldExpiresAt = new Date(this.store.clock.now() + overlapSeconds * 1000).toISOString();
    await this.changes.make(principal, async () => {
      const { policies, revision } = await this.snapshots.of(principal.tenant);
      refuseConnector(principal, policies, issuer);
      return {
        keys: [`credential:${id}`],
        expectedRevision: revision,
        operations: [{ op: 'rotate_credential', id, mac, oldExpiresAt }],
      };
    });
    return { id, token: text };
  }

  /** Ends a token at once: what it is used for afterwards is not done. */
  async disable(principal: AdministratorPrincipal, id: string): Promise<void> {
    await this.#get(principal, id, 'delete');
    await this.changes.make(principal, async () => ({
      keys: [`credential:${id}`],
      operations: [{ op: 'disable_credential', id }],
    }));
  }

  async #get(
    principal: AdministratorPrincipal,
    id: string,
    action: 'rotate' | 'delete',
  ): Promise<ConnectorTokenListing> {
    const found = await this.reader.find(principal.tenant, id);
    if (!found) throw new Refusal('not_found', `there is no token ${id} of a connector`);
    permitCredential(principal, action, holderOf(found.issuer));
    return found;
  }
}

/** Whose a token is: as with keys of administrators, only whoever may grant makes and ends them. */
const holderOf = (issuer: string) => ({ principalKind: 'connector', principal: issuer }) as const;

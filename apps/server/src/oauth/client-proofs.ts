import type { StoredCredential } from '#store';
import type { OAuthClients } from './clients.js';

/** How clients have proven themselves in requests that are under way. */
export class ClientProofs {
  readonly #clients = new WeakMap<object, StoredCredential>();
  readonly #again = new WeakMap<object, () => Promise<boolean>>();

  constructor(
    private readonly tenant: string,
    private readonly clients: OAuthClients,
  ) {}

  /** Takes note of the client that a request names, as it was read. */
  begins(request: object | undefined, stored: StoredCredential): void {
    if (request) this.#clients.set(request, stored);
  }

  /**
   * Whether a secret proves a client.
   * @param address of the client, normalised
   */
  async bySecret(request: object, id: string, text: string, address: string): Promise<boolean> {
    const look = () => this.clients.secretMatches(this.tenant, id, text, address);
    this.#again.set(request, look);
    return look();
  }

  /**
   * Whether a client that has signed with one of its keys may be used from an address.
   * @param address of the client, normalised
   */
  byKeys(request: object, address: string): boolean {
    const stored = this.#clients.get(request);
    if (!stored || !this.clients.mayComeFrom(this.tenant, stored, address)) return false;
    this.#again.set(request, () => this.clients.hasKeysOf(this.tenant, stored));
    return true;
  }

  /** Whether what has proven the client of a request would still prove it now. */
  async still(request: object): Promise<boolean> {
    return (await this.#again.get(request)?.()) ?? true;
  }
}

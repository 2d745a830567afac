import type { ConsentLinks, LinkTo, UsableLink } from '#consent';
import type { Store } from '#store';
import type { PublicAddress } from '../../http/public-address.js';

/** Where people look at a request and answer it. An address is no right: whoever goes there has to sign in. */
export class ReviewLinks {
  readonly #names = new Map<string, string>();

  constructor(
    private readonly store: Pick<Store, 'tenantName' | 'clock'>,
    private readonly address: PublicAddress,
    private readonly links: ConsentLinks,
  ) {}

  /**
   * The page of a request for one person, by a link that is good for one answer of theirs: what is sent to somebody who is
   * to answer.
   * @param until when it is over, in ms since 1970; `expiresAt` of the request, or sooner
   */
  async toPerson(to: LinkTo, until: number): Promise<string> {
    return `${await this.to(to.tenant, to.request)}?link=${this.links.make(to, until)}`;
  }

  /** A link that somebody brings, who is signed in. Throws Refusal (`link_refused`). */
  read = (link: string, to: LinkTo): UsableLink => this.links.read(link, to, this.store.clock.now());

  /** The page of a request. The name of a tenant is never given again, so it is remembered. */
  async to(tenant: string, id: string): Promise<string> {
    let name = this.#names.get(tenant);
    if (name === undefined) {
      name = (await this.store.tenantName(tenant)) ?? '';
      this.#names.set(tenant, name);
    }
    return reviewPage(this.address, name, id);
  }
}

/** The page of a request of a tenant. */
export const reviewPage = ({ url }: PublicAddress, tenantName: string, id: string): string =>
  `${url}/t/${encodeURIComponent(tenantName)}/requests/${id}`;

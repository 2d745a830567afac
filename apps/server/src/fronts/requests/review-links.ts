import type { Store } from '#store';
import type { PublicAddress } from '../../http/public-address.js';

/** Where people look at a request and answer it. The address is no right: whoever goes there has to sign in. */
export class ReviewLinks {
  readonly #names = new Map<string, string>();

  constructor(
    private readonly store: Pick<Store, 'tenantName'>,
    private readonly address: PublicAddress,
  ) {}

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

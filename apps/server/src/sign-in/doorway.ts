import type { Request } from 'express';
import { Refusal, requestIdOf } from '#http';
import { isLoopbackUrl } from '#outgoing';
import type { ClientAddresses } from '../http/client-address.js';
import type { PublicAddress } from '../http/public-address.js';
import type { TenantNames } from '../http/tenant-names.js';
import type { NamedTenant } from './connectors.js';

/** What all pages of people find out of a request first: the tenant that its path names, and from where it comes. */
export class Doorway {
  constructor(
    private readonly names: Pick<TenantNames, 'idOf'>,
    private readonly address: PublicAddress,
    private readonly addresses: ClientAddresses,
  ) {}

  /** The tenant of a name in a path. Throws Refusal; also where cookies would not be safe. */
  async tenant(name: string): Promise<NamedTenant> {
    this.#refuseUnsafe();
    const id = await this.names.idOf(name);
    if (id === undefined) throw new Refusal('not_found', 'there is no such page');
    return { id, name };
  }

  /** The origin under which the service is known. */
  get origin(): string {
    return new URL(this.address.url).origin;
  }

  /** A request's URL as others see it: its path and query below our own origin, whatever it says its host is. */
  urlOf({ originalUrl }: Request): URL {
    const url = new URL(this.address.url);
    const query = originalUrl.indexOf('?');
    url.search = query < 0 ? '' : originalUrl.slice(query);
    return url;
  }

  from(request: Request): { readonly address: string; readonly requestId: string; readonly userAgent: string | null } {
    return {
      address: this.addresses.of(request),
      requestId: requestIdOf(request),
      userAgent: request.headers['user-agent'] ?? null,
    };
  }

  #refuseUnsafe(): void {
    const { url } = this.address;
    if (url.startsWith('https://') || isLoopbackUrl(url)) return;
    throw new Refusal(
      'sign_in_needs_tls',
      'people can sign in only where the service is reached by https: set PLACET_PUBLIC_URL to its https URL',
    );
  }
}

import { addressesOf, isLoopbackUrl, Lookups, sendOut, type OutgoingOptions, type Reach, type WayOut } from '#outgoing';

/**
 * Which identity providers the service goes to beyond those of the public internet: none (`off`), those whose issuer is
 * on this machine, of the home tenant (`home`) or of every tenant (`loopback`), or those in private networks as well (`on`).
 */
export type PrivateProviders = 'on' | 'loopback' | 'home' | 'off';

/** As much of `fetch` as identity libraries need. A redirect is an answer, and never followed. */
export type OutgoingFetch = (url: string, options?: OutgoingOptions) => Promise<Response>;

const BEYOND = 'where identity providers are not looked for: see PLACET_PRIVATE_IDENTITY_PROVIDERS';

/**
 * The one way out to identity providers. Documents of tenants say where it leads, so it goes nowhere else than to hosts
 * that such a provider can be on: by https, to addresses that are looked at after names were resolved, for as long and as
 * much as metadata and tokens take.
 */
export class Outgoing {
  readonly #lookups = new Lookups();

  /** @param home the id of the home tenant: whoever writes its documents runs this service */
  constructor(
    private readonly privateProviders: PrivateProviders,
    private readonly home: string,
  ) {}

  /** How to fetch what belongs to an issuer of a tenant. */
  for(tenant: string, issuer: string): OutgoingFetch {
    const reach = this.reachOf(tenant, issuer);
    const resolve: WayOut['resolve'] = (name, how, done) => this.#lookups.resolve(tenant, name, how, done);
    return (url, options = {}) => sendOut(new URL(url), options, { reach, resolve, beyond: BEYOND });
  }

  /** The addresses of a directory of a tenant, by its URL. Throws OutgoingError where one of them is out of reach. */
  async addressesOf(tenant: string, url: string): Promise<readonly string[]> {
    const resolve: WayOut['resolve'] = (name, how, done) => this.#lookups.resolve(tenant, name, how, done);
    return addressesOf(new URL(url).hostname, { reach: this.reachOf(tenant, url), resolve, beyond: BEYOND });
  }

  /** Where an issuer of a tenant may lead. Only one that is on this machine itself leads to this machine. */
  reachOf(tenant: string, issuer: string): Reach {
    const { privateProviders } = this;
    const reachesLoopback = privateProviders === 'home' ? tenant === this.home : privateProviders !== 'off';
    return { loopback: reachesLoopback && isLoopbackUrl(issuer), privateRanges: privateProviders === 'on' };
  }
}

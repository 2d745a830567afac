import type { ScopeDocument } from '../documents/schema.js';
import { Owned } from '../layers.js';
import { compileScope, type CompiledScope } from './scopes.js';

/** The boundaries of servers and of hosts, compiled. */
export class Boundaries {
  readonly #servers: Owned<CompiledScope>;
  readonly #hosts: Owned<CompiledScope>;

  /** @param base those that these are a layer over; left out: none */
  constructor(base?: Boundaries) {
    this.#servers = new Owned(base && base.#servers);
    this.#hosts = new Owned(base && base.#hosts);
  }

  /** Puts one document in the place of another of that name, which may have been of another server or host. */
  replace(name: string, before: ScopeDocument | undefined, after: ScopeDocument | undefined): void {
    if (before) {
      const { scopes, owner } = this.#placeOf(before);
      scopes.delete(owner, name);
    }
    if (after) {
      const { scopes, owner } = this.#placeOf(after);
      scopes.set(owner, name, compileScope(name, after));
    }
  }

  /** By name; undefined where there is none. */
  ofServer(server: string): ReadonlyMap<string, CompiledScope> | undefined {
    return this.#servers.of(server);
  }

  ofHost(host: string): ReadonlyMap<string, CompiledScope> | undefined {
    return this.#hosts.of(host);
  }

  #placeOf({ server, host }: ScopeDocument): { scopes: Owned<CompiledScope>; owner: string } {
    return server === undefined ? { scopes: this.#hosts, owner: host! } : { scopes: this.#servers, owner: server };
  }
}

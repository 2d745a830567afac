import type { PolicySet } from '#policy';
import type { Snapshots } from '#snapshot';
import type { ConsentStore, ConsentView, GivenFor } from '#store';
import { neverAgain } from './never-again.js';

/** Consents that are looked at, and ended, at once: ending them holds the tenant's turn at changes. */
const PAGE = 100;

/**
 * Ends consents that can never apply any more because documents have changed.
 *
 * It comes after the change and not within it: what a consent is bound to has changed with the documents, so that nothing
 * rests on it from the change on, and a change of a server to which people have agreed a million times need not hold up
 * every decision while they are counted. How far it got is kept, so that what a crash cuts off is done after the next change.
 */
export class ConsentSettlement {
  readonly #running = new Map<string, Promise<void>>();
  readonly #wanted = new Set<string>();
  #closed = false;

  constructor(
    private readonly view: ConsentView,
    private readonly store: ConsentStore,
    private readonly snapshots: Snapshots,
    private readonly onError: (error: unknown) => void,
  ) {}

  /** Settles a tenant soon. Nobody waits for it. */
  soon(tenant: string): void {
    this.#wanted.add(tenant);
    if (this.#closed || this.#running.has(tenant)) return;
    const done = this.#run(tenant).finally(() => this.#running.delete(tenant));
    this.#running.set(tenant, done);
  }

  /** Waits for what is under way, and begins nothing any more. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#running.values());
  }

  async #run(tenant: string): Promise<void> {
    while (!this.#closed && this.#wanted.delete(tenant)) await this.settle(tenant).catch(this.onError);
  }

  /** Looks at all consents that changes concern since it was done last. Returns how many it has ended. */
  async settle(tenant: string): Promise<number> {
    const { revision } = await this.snapshots.of(tenant);
    const changed = await this.view.changedSince(tenant, await this.view.settledUpTo(tenant));
    let ended = 0;
    for (const { kind, name } of changed) {
      const of = restsOn(kind, name);
      // Of an application nothing counts but that it is there.
      if (kind === 'Host' && (await this.snapshots.of(tenant)).policies.host(name)) continue;
      for (let after = ''; ;) {
        const page = await this.view.restingOn(tenant, of, after, PAGE);
        const { policies } = await this.snapshots.of(tenant);
        for (const [why, ids] of byReason(policies, page)) ended += await this.store.supersede(tenant, ids, why);
        if (page.length < PAGE || this.#closed) break;
        after = page.at(-1)!.id;
      }
      if (this.#closed) return ended;
    }
    await this.store.settled(tenant, revision);
    return ended;
  }
}

function restsOn(kind: 'Host' | 'Server' | 'Policy' | 'Tenant', name: string): Parameters<ConsentView['restingOn']>[1] {
  if (kind === 'Host') return { agent: name };
  return kind === 'Server' ? { server: name } : { policy: kind === 'Policy' ? name : null };
}

function byReason(set: PolicySet, page: readonly GivenFor[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const given of page) {
    const why = neverAgain(set, given);
    if (why !== undefined) found.set(why, [...(found.get(why) ?? []), given.id]);
  }
  return found;
}

import { LONGEST_NAME, TENANT_NAME, type Store } from '#store';

/** For how long an answer is believed, in ms: a tenant is there for long, and may be made at any time. */
const KNOWN_MS = 60_000;
const UNKNOWN_MS = 5000;

/** Names that are remembered, known or not. */
const REMEMBERED = 10_000;

interface Answer {
  readonly id: string | undefined;
  readonly until: number;
}

/**
 * The tenants of paths that begin with `/t/<name>/`, where whoever calls has not proven anything yet. What is no name is not
 * looked up, and what has just been looked up is not looked up again: guessing costs the database next to nothing.
 */
export class TenantNames {
  readonly #answers = new Map<string, Answer>();
  readonly #underWay = new Map<string, Promise<string | undefined>>();

  constructor(private readonly store: Pick<Store, 'tenantNamed'>) {}

  /** The id of the tenant of a name; undefined where there is none. */
  async idOf(name: string): Promise<string | undefined> {
    if (name.length > LONGEST_NAME || !TENANT_NAME.test(name)) return undefined;
    const answer = this.#answers.get(name);
    if (answer && answer.until > performance.now()) return answer.id;
    let lookup = this.#underWay.get(name);
    if (!lookup) {
      lookup = this.#lookUp(name).finally(() => this.#underWay.delete(name));
      this.#underWay.set(name, lookup);
    }
    return lookup;
  }

  /** Forgets a tenant that was deleted. */
  forget(tenant: string): void {
    for (const [name, { id }] of this.#answers) if (id === tenant) this.#answers.delete(name);
  }

  async #lookUp(name: string): Promise<string | undefined> {
    const id = await this.store.tenantNamed(name);
    if (this.#answers.size >= REMEMBERED) this.#answers.clear();
    this.#answers.set(name, { id, until: performance.now() + (id === undefined ? UNKNOWN_MS : KNOWN_MS) });
    return id;
  }
}

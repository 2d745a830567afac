import { Refusal } from '#http';
import type { AdministratorPrincipal } from '#identity';
import type { Snapshots } from '#snapshot';
import { PersonReader, SessionStore, type PersonDetail, type SessionListing, type Store } from '#store';
import type { Changes } from '../changes.js';
import { endingOf, PERSON_DENIAL_MS } from '../suspensions/denials.js';

/** People who have signed in, and their sessions. */
export class PeopleService {
  readonly reader: PersonReader;
  readonly #sessions: SessionStore;

  constructor(
    private readonly store: Store,
    private readonly snapshots: Snapshots,
    private readonly changes: Changes,
  ) {
    this.reader = new PersonReader(store);
    this.#sessions = new SessionStore(store);
  }

  async get(tenant: string, id: string): Promise<PersonDetail> {
    const found = await this.reader.find(tenant, id);
    if (!found) throw new Refusal('not_found', `nobody has signed in as '${id}'`);
    return found;
  }

  /**
   * Signs a person out everywhere, under each of the names that a Subject document gives them: when this returns, no session
   * of theirs is one, and no token of theirs counts that was issued before. They can sign in again: whoever must not is
   * suspended.
   */
  async signOut(principal: AdministratorPrincipal, id: string): Promise<number> {
    await this.get(principal.tenant, id);
    return this.changes.make(principal, async () => {
      const { policies } = await this.snapshots.of(principal.tenant);
      const now = this.store.clock.now();
      const expiresAt = new Date(now + PERSON_DENIAL_MS).toISOString();
      return {
        // A decision about one of the names rests on all of them.
        keys: [`subject:${id}`],
        operations: [
          // Also where the Issuer is gone, and may come back.
          { op: 'deny', key: `subject:${id.slice(id.indexOf(':') + 1)}`, expiresAt },
          ...endingOf(id, policies, now),
        ],
      };
    });
  }

  async sessions(tenant: string, person: string): Promise<readonly SessionListing[]> {
    return this.reader.sessions(tenant, person);
  }

  /** Ends one of a person's own sessions. */
  async endOwn(principal: AdministratorPrincipal, session: string): Promise<void> {
    const ended = await this.#sessions.end(principal.tenant, session, personOf(principal));
    if (!ended) throw new Refusal('not_found', `you have no session ${session}`);
  }
}

/** The person that calls. Throws Refusal for a key. */
export function personOf({ subject }: AdministratorPrincipal): string {
  if (subject === null) throw new Refusal('not_found', 'a key has no sessions: they are of people who have signed in');
  return `${subject.type}:${subject.id}`;
}

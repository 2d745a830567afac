import { Refusal } from '#http';
import { principalName, type AdministratorPrincipal } from '#identity';
import { namesOf } from '#policy';
import type { Snapshots } from '#snapshot';
import type {
  ConsentDetail,
  ConsentListing,
  ConsentStore,
  ConsentView,
  ListedConsents,
  WhichConsents,
  WhosePerson,
} from '#store';

/** Attempts at a revocation while the rights of whoever revokes keep changing. */
const ATTEMPTS = 8;

/** Which consents are meant, by what they are about; a subject by any of their names. */
interface Meant extends Pick<WhichConsents, 'id' | 'agent' | 'server'> {
  readonly subject?: string;
}

/** Where a listing goes on. */
interface Place {
  readonly place: string;
  readonly id: string;
}

/** Says what an administrator is at this moment; Refusal where that is not what it was. */
interface Standing {
  again(principal: AdministratorPrincipal): Promise<AdministratorPrincipal>;
}

/** What people have agreed to, as they themselves and administrators see it and take it back. */
export class Consents {
  constructor(
    private readonly view: ConsentView,
    private readonly store: ConsentStore,
    private readonly snapshots: Snapshots,
    private readonly standing: Standing,
  ) {}

  /** Somebody's own: what is about them by any of their names, and what they have agreed to. Throws Refusal for keys. */
  async ownOf({ tenant, subject }: AdministratorPrincipal): Promise<WhosePerson> {
    if (subject === null) {
      throw new Refusal('not_found', 'a key has agreed to nothing: consents are of people who have signed in');
    }
    const person = `${subject.type}:${subject.id}`;
    const { policies } = await this.snapshots.of(tenant);
    return { person, names: namesOf(policies, person) };
  }

  /** Somebody's own consents on every host, or all of the tenant; the newest first, one more than `size` if there are. */
  async list(
    { tenant }: AdministratorPrincipal,
    { subject, ...which }: Omit<ListedConsents, 'subjects'> & { readonly subject?: string | undefined },
    after: Place | undefined,
    size: number,
  ): Promise<readonly ConsentListing[]> {
    const subjects = subject === undefined ? undefined : await this.#namesOf(tenant, subject);
    return this.view.list(tenant, { ...which, subjects }, after, size);
  }

  /** Throws Refusal (`not_found`) for what there is not, and for what is not theirs. */
  async find({ tenant }: AdministratorPrincipal, id: string, mine?: WhosePerson): Promise<ConsentDetail> {
    const found = await this.view.find(tenant, id, mine);
    if (!found) throw noConsent(id);
    return found;
  }

  /**
   * Takes back one's own. When this returns, no decision that is asked for afterwards is an allow on one of them, on any
   * replica. Returns how many there were; Refusal where one was named that is not theirs.
   */
  async revokeOwn(principal: AdministratorPrincipal, which: Omit<Meant, 'subject'>): Promise<number> {
    const mine = await this.ownOf(principal);
    if (which.id !== undefined) await this.find(principal, which.id, mine);
    return this.#revoke(principal, mine.person, { ...which, mine }, null);
  }

  /** Takes back what others have agreed to. Throws Refusal where one was named that there is not. */
  async revoke(principal: AdministratorPrincipal, which: Meant, reason: string): Promise<number> {
    if (Object.values(which).every((value) => value === undefined)) {
      throw new Refusal('invalid_request', 'say which consents: subject, agent or server');
    }
    if (which.id !== undefined) await this.find(principal, which.id);
    const { subject, ...others } = which;
    const meant =
      subject === undefined ? others : { ...others, subjects: await this.#namesOf(principal.tenant, subject) };
    return this.#revoke(principal, `administrator:${principal.name}`, meant, reason);
  }

  /** All names of whoever has one: consents are about the name that somebody had when they were given. */
  async #namesOf(tenant: string, subject: string): Promise<readonly string[]> {
    const { policies } = await this.snapshots.of(tenant);
    const names = namesOf(policies, subject);
    return names.length === 0 ? [subject] : names;
  }

  async #revoke(
    principal: AdministratorPrincipal,
    who: string,
    which: WhichConsents,
    reason: string | null,
  ): Promise<number> {
    let standing = principal;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const actor = { principal: principalName(standing), proof: standing.proof };
      const { outcome, ended } = await this.store.revoke(standing.tenant, actor, who, which, reason);
      if (outcome === 'revoked') return ended;
      if (outcome === 'principal') {
        throw new Refusal('forbidden', 'the key or session was ended while the consents were being revoked');
      }
      standing = await this.standing.again(standing);
    }
    throw new Refusal('too_many_changes', 'others keep changing the same things: try again');
  }
}

const noConsent = (id: string): Refusal => new Refusal('not_found', `there is no consent '${id}' of yours to see`);

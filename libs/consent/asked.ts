import { Refusal } from '#http';
import type { AdministratorPrincipal } from '#identity';
import { personAt, type SignedInPerson } from '#policy';
import type { Snapshots, TenantSnapshot } from '#snapshot';
import type { ConsentReader, ConsentRow, DatabaseClock, DelegationStore, PersonReader } from '#store';
import { answerable, type AnswerableRequest } from './answerable.js';
import { FirstLooks } from './first-looks.js';

/** Where somebody signs in anew, by one of some classes (`acr`): a path of ours. */
export type SignInPath = (principal: AdministratorPrincipal, acr: readonly string[]) => Promise<string>;

/** A request as somebody may answer it, and what that was found on. */
export interface Look {
  readonly person: SignedInPerson;
  readonly found: AnswerableRequest;
  readonly snapshot: TenantSnapshot;
  /** Ms since 1970, by the database's clock. */
  readonly now: number;
}

/** Requests that are read at once. */
const PAGE = 200;

/**
 * What people are asked, as they see it.
 *
 * INVARIANT: only a person who is signed in at a browser is asked anything: no key, no access token, no application and no
 * agent ever is, whatever its rights are.
 */
export class AskedRequests {
  /** When they were first shown it. */
  readonly looks = new FirstLooks();

  constructor(
    private readonly reader: ConsentReader,
    private readonly people: PersonReader,
    private readonly snapshots: Snapshots,
    private readonly clock: DatabaseClock,
    private readonly delegations: DelegationStore,
    private readonly signInPath: SignInPath,
  ) {}

  /** A request that a person may answer, or has; `not_found` for everybody else. */
  async find(principal: AdministratorPrincipal, id: string): Promise<AnswerableRequest> {
    const { person, found } = await this.look(principal, id);
    if (found.request.status === 'pending') this.looks.note(principal.tenant, id, person.id);
    return this.#withWaysIn(principal, found);
  }

  /** As `find`, at this moment, for whoever writes down what comes of it. */
  async look(principal: AdministratorPrincipal, id: string): Promise<Look> {
    const person = await this.#person(principal);
    const request = await this.reader.request(principal.tenant, id);
    const snapshot = await this.snapshots.of(principal.tenant);
    const now = this.clock.now();
    const delegators = await this.delegations.delegatorsOf(principal.tenant, person.id);
    const visitor = { person, acr: acrOf(principal) };
    const found = request && answerable(snapshot.policies, request, visitor, delegators, now);
    if (!found) throw new Refusal('not_found', `there is no request '${id}' for you to answer`);
    return { person, found, snapshot, now };
  }

  /**
   * Open requests that a person may answer, the oldest first, after one; with whether there may be more.
   * @param only `subject`: those about themselves; `others`: the rest
   */
  async open(
    principal: AdministratorPrincipal,
    only: 'subject' | 'others',
    after: { readonly createdAt: number; readonly id: string } | undefined,
    size: number,
  ): Promise<readonly AnswerableRequest[]> {
    const person = await this.#person(principal);
    const visitor = { person, acr: acrOf(principal) };
    const { policies } = await this.snapshots.of(principal.tenant);
    const now = this.clock.now();
    const key = personAt(policies, person, now)?.key;
    if (key === undefined) return [];
    const delegators = await this.delegations.delegatorsOf(principal.tenant, person.id);
    const found: AnswerableRequest[] = [];
    let from = after;
    // What others may answer is passed over, so that one page can take several reads.
    for (;;) {
      const subject = only === 'subject' ? key : undefined;
      const rows = await this.reader.pending(principal.tenant, subject, from, PAGE);
      for (const request of rows.slice(0, PAGE)) {
        if (found.length > size) return found;
        if (only === 'others' && request.subject === key) continue;
        const one = answerable(policies, request, visitor, delegators, now);
        if (one) found.push(await this.#withWaysIn(principal, one));
        from = { createdAt: request.createdAt, id: request.id };
      }
      if (rows.length <= PAGE || found.length > size) return found;
    }
  }

  /** What has come of a request that a person may answer, or has: the agreements, and what became of them. */
  async outcome(principal: AdministratorPrincipal, id: string): Promise<readonly ConsentRow[]> {
    await this.look(principal, id);
    return this.reader.ofRequest(principal.tenant, id);
  }

  /** With where they sign in as a requirement wants that they cannot meet as they are signed in. */
  async #withWaysIn(principal: AdministratorPrincipal, found: AnswerableRequest): Promise<AnswerableRequest> {
    const parts = [];
    for (const part of found.parts) {
      const acr = part.yours === 'sign_in' ? part.requirement.consent.assurance : undefined;
      parts.push(acr === undefined ? part : { ...part, signInAt: await this.signInPath(principal, [acr]) });
    }
    return { ...found, parts };
  }

  /** Who calls, by the claims of their last sign-in. Throws Refusal for whatever is no person at a browser. */
  async #person({ via, tenant, subject }: AdministratorPrincipal): Promise<SignedInPerson> {
    if (via !== 'session' || subject === null) {
      throw new Refusal('forbidden', 'only people who are signed in at a browser answer: no key and no token does');
    }
    const id = `${subject.type}:${subject.id}`;
    const person = await this.people.find(tenant, id);
    if (!person) throw new Refusal('forbidden', `nobody has signed in as '${id}'`);
    return { id, issuer: person.issuer, claims: person.claims };
  }
}

/** How somebody has signed in; null: their identity provider has not said. */
export const acrOf = ({ assurance }: AdministratorPrincipal): string | null => assurance?.acr ?? null;

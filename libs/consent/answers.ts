import { Refusal } from '#http';
import { principalName, type AdministratorPrincipal } from '#identity';
import { personAt, type ConsentChoice, type SignedInPerson } from '#policy';
import type { Snapshots, TenantSnapshot } from '#snapshot';
import type {
  AnswerOutcome,
  ConsentReader,
  ConsentRequestStatus,
  ConsentRow,
  ConsentStore,
  DatabaseClock,
  DelegationStore,
  PersonReader,
  StoredConsentRequest,
} from '#store';
import {
  answerable,
  askedFor,
  breaking,
  chosen,
  lackingAssurance,
  signedIn,
  type AnswerableRequest,
} from './answerable.js';
import type { ConsentEvents } from './events.js';
import { FirstLooks } from './first-looks.js';
import { linkRefused, type UsableLink } from './links.js';
import { consentsOf, type Agreement } from './outcome.js';

/** Attempts at an answer that others keep coming before. */
const ATTEMPTS = 8;

/** What somebody answers, to what they were shown. */
export interface Answering {
  readonly answer: 'agreed' | 'refused';
  /** How far it is to reach; left out: as little as can be chosen. */
  readonly choice?: ConsentChoice | undefined;
  /** SHA-256 of what they were shown, in hexadecimal. */
  readonly shown: string;
  /** Why they break the glass, where they are not among those who may agree. */
  readonly breakGlass?: string | undefined;
  /** The link by which they came: it is used up by their answer. */
  readonly link?: UsableLink | undefined;
}

/** Says what an administrator is at this moment; Refusal where that is not what it was. */
interface Standing {
  again(principal: AdministratorPrincipal): Promise<AdministratorPrincipal>;
}

/** Where somebody signs in anew, by one of some classes (`acr`): a path of ours. */
type SignInPath = (principal: AdministratorPrincipal, acr: readonly string[]) => Promise<string>;

/**
 * People's answers to what they are asked.
 *
 * INVARIANT: only a person who is signed in at a browser answers: no key, no access token, no application and no agent ever
 * does, whatever its rights are.
 */
export class ConsentAnswers {
  readonly #looks = new FirstLooks();

  constructor(
    private readonly reader: ConsentReader,
    private readonly people: PersonReader,
    private readonly store: ConsentStore,
    private readonly snapshots: Snapshots,
    private readonly clock: DatabaseClock,
    private readonly standing: Standing,
    private readonly signInPath: SignInPath,
    private readonly delegations: DelegationStore,
    private readonly events: Pick<ConsentEvents, 'answered'>,
  ) {}

  /** A request that a person may answer, or has; `not_found` for everybody else. */
  async find(principal: AdministratorPrincipal, id: string): Promise<AnswerableRequest> {
    const person = await this.#person(principal);
    const request = await this.reader.request(principal.tenant, id);
    const { policies } = await this.snapshots.of(principal.tenant);
    const delegators = await this.delegations.delegatorsOf(principal.tenant, person.id);
    const found = request && answerable(policies, request, person, delegators, this.clock.now());
    if (!found) throw noRequest(id);
    if (found.request.status === 'pending') this.#looks.note(principal.tenant, id, person.id);
    return found;
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
        const one = answerable(policies, request, person, delegators, now);
        if (one) found.push(one);
        from = { createdAt: request.createdAt, id: request.id };
      }
      if (rows.length <= PAGE || found.length > size) return found;
    }
  }

  /** Writes an answer down. When this returns, it counts: on every replica, for every decision that is asked for afterwards. */
  async answer(principal: AdministratorPrincipal, id: string, given: Answering): Promise<ConsentRequestStatus> {
    let standing = principal;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const { outcome, status } = await this.#attempt(standing, id, given);
      switch (outcome) {
        case 'answered':
          return status!;
        case 'moved':
        case 'delegation':
          continue;
        case 'rights':
          standing = await this.standing.again(standing);
          await this.snapshots.refresh(standing.tenant, Infinity);
          continue;
        case 'principal':
          throw new Refusal('forbidden', 'the session was ended while the answer was being written');
        case 'missing':
          throw noRequest(id);
        case 'again':
          throw new Refusal('already_answered', 'you have answered this already', { request_status: status });
        case 'over':
          throw new Refusal('already_answered', `it is not open any more: ${status}`, { request_status: status });
        case 'link':
          throw linkRefused();
        case 'shown':
          throw new Refusal('shown_differs', 'what you were shown is not what is asked: look at it again');
      }
    }
    throw new Refusal('too_many_changes', 'others keep answering the same: try again');
  }

  async #attempt(principal: AdministratorPrincipal, id: string, given: Answering): Promise<AnswerOutcome> {
    const { tenant, assurance } = principal;
    const person = await this.#person(principal);
    const request = await this.reader.request(tenant, id);
    const snapshot = await this.snapshots.of(tenant);
    const now = this.clock.now();
    const delegators = await this.delegations.delegatorsOf(tenant, person.id);
    const found = request && answerable(snapshot.policies, request, person, delegators, now);
    if (!found) throw noRequest(id);
    const choice = given.answer === 'agreed' ? chosen(found, given.choice) : null;
    const brokeGlass = breaking(found, given.answer, given.breakGlass);
    const acr = assurance?.acr ?? null;
    const other = found.inPlaceOf && signedIn(found.inPlaceOf);
    const answering = other ?? person;
    const lacking = given.answer === 'agreed' ? lackingAssurance(snapshot.policies, found, answering, acr, now) : [];
    if (lacking.length > 0) throw await this.#stepUp(principal, lacking);
    const agreements = choice === null ? [] : await this.#agreements(tenant, found.request);
    if (choice !== null)
      agreements.push({ person, for: other ?? undefined, acr, brokeGlass: brokeGlass !== null, choice });
    const consents =
      choice === null
        ? undefined
        : consentsOf(snapshot.policies, found.content.requirements, askedFor(found), agreements, now);
    const becomes = given.answer === 'refused' ? 'denied' : consents ? 'approved' : 'pending';
    const written = await this.store.answer(
      tenant,
      actorOf(principal, snapshot, other ? [person, other] : [person], now),
      id,
      found.request.answers.length,
      {
        person: person.id,
        answer: given.answer,
        choice: choice,
        brokeGlass,
        forPerson: found.inPlaceOf?.person ?? null,
        delegation: found.inPlaceOf?.delegation ?? null,
        session: principal.credential,
        acr,
        amr: assurance?.amr ?? [],
        authenticatedAt: assurance?.authTime ?? null,
        shown: given.shown,
        link: given.link ?? null,
      },
      becomes,
      consents ?? [],
    );
    if (written.outcome === 'answered') {
      this.events.answered({
        answer: given.answer,
        choice: choice?.for ?? null,
        brokeGlass: brokeGlass !== null,
        lookedAtMs: this.#looks.take(tenant, id, person.id),
        waitedMs: now - found.request.createdAt,
      });
    }
    return written;
  }

  /** What has come of a request that a person may answer, or has: the agreements, and what became of them. */
  async outcome(principal: AdministratorPrincipal, id: string): Promise<readonly ConsentRow[]> {
    await this.find(principal, id);
    return this.reader.ofRequest(principal.tenant, id);
  }

  /**
   * Takes back what a person has agreed to, with all that came of it; as easily as it was given. When this returns, no
   * decision that is asked for afterwards rests on it. Returns how many agreements there were to end.
   */
  async takeBack(principal: AdministratorPrincipal, id: string): Promise<number> {
    let standing = principal;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const person = await this.#person(standing);
      const { request } = await this.find(standing, id);
      const hasAgreed = request.answers.some((one) => one.person === person.id && one.answer === 'agreed');
      if (!hasAgreed) throw new Refusal('not_entitled', 'you have not agreed to it, so there is nothing to take back');
      const actor = { principal: principalName(standing), proof: standing.proof };
      const { outcome, ended } = await this.store.revoke(standing.tenant, actor, person.id, { request: id }, null);
      if (outcome === 'revoked') return ended;
      if (outcome === 'principal') throw new Refusal('forbidden', 'the session was ended meanwhile');
      standing = await this.standing.again(standing);
      await this.snapshots.refresh(standing.tenant, Infinity);
    }
    throw new Refusal('too_many_changes', 'your rights keep changing: try again');
  }

  async #stepUp(principal: AdministratorPrincipal, acr: readonly string[]): Promise<Refusal> {
    return new Refusal('step_up_required', 'for this you have to sign in better: go to sign_in_url, then try again', {
      sign_in_url: await this.signInPath(principal, acr),
      acr_values: acr.join(' '),
    });
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

  async #agreements(tenant: string, { answers }: StoredConsentRequest): Promise<Agreement[]> {
    const agreements: Agreement[] = [];
    for (const { person: id, forPerson, answer, choice, acr, brokeGlass } of answers) {
      const person = answer === 'agreed' ? await this.people.find(tenant, id) : undefined;
      const other = person && forPerson !== null ? await this.people.find(tenant, forPerson) : undefined;
      if (!person || choice === null || (forPerson !== null && !other)) continue;
      agreements.push({
        person: { id, issuer: person.issuer, claims: person.claims },
        for: other && { id: other.id, issuer: other.issuer, claims: other.claims },
        acr,
        brokeGlass: brokeGlass !== null,
        choice: choice as unknown as ConsentChoice,
      });
    }
    return agreements;
  }
}

/** Requests that are read at once. */
const PAGE = 200;

const noRequest = (id: string): Refusal => new Refusal('not_found', `there is no request '${id}' for you to answer`);

/** In whose name it is written, and what is looked at again: the session, and all that entitles the people. */
function actorOf(
  principal: AdministratorPrincipal,
  snapshot: TenantSnapshot,
  people: readonly SignedInPerson[],
  now: number,
): Parameters<ConsentStore['answer']>[1] {
  const { epoch, keys } = principal.proof;
  const entitling = people.flatMap((person) => personAt(snapshot.policies, person, now)?.keys ?? []);
  return {
    principal: principalName(principal),
    proof: { epoch: Math.min(epoch, snapshot.epoch), keys: [...new Set([...keys, ...entitling])] },
  };
}

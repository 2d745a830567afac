import { Refusal } from '#http';
import { principalName, type AdministratorPrincipal } from '#identity';
import { personAt, type ConsentChoice, type SignedInPerson } from '#policy';
import type { Snapshots } from '#snapshot';
import type { AnswerOutcome, ConsentRequestStatus, ConsentStore, NewConsent } from '#store';
import { askedFor, breaking, chosen, type AnswerableRequest } from './answerable.js';
import { acrOf, type AskedRequests, type Look, type SignInPath } from './asked.js';
import type { ConsentEvents } from './events.js';
import { linkRefused, type UsableLink } from './links.js';
import { neverAgain } from './never-again.js';
import { consentsOf, type Agreement } from './outcome.js';
import { agreementsOf, ownAgreement, signedIn } from './parts.js';

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

/** People's answers to what they are asked: only those of `AskedRequests` give any. */
export class ConsentAnswers {
  constructor(
    private readonly asked: AskedRequests,
    private readonly store: ConsentStore,
    private readonly snapshots: Snapshots,
    private readonly standing: Standing,
    private readonly signInPath: SignInPath,
    private readonly events: Pick<ConsentEvents, 'answered'>,
  ) {}

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
          standing = await this.#again(standing);
          continue;
        case 'principal':
          throw new Refusal('forbidden', 'the session was ended while the answer was being written');
        case 'missing':
          throw new Refusal('not_found', `there is no request '${id}' for you to answer`);
        case 'again':
          throw answeredAlready(status!);
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
    const look = await this.asked.look(principal, id);
    const { person, found } = look;
    const choice = given.answer === 'agreed' ? chosen(found, given.choice) : null;
    const brokeGlass = breaking(found, given.answer, given.breakGlass);
    if (choice !== null) await this.#demandAddition(principal, found, person.id);
    const { inPlaceOf } = found;
    const other = inPlaceOf ? signedIn(inPlaceOf) : undefined;
    const acr = acrOf(principal);
    const agreement = choice && { person, for: other, acr, brokeGlass: brokeGlass !== null, choice };
    const consents = agreement && becoming(look, agreement);
    const written = await this.store.answer(
      tenant,
      actorOf(principal, look, other ? [person, other] : [person]),
      id,
      versionOf(found),
      {
        person: person.id,
        answer: given.answer,
        choice,
        brokeGlass,
        forPerson: inPlaceOf?.person ?? null,
        delegation: inPlaceOf?.delegation ?? null,
        session: principal.credential,
        acr,
        amr: assurance?.amr ?? [],
        authenticatedAt: assurance?.authTime ?? null,
        shown: given.shown,
        link: given.link ?? null,
      },
      given.answer === 'refused' ? 'denied' : consents ? 'approved' : 'pending',
      consents ?? [],
    );
    if (written.outcome === 'answered') {
      this.events.answered({
        answer: given.answer,
        choice: choice?.for ?? null,
        brokeGlass: brokeGlass !== null,
        lookedAtMs: this.asked.looks.take(tenant, id, person.id),
        waitedMs: look.now - found.request.createdAt,
      });
    }
    return written;
  }

  /**
   * Takes back what a person has agreed to, as easily as it was given: of a request that is open their part, of one that was
   * approved all that came of it. When this returns, no decision that is asked for afterwards rests on it. `ended`: how many
   * live agreements had come of it.
   */
  async takeBack(
    principal: AdministratorPrincipal,
    id: string,
  ): Promise<{ readonly status: ConsentRequestStatus; readonly ended: number }> {
    let standing = principal;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const { person } = await this.asked.look(standing, id);
      const actor = { principal: principalName(standing), proof: standing.proof };
      const { outcome, status, ended } = await this.store.takeBack(standing.tenant, actor, id, person.id);
      if (outcome === 'taken_back') return { status: status!, ended };
      if (outcome === 'nothing')
        throw new Refusal('not_entitled', 'you have not agreed to it, so there is nothing to take back');
      if (outcome === 'principal') throw new Refusal('forbidden', 'the session was ended meanwhile');
      standing = await this.#again(standing);
    }
    throw new Refusal('too_many_changes', 'your rights keep changing: try again');
  }

  async #again(principal: AdministratorPrincipal): Promise<AdministratorPrincipal> {
    const standing = await this.standing.again(principal);
    await this.snapshots.refresh(standing.tenant, Infinity);
    return standing;
  }

  /** Throws Refusal where an agreement would meet nothing that it has not met before: sign in otherwise, or it was given. */
  async #demandAddition(
    principal: AdministratorPrincipal,
    { parts, request }: AnswerableRequest,
    person: string,
  ): Promise<void> {
    if (parts.some(({ yours }) => yours === 'agree')) return;
    const lacking = parts.flatMap(({ yours, requirement }) =>
      yours === 'sign_in' ? (requirement.consent.assurance ?? []) : [],
    );
    if (lacking.length > 0) {
      const detail = 'for this you have to sign in better: go to sign_in_url, then try again';
      throw new Refusal('step_up_required', detail, {
        sign_in_url: await this.signInPath(principal, lacking),
        acr_values: lacking.join(' '),
      });
    }
    if (ownAgreement(request.answers, person)) throw answeredAlready(request.status);
  }
}

const answeredAlready = (status: ConsentRequestStatus): Refusal =>
  new Refusal('already_answered', 'you have answered this already', { request_status: status });

/** What comes of all agreements to a request with one more; undefined while it is not enough. */
const becoming = (
  { found, snapshot: { policies }, now }: Look,
  agreement: Agreement,
): readonly NewConsent[] | undefined =>
  consentsOf(
    policies,
    found.content.requirements,
    askedFor(found),
    [...agreementsOf(found.request.answers), agreement],
    now,
  )?.map((consent) => ({
    ...consent,
    superseded: neverAgain(policies, { ...found.request, requirement: consent.requirement }) ?? null,
  }));

/** How many answers were given to a request, and were taken back. */
const versionOf = ({ request: { answers } }: AnswerableRequest): number =>
  answers.length + answers.filter(({ withdrawnAt }) => withdrawnAt !== null).length;

/** In whose name it is written, and what is looked at again: the session, what entitles the people, and the documents. */
function actorOf(
  principal: AdministratorPrincipal,
  { found, snapshot, now }: Look,
  people: readonly SignedInPerson[],
): Parameters<ConsentStore['answer']>[1] {
  const { epoch, keys } = principal.proof;
  const { server } = found.request;
  const entitling = people.flatMap((person) => personAt(snapshot.policies, person, now)?.keys ?? []);
  // Whatever else it was asked for is in a policy or the Tenant document, and a change of those touches everything.
  const about = server === null ? [] : [`server:${server}` as const];
  return {
    principal: principalName(principal),
    proof: { epoch: Math.min(epoch, snapshot.epoch), keys: [...new Set([...keys, ...entitling, ...about])] },
  };
}

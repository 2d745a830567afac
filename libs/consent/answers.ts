import { Refusal } from '#http';
import { principalName, type AdministratorPrincipal } from '#identity';
import {
  choicesOf,
  entitlementOf,
  mayStandIn,
  personAt,
  reachOf,
  type ConsentChoice,
  type Entitlement,
  type KnownPerson,
  type PolicySet,
  type SignedInPerson,
} from '#policy';
import type { Snapshots, TenantSnapshot } from '#snapshot';
import type {
  AnswerOutcome,
  ConsentReader,
  ConsentRequestStatus,
  ConsentStore,
  DatabaseClock,
  DelegationStore,
  Delegator,
  PersonReader,
  StoredConsentRequest,
} from '#store';
import { contentOf, type RequestContent } from './content.js';
import type { ConsentEvents } from './events.js';
import { FirstLooks } from './first-looks.js';
import { consentsOf, type Agreement, type AskedFor } from './outcome.js';

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
}

/** A request, as somebody may answer it. */
export interface AnswerableRequest {
  readonly request: StoredConsentRequest;
  readonly content: RequestContent;
  /** As whom; `none`: they have answered it before, and may not any more. */
  readonly as: Entitlement;
  /** In whose place, where they are not asked themselves. */
  readonly inPlaceOf: Delegator | null;
  readonly choices: readonly ConsentChoice[];
}

/** Says what an administrator is at this moment; Refusal where that is not what it was. */
interface Standing {
  again(principal: AdministratorPrincipal): Promise<AdministratorPrincipal>;
}

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
    const brokeGlass = breaking(found, given);
    const acr = assurance?.acr ?? null;
    const other = found.inPlaceOf && signedIn(found.inPlaceOf);
    if (given.answer === 'agreed') demandAssurance(snapshot.policies, found, other ?? person, acr, now);
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

const askedFor = ({ request, content }: Pick<AnswerableRequest, 'request' | 'content'>): AskedFor => ({
  subject: { ...content.subject, key: request.subject },
  server: request.server === null ? null : { id: request.server },
  session: request.session,
});

/** A request as somebody may answer it; undefined where they may not. */
function answerable(
  set: PolicySet,
  request: StoredConsentRequest,
  person: SignedInPerson,
  delegators: readonly Delegator[],
  now: number,
): AnswerableRequest | undefined {
  const known = personAt(set, person, now);
  if (!known) return undefined;
  const content = contentOf(request.content);
  const asked = askedFor({ request, content });
  const ways = content.requirements.map(({ consent }) => entitlementOf(set, consent, asked, known));
  const own = (['entitled', 'break_glass'] as const).find((way) => ways.includes(way)) ?? 'none';
  // Somebody who may only break the glass rather answers for somebody who is asked.
  const inPlaceOf = own === 'entitled' ? null : placeFor(set, content, asked, known, delegators, now);
  const as = inPlaceOf ? 'entitled' : own;
  const hasAnswered = request.answers.some((answer) => answer.person === person.id);
  if (as === 'none' && !hasAnswered) return undefined;
  const blocks = content.requirements.map(({ consent }) => consent);
  return { request, content, as, inPlaceOf, choices: choicesOf(blocks, request.session !== null) };
}

/** The first of those in whose place somebody may agree to a requirement of a request; null: of nobody. */
function placeFor(
  set: PolicySet,
  { requirements }: RequestContent,
  asked: AskedFor,
  known: KnownPerson,
  delegators: readonly Delegator[],
  now: number,
): Delegator | null {
  const may = (delegator: Delegator): boolean => {
    const other = personAt(set, signedIn(delegator), now);
    return other !== undefined && requirements.some(({ consent }) => mayStandIn(set, consent, asked, known, other));
  };
  return delegators.find(may) ?? null;
}

const signedIn = ({ person, issuer, claims }: Delegator): SignedInPerson => ({ id: person, issuer, claims });

function chosen({ content, choices, request }: AnswerableRequest, choice: ConsentChoice | undefined): ConsentChoice {
  const taken = choice ?? choices[0]!;
  const blocks = content.requirements.map(({ consent }) => consent);
  if (reachOf(blocks, request.session !== null, [taken])) return taken;
  throw new Refusal('invalid_request', 'choice: the policy does not leave that choice; see choices of the request');
}

/** The reason for which the glass is broken; null where it is not. Throws Refusal where it must be said, or must not. */
function breaking({ as }: AnswerableRequest, { answer, breakGlass }: Answering): string | null {
  if (answer === 'refused') return null;
  if (as === 'entitled' && breakGlass === undefined) return null;
  if (as === 'break_glass' && breakGlass !== undefined) return breakGlass;
  throw new Refusal(
    'not_entitled',
    as === 'break_glass'
      ? 'you are not among those who may agree: to break the glass, say why in break_glass'
      : 'break_glass: you are among those who may agree, so there is no glass to break',
  );
}

/** Throws Refusal (`step_up_required`) where no requirement that somebody is entitled to takes a sign-in like theirs. */
function demandAssurance(
  set: PolicySet,
  found: AnswerableRequest,
  person: SignedInPerson,
  acr: string | null,
  now: number,
): void {
  const known = personAt(set, person, now)!;
  const asked = askedFor(found);
  const lacking = found.content.requirements
    .filter(({ consent }) => entitlementOf(set, consent, asked, known) !== 'none')
    .flatMap(({ consent }) =>
      consent.assurance === undefined || consent.assurance === acr ? [] : [consent.assurance],
    );
  if (lacking.length === 0) return;
  throw new Refusal('step_up_required', `for this you have to sign in better: acr ${lacking.join(' ')}`, {
    acr_values: lacking.join(' '),
  });
}

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

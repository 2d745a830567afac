import type { HostScope, VerifiedToken } from '#identity';
import { Refusal, tenantSuspended } from '#http';
import { DecisionLedger, type CommitPort, type LedgerMetrics, type Proposal, type Proposed } from '#ledger';
import {
  decideListing,
  filterOf,
  keyOfIssuer,
  keyOfIssuerText,
  type Columns,
  type Decision,
  type NoFilter,
  type TouchKey,
} from '#policy';
import type { Snapshots } from '#snapshot';
import type { ConsentReader, DatabaseClock } from '#store';
import { Agreements, AgreementsWanted } from './agreements.js';
import type { Answer, Evaluated, FilterAnswer, ListedQuestion, ListingAnswer, SearchAnswer } from './answers.js';
import { agentOf, checkScope, checkSpeaksFor, mayAssertOfResource } from './assertions.js';
import { hostAt, isGood } from './calling-host.js';
import { cutsOff, decideAt, endOf, explainable, inputAt, propose, type Moment } from './moment.js';
import { pace, type Pace } from './pages.js';
import type { Call, Question, Semantic } from './question.js';
import { filterRecord, listingRecord, searchRecord } from './records.js';
import { Rates } from './rate.js';
import { findPage, type Search } from './search.js';
import type { SubjectTokens } from './subject-tokens.js';

/**
 * For how long, in ms, a call may be worked out: a decision is for one moment, and the ledger takes none that is for one
 * more than a second ago.
 */
const LONGEST_MS = 800;

/** How often a call is worked out, where the tenant's state moves on in between. */
const MAX_ATTEMPTS = 5;

export interface DecisionMetrics extends LedgerMetrics {
  decided(front: Call['front'], decision: Decision): void;
}

/** What has been committed, and the ids by which the ledger knows it. */
interface Committed<T> {
  readonly answer: T;
  readonly ids: readonly string[];
}

/** What a call comes to at a moment; undefined if the state moves on meanwhile. */
type Work<T> = (
  moment: Moment,
  turn: Pace,
) => Promise<{ readonly answer: T; readonly proposed: readonly Proposed[] } | undefined>;

/** The one use case: a question on the present state of its tenant, decided, recorded, answered. */
export class Decisions {
  readonly #ledgers = new Map<string, DecisionLedger>();
  readonly #rates = new Rates();

  constructor(
    private readonly snapshots: Snapshots,
    private readonly commits: CommitPort,
    private readonly clock: DatabaseClock,
    private readonly metrics: DecisionMetrics,
    private readonly tokens: SubjectTokens,
    private readonly consents: ConsentReader,
    /** Told of the consents on which answers rest that were given. */
    private readonly onRelied: (tenant: string, consents: readonly string[]) => void = () => undefined,
  ) {
    snapshots.onForget((tenant) => {
      this.#ledgers.delete(tenant);
      this.#rates.forget(tenant);
    });
  }

  /**
   * Whom a token proves, for questions of this call: the caller is known first, as nobody else may have a token verified. Throws
   * UnauthenticatedError, TokenRefused, IdentityProviderUnavailable.
   */
  async verified(call: Call, scope: HostScope, token: string): Promise<VerifiedToken> {
    using _kept = this.#keep(call);
    await this.#bringUp(call);
    const { snapshot, now } = this.#moment(call, scope);
    return this.tokens.verify(snapshot, token, now);
  }

  /**
   * Decides the questions of one call in order, at one revision, and commits them together. What `semantic` cuts off is
   * neither decided nor recorded. Throws UnauthenticatedError, Refusal, LedgerError; to the host each of them means deny.
   */
  async decide(call: Call, questions: readonly Question[], semantic: Semantic = 'execute_all'): Promise<Answer[]> {
    using _kept = this.#keep(call);
    await this.#bringUp(call);
    this.#admit(call, 'decisions', questions.length);
    const [only] = questions;
    const { answer, ids } = await this.#withAgreements(call, questions, (agreements) =>
      only && questions.length === 1
        ? this.#decideOne(call, only, agreements)
        : this.#decideAll(call, questions, semantic, agreements),
    );
    for (const { decision } of answer) this.metrics.decided(call.front, decision);
    this.#noteRelied(call.tenant, answer, semantic);
    return answer.map((each, index) => ({ ...each, evaluationId: ids[index]! }));
  }

  /**
   * Decides with what people have agreed to, which is looked up only where it could make an ask an allow, and anew where a
   * consent was gone or used when the decision was committed.
   */
  async #withAgreements<T>(
    { tenant }: Call,
    questions: readonly Question[],
    work: (agreements: Agreements) => Promise<T>,
  ): Promise<T> {
    let agreements = await Agreements.load(this.consents, tenant, questions);
    for (let attempt = 1; ; attempt++) {
      try {
        return await work(agreements);
      } catch (error) {
        if (!(error instanceof AgreementsWanted)) throw error;
        if (attempt === MAX_ATTEMPTS) throw changing();
        agreements = await Agreements.load(this.consents, tenant, questions, error.bindings, agreements);
      }
    }
  }

  /** One question is decided when its turn at the ledger has come, on the state of that moment. */
  async #decideOne(call: Call, question: Question, agreements: Agreements): Promise<Committed<Evaluated[]>> {
    let answer: Evaluated[] = [];
    let relies = false;
    const evaluate = () => {
      // A consent that it relied on may be gone or used: what there is now is to be looked up.
      if (relies) throw new AgreementsWanted([]);
      const moment = this.#moment(call, 'decisions');
      const shared = { explained: explainable([question], moment.principal), agreements, taken: new Map() };
      const { evaluated, proposed } = decideAt(moment, call, question, shared);
      answer = [evaluated];
      relies = evaluated.decision.consents.length > 0;
      return [proposed];
    };
    const ids = await this.#ledger(call.tenant).submit({ evaluate });
    return { answer, ids };
  }

  async #decideAll(
    call: Call,
    questions: readonly Question[],
    semantic: Semantic,
    agreements: Agreements,
  ): Promise<Committed<Evaluated[]>> {
    return this.#inTurns(call, 'decisions', async (moment, turn) => {
      const shared = { explained: explainable(questions, moment.principal), agreements, taken: new Map() };
      const answer: Evaluated[] = [];
      const proposed: Proposed[] = [];
      for (const question of questions) {
        if (!(await turn())) return undefined;
        const decided = decideAt(moment, call, question, shared);
        answer.push(decided.evaluated);
        proposed.push(decided.proposed);
        if (cutsOff(semantic, decided.evaluated.decision)) break;
      }
      const isAllowed = answer.every(({ decision }) => decision.effect === 'allow');
      return { answer, proposed: semantic === 'as_one' && !isAllowed ? proposed.map(withoutUses) : proposed };
    });
  }

  /** Says of each entry of a list what a use of it could come to. One record, however many entries. */
  async list(call: Call, list: Question, entries: readonly ListedQuestion[]): Promise<ListingAnswer> {
    using _kept = this.#keep(call);
    await this.#bringUp(call);
    this.#admit(call, 'listings', entries.length);
    const { answer, ids } = await this.#inTurns(call, 'listings', async (moment, turn) => {
      const { snapshot, principal, now } = moment;
      const asked = inputAt(moment, list);
      const { type, id, issuer } = asked.subject;
      const keys = new Set<TouchKey>([`host:${principal.host}`, `host:${asked.agent}`, `subject:${type}:${id}`]);
      if (issuer) keys.add(keyOfIssuer(issuer.name)).add(keyOfIssuerText(issuer.iss));
      const items: ListingAnswer['items'][number][] = [];
      for (const { name, question } of entries) {
        if (!(await turn())) return undefined;
        const input = { ...inputAt(moment, question), arguments: 'unknown' as const };
        const { effect, conditional, keys: touched } = decideListing(snapshot.policies, input, now);
        touched.forEach((key) => keys.add(key));
        items.push({ name, effect, conditional });
      }
      const content = listingRecord(call, principal, { ...asked, proof: list.proof }, items, moment);
      const proposed = [propose('listing', moment, [...keys], endOf(list, null), content)];
      return { answer: { revision: moment.revision, items }, proposed };
    });
    return { evaluationId: ids[0]!, ...answer };
  }

  /**
   * Finds one page of what would be allowed: every candidate decided at one revision, with turns for others in between.
   * One record for a page. Where the state moves on meanwhile the page is searched for anew.
   */
  async search(call: Call, search: Search): Promise<SearchAnswer> {
    using _kept = this.#keep(call);
    await this.#bringUp(call);
    this.#admit(call, 'search', 1);
    const { answer, ids } = await this.#inTurns(call, 'search', async (moment, turn) => {
      const { snapshot, principal, revision, now } = moment;
      const agent = agentOf(search.fixed, principal);
      if (search.searched !== 'subject') checkSpeaksFor(search.fixed.subject, principal);
      const page = await findPage(search, snapshot.policies, principal, now, turn);
      if (!page) return undefined;
      const keys = new Set<TouchKey>([
        `host:${principal.host}`,
        `host:${agent}`,
        ...page.decisions.flatMap((decision) => decision.keys),
      ]);
      const ends = page.decisions.flatMap(({ validUntil }) => validUntil ?? []);
      const content = searchRecord(call, principal, search, page, agent, moment);
      const proposed = [propose('listing', moment, [...keys], ends.length > 0 ? Math.min(...ends) : null, content)];
      return { answer: { revision, now, found: page.found, next: page.next }, proposed };
    });
    return { evaluationId: ids[0]!, ...answer };
  }

  /**
   * Works on one state with turns for others in between, and commits what comes of it. Where the state moves on meanwhile,
   * or the ledger refuses it, all is done anew.
   *
   * INVARIANT: what is committed was worked out on one revision, and is committed under its epoch and its moment.
   */
  async #inTurns<T>(call: Call, scope: HostScope, work: Work<T>): Promise<Committed<T>> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const moment = this.#moment(call, scope);
      const { snapshot, revision } = moment;
      const began = performance.now();
      const holds = () => {
        if (performance.now() - began > LONGEST_MS) throw tooMuch();
        return this.snapshots.held(call.tenant) === snapshot && snapshot.revision === revision;
      };
      const done = await work(moment, pace(holds));
      if (!done) continue;
      let proposals = 0;
      const evaluate = () => {
        if (proposals++ > 0) throw done.proposed.some(isAgreedTo) ? new AgreementsWanted([]) : new Overtaken();
        return done.proposed;
      };
      try {
        return { answer: done.answer, ids: await this.#ledger(call.tenant).submit({ evaluate }) };
      } catch (error) {
        if (!(error instanceof Overtaken)) throw error;
      }
    }
    throw changing();
  }

  /**
   * Says for which rows of the caller's the question would be allowed; the id and the attributes of its resource do not
   * count. Throws Refusal (`no_exact_filter`) where no filter says exactly that.
   */
  async filter(
    call: Call,
    question: Question,
    table: { readonly columns: Columns | null; readonly firstParameter: number },
  ): Promise<FilterAnswer> {
    using _kept = this.#keep(call);
    await this.#bringUp(call);
    this.#admit(call, 'filter', 1);
    let answer: Omit<FilterAnswer, 'evaluationId'> | undefined;
    const proposal: Proposal = {
      evaluate: () => {
        const moment = this.#moment(call, 'filter');
        const { snapshot, principal, revision, now } = moment;
        const { rights } = principal;
        const input = inputAt(moment, question);
        const isOpen = (name: string) => mayAssertOfResource(name, rights);
        const filter = filterOf(snapshot.policies, input, { isOpen, ...table }, now);
        if ('refused' in filter) throw noFilter(filter.refused, rights.explain);
        answer = { revision, now, filter };
        const content = filterRecord(call, principal, { ...input, proof: question.proof }, filter, moment);
        return [propose('listing', moment, filter.keys, endOf(question, filter.validUntil), content)];
      },
    };
    const [evaluationId] = await this.#ledger(call.tenant).submit(proposal);
    return { evaluationId: evaluationId!, ...answer! };
  }

  /** Resolves when no decision is under way any more. */
  async drain(): Promise<void> {
    await Promise.all([...this.#ledgers.values()].map((ledger) => ledger.drain()));
  }

  /** While a decision is under way, the state that it rests on stays in memory. */
  #keep({ tenant }: Call): Disposable {
    return { [Symbol.dispose]: this.snapshots.hold(tenant) };
  }

  /** Of a whole that is not allowed, nothing was used. */
  #noteRelied(tenant: string, answers: readonly Evaluated[], semantic: Semantic): void {
    if (semantic === 'as_one' && answers.some(({ decision }) => decision.effect !== 'allow')) return;
    const relied = answers.flatMap(({ decision }) => decision.consents);
    if (relied.length > 0) this.onRelied(tenant, relied);
  }

  /** Takes its questions off what the tenant may ask of this process. Whoever is not good may not use that up. */
  #admit(call: Call, scope: HostScope, questions: number): void {
    const perSecond = this.snapshots.held(call.tenant)?.decisionsPerSecond ?? null;
    if (perSecond === null) return;
    this.#moment(call, scope);
    this.#rates.take(call.tenant, perSecond, questions);
  }

  /** Loads the tenant if need be, and brings it to what the caller knows of: a revision, or a key that is new here. */
  async #bringUp(call: Call): Promise<void> {
    const { tenant, atLeast } = call;
    const snapshot = this.snapshots.held(tenant) ?? (await this.snapshots.of(tenant));
    if (!isGood(snapshot, call, this.clock.now())) await this.snapshots.refresh(tenant, Infinity);
    if (atLeast === undefined || snapshot.revision >= atLeast) return;
    await this.snapshots.refresh(tenant, atLeast);
    const revision = this.snapshots.held(tenant)?.revision ?? 0;
    if (revision >= atLeast) return;
    throw new Refusal('revision_not_reached', `at_least is ${atLeast}, and the newest revision is ${revision}`);
  }

  /** The caller is looked at anew at each evaluation: a key that was disabled in between decides nothing any more. */
  #moment({ tenant, key, address }: Call, scope: HostScope): Moment {
    const snapshot = this.snapshots.held(tenant);
    if (!snapshot) throw new Refusal('too_many_changes', 'the state of the tenant is being loaded: ask again');
    const now = this.clock.now();
    const principal = hostAt(snapshot, { key, address }, now);
    checkScope(scope, principal);
    if (snapshot.suspended) throw tenantSuspended();
    return { snapshot, revision: snapshot.revision, epoch: snapshot.epoch, principal, now };
  }

  #ledger(tenant: string): DecisionLedger {
    let ledger = this.#ledgers.get(tenant);
    if (!ledger) {
      const refresh = (of: string, revision: number) => this.snapshots.refresh(of, revision);
      this.#ledgers.set(tenant, (ledger = new DecisionLedger(tenant, this.commits, refresh, this.metrics)));
    }
    return ledger;
  }
}

const changing = (): Refusal => new Refusal('too_many_changes', 'the state of the tenant keeps changing: ask again');

const tooMuch = (): Refusal =>
  new Refusal('too_much_at_once', 'the call takes too long to be decided at one moment: ask for less at once');

/** Of a part of an operation that is not allowed as a whole: nothing happens that a use could be for. */
const withoutUses = ({ consents: _consents, ...proposed }: Proposed): Proposed => proposed;

/** Whether a decision relies on what people have agreed to: then that is looked up anew as well. */
const isAgreedTo = ({ consents = [] }: Proposed): boolean => consents.length > 0;

/** What took its time was refused by the ledger, and is not done anew while others wait. */
class Overtaken extends Error {}

/** The text of a condition is for those who may be told in detail what stands in the way. */
function noFilter({ why, rule, clause }: NoFilter, explain: boolean): Refusal {
  const of = rule ? `the rule '${rule.rule}' of the policy '${rule.policy}' is in the way: ` : '';
  return new Refusal('no_exact_filter', `no filter says exactly which rows are allowed: ${of}${why}. Ask row by row`, {
    ...(rule ? { rule } : {}),
    ...(explain && clause !== null ? { clause } : {}),
  });
}

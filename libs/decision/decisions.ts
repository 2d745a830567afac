import type { HostScope, VerifiedToken } from '#identity';
import type { CommitPort, LedgerMetrics, Proposal, Proposed } from '#ledger';
import type { Columns, Decision } from '#policy';
import type { Snapshots } from '#snapshot';
import type { ConsentReader, DatabaseClock } from '#store';
import { filterAt, listAt, searchAt } from './advisory.js';
import { Agreements, AgreementsWanted, Wanted } from './agreements.js';
import type { Answer, Evaluated, FilterAnswer, ListedQuestion, ListingAnswer, SearchAnswer } from './answers.js';
import { cutsOff, decideAt, explainable } from './moment.js';
import { Present } from './present.js';
import type { Call, Question, Semantic } from './question.js';
import type { Search } from './search.js';
import type { SubjectTokens } from './subject-tokens.js';
import { changing, inTurns, MAX_ATTEMPTS, type Committed } from './turns.js';

export interface DecisionMetrics extends LedgerMetrics {
  decided(front: Call['front'], decision: Decision): void;
}

/** The one use case: a question on the present state of its tenant, decided, recorded, answered. */
export class Decisions {
  readonly #present: Present;

  constructor(
    snapshots: Snapshots,
    commits: CommitPort,
    clock: DatabaseClock,
    private readonly metrics: DecisionMetrics,
    private readonly tokens: SubjectTokens,
    private readonly consents: ConsentReader,
    /** Told of the consents on which answers rest that were given. */
    private readonly onRelied: (tenant: string, consents: readonly string[]) => void = () => undefined,
  ) {
    this.#present = new Present(snapshots, commits, clock, metrics);
  }

  /**
   * Whom a token proves, for questions of this call: the caller is known first, as nobody else may have a token verified. Throws
   * UnauthenticatedError, TokenRefused, IdentityProviderUnavailable.
   */
  async verified(call: Call, scope: HostScope, token: string): Promise<VerifiedToken> {
    using _kept = this.#present.keep(call);
    await this.#present.bringUp(call);
    const { snapshot, now } = this.#present.moment(call, scope);
    return this.tokens.verify(snapshot, token, now);
  }

  /**
   * Decides the questions of one call in order, at one revision, and commits them together. What `semantic` cuts off is
   * neither decided nor recorded. Throws UnauthenticatedError, Refusal, LedgerError; to the host each of them means deny.
   */
  async decide(call: Call, questions: readonly Question[], semantic: Semantic = 'execute_all'): Promise<Answer[]> {
    using _kept = this.#present.keep(call);
    await this.#present.bringUp(call);
    this.#present.admit(call, 'decisions', questions.length);
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
      const moment = this.#present.moment(call, 'decisions');
      const shared = { explained: explainable([question], moment.principal), agreements, taken: new Map() };
      const { evaluated, proposed } = decideAt(moment, call, question, shared);
      answer = [evaluated];
      relies = evaluated.decision.consents.length > 0;
      return [proposed];
    };
    const ids = await this.#present.ledger(call.tenant).submit({ evaluate });
    return { answer, ids };
  }

  async #decideAll(
    call: Call,
    questions: readonly Question[],
    semantic: Semantic,
    agreements: Agreements,
  ): Promise<Committed<Evaluated[]>> {
    return inTurns(this.#present, call, 'decisions', async (moment, turn) => {
      const shared = { explained: explainable(questions, moment.principal), agreements, taken: new Map() };
      const answer: Evaluated[] = [];
      const proposed: Proposed[] = [];
      const wanted = new Wanted();
      for (const question of questions) {
        if (!(await turn())) return undefined;
        const decided = wanted.of(() => decideAt(moment, call, question, shared));
        if (!decided) continue;
        answer.push(decided.evaluated);
        proposed.push(decided.proposed);
        if (!wanted.isAny && cutsOff(semantic, decided.evaluated.decision)) break;
      }
      wanted.demand();
      const isAllowed = answer.every(({ decision }) => decision.effect === 'allow');
      return { answer, proposed: semantic === 'as_one' && !isAllowed ? proposed.map(withoutUses) : proposed };
    });
  }

  /** Says of each entry of a list what a use of it could come to. One record, however many entries. */
  async list(call: Call, list: Question, entries: readonly ListedQuestion[]): Promise<ListingAnswer> {
    using _kept = this.#present.keep(call);
    await this.#present.bringUp(call);
    this.#present.admit(call, 'listings', entries.length);
    const { answer, ids } = await inTurns(this.#present, call, 'listings', (moment, turn) =>
      listAt(moment, call, list, entries, turn),
    );
    return { evaluationId: ids[0]!, ...answer };
  }

  /**
   * Finds one page of what would be allowed: every candidate decided at one revision, with turns for others in between.
   * One record for a page. Where the state moves on meanwhile the page is searched for anew.
   */
  async search(call: Call, search: Search): Promise<SearchAnswer> {
    using _kept = this.#present.keep(call);
    await this.#present.bringUp(call);
    this.#present.admit(call, 'search', 1);
    const { answer, ids } = await inTurns(this.#present, call, 'search', (moment, turn) =>
      searchAt(moment, call, search, turn),
    );
    return { evaluationId: ids[0]!, ...answer };
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
    using _kept = this.#present.keep(call);
    await this.#present.bringUp(call);
    this.#present.admit(call, 'filter', 1);
    let answer: Omit<FilterAnswer, 'evaluationId'> | undefined;
    const proposal: Proposal = {
      evaluate: () => {
        const advised = filterAt(this.#present.moment(call, 'filter'), call, question, table);
        answer = advised.answer;
        return advised.proposed;
      },
    };
    const [evaluationId] = await this.#present.ledger(call.tenant).submit(proposal);
    return { evaluationId: evaluationId!, ...answer! };
  }

  /** Resolves when no decision is under way any more. */
  async drain(): Promise<void> {
    await this.#present.drain();
  }

  /** Of a whole that is not allowed, nothing was used. */
  #noteRelied(tenant: string, answers: readonly Evaluated[], semantic: Semantic): void {
    if (semantic === 'as_one' && answers.some(({ decision }) => decision.effect !== 'allow')) return;
    const relied = answers.flatMap(({ decision }) => decision.consents);
    if (relied.length > 0) this.onRelied(tenant, relied);
  }
}

/** Of a part of an operation that is not allowed as a whole: nothing happens that a use could be for. */
const withoutUses = ({ consents: _consents, ...proposed }: Proposed): Proposed => proposed;

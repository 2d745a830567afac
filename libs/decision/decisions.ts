import { principalOf, type HostPrincipal, type PresentedKey } from '#identity';
import { Refusal } from '#http';
import { DecisionLedger, type CommitPort, type LedgerMetrics, type Proposal, type Proposed } from '#ledger';
import {
  decide,
  decideListing,
  explain,
  filterOf,
  type Columns,
  type Decision,
  type Effect,
  type Explanation,
  type Filter,
  type NoFilter,
  type TouchKey,
} from '#policy';
import type { Snapshots, TenantSnapshot } from '#snapshot';
import type { DatabaseClock } from '#store';
import { checkSpeaksFor, mayAssertOfResource, permitted } from './assertions.js';
import { pace } from './pages.js';
import type { Call, Question, Semantic } from './question.js';
import { decisionRecord, filterRecord, listingRecord, searchRecord } from './records.js';
import { findPage, type FoundPage, type Search } from './search.js';

/** A decision that is valid: it stands in the ledger. */
export interface Answer {
  readonly evaluationId: string;
  readonly revision: number;
  /** The moment that it was decided for, by the database's clock, in ms since 1970. */
  readonly now: number;
  readonly decision: Decision;
  /** Whether the caller may be told in detail what stood in the way. */
  readonly explain: boolean;
  /** Where one was asked for. */
  readonly explanation: Explanation | undefined;
}

/** One entry of a listing, as a question and by its name. */
export interface ListedQuestion {
  readonly name: string;
  readonly question: Question;
}

/** The listing that is valid: advisory, and recorded once. */
export interface ListingAnswer {
  readonly evaluationId: string;
  readonly revision: number;
  readonly items: readonly { readonly name: string; readonly effect: Effect; readonly conditional: boolean }[];
}

/** The page of a search that is valid: advisory, and recorded once. */
export interface SearchAnswer extends Pick<FoundPage, 'found' | 'next'> {
  readonly evaluationId: string;
  readonly revision: number;
  readonly now: number;
}

/** The filter that is valid: advisory, and recorded once. */
export interface FilterAnswer {
  readonly evaluationId: string;
  readonly revision: number;
  readonly now: number;
  readonly filter: Filter;
}

/** How often a page is searched for anew, where the tenant's state moves on in between. */
const MAX_SEARCHES = 5;

/** Answers of one call that are explained at most: an explanation takes as long as many decisions. */
const MAX_EXPLAINED = 20;

export interface DecisionMetrics extends LedgerMetrics {
  decided(front: Call['front'], decision: Decision): void;
}

/** What is known at one evaluation. */
interface Moment {
  readonly snapshot: TenantSnapshot;
  readonly principal: HostPrincipal;
  readonly now: number;
}

/** The one use case: a question on the present state of its tenant, decided, recorded, answered. */
export class Decisions {
  readonly #ledgers = new Map<string, DecisionLedger>();

  constructor(
    private readonly snapshots: Snapshots,
    private readonly commits: CommitPort,
    private readonly clock: DatabaseClock,
    private readonly metrics: DecisionMetrics,
  ) {}

  /**
   * Decides the questions of one call in order, at one revision, and commits them together. What `semantic` cuts off is
   * neither decided nor recorded. Throws UnauthenticatedError, Refusal, LedgerError; to the host each of them means deny.
   */
  async decide(call: Call, questions: readonly Question[], semantic: Semantic = 'execute_all'): Promise<Answer[]> {
    await this.#bringUp(call);
    let evaluated: Omit<Answer, 'evaluationId'>[] = [];
    const proposal: Proposal = {
      evaluate: () => {
        const moment = this.#moment(call);
        const { snapshot, principal, now } = moment;
        const { revision, epoch } = snapshot;
        const explained = explainable(questions, principal);
        evaluated = [];
        const proposed: Proposed[] = [];
        for (const question of questions) {
          const input = permitted(question, principal);
          const decision = decide(snapshot.policies, input, [], now);
          const decided = { set: snapshot.policies, input, consents: [], now, decision };
          const explanation = question.explain ? explain(decided, 1 / explained) : undefined;
          evaluated.push({ decision, revision, now, explain: principal.rights.explain, explanation });
          const content = decisionRecord(call, principal, input, decision, { revision, epoch, now });
          proposed.push(propose('decision', moment, decision.keys, decision.validUntil, content));
          if (cutsOff(semantic, decision)) break;
        }
        return proposed;
      },
    };
    const ids = await this.#ledger(call.tenant).submit(proposal);
    for (const { decision } of evaluated) this.metrics.decided(call.front, decision);
    return evaluated.map((answer, index) => ({ ...answer, evaluationId: ids[index]! }));
  }

  /** Says of each entry of a list what a use of it could come to. One record, however many entries. */
  async list(call: Call, list: Question, entries: readonly ListedQuestion[]): Promise<ListingAnswer> {
    await this.#bringUp(call);
    let answer: Omit<ListingAnswer, 'evaluationId'> = { revision: 0, items: [] };
    const proposal: Proposal = {
      evaluate: () => {
        const moment = this.#moment(call);
        const { snapshot, principal, now } = moment;
        const { revision, epoch } = snapshot;
        const asked = permitted(list, principal);
        const keys = new Set<TouchKey>([`host:${asked.agent}`, `subject:${asked.subject.type}:${asked.subject.id}`]);
        const items = entries.map(({ name, question }) => {
          const input = { ...permitted(question, principal), arguments: 'unknown' as const };
          const listed = decideListing(snapshot.policies, input, now);
          listed.keys.forEach((key) => keys.add(key));
          return { name, effect: listed.effect, conditional: listed.conditional };
        });
        answer = { revision, items };
        const content = listingRecord(call, principal, asked, items, { revision, epoch, now });
        return [propose('listing', moment, [...keys], null, content)];
      },
    };
    const [evaluationId] = await this.#ledger(call.tenant).submit(proposal);
    return { evaluationId: evaluationId!, ...answer };
  }

  /**
   * Finds one page of what would be allowed: every candidate decided at one revision, with turns for others in between.
   * One record for a page. Where the state moves on meanwhile the page is searched for anew.
   */
  async search(call: Call, search: Search): Promise<SearchAnswer> {
    await this.#bringUp(call);
    for (let searches = 0; searches < MAX_SEARCHES; searches++) {
      const answer = await this.#searchOnce(call, search);
      if (answer) return answer;
    }
    throw new Refusal('too_many_changes', 'the state of the tenant keeps changing: ask again');
  }

  /** Undefined if what was found is overtaken. */
  async #searchOnce(call: Call, search: Search): Promise<SearchAnswer | undefined> {
    const moment = this.#moment(call);
    const { snapshot, principal, now } = moment;
    const { revision, epoch } = snapshot;
    if (search.searched !== 'subject') checkSpeaksFor(search.fixed.subject, principal);
    const holds = () => this.snapshots.held(call.tenant) === snapshot && snapshot.revision === revision;
    const page = await findPage(search, snapshot.policies, principal, now, pace(holds));
    if (!page) return undefined;
    const keys = new Set<TouchKey>([`host:${principal.host}`, ...page.decisions.flatMap((decision) => decision.keys)]);
    const ends = page.decisions.flatMap(({ validUntil }) => validUntil ?? []);
    const content = searchRecord(call, principal, search, page, { revision, epoch, now });
    const validUntil = ends.length > 0 ? Math.min(...ends) : null;
    // The epoch is that of the search, also where the snapshot has moved on since: the commit compares.
    const proposed = { ...propose('listing', moment, [...keys], validUntil, content), epoch };
    let proposals = 0;
    const proposal: Proposal = {
      evaluate() {
        if (proposals++ > 0) throw new Overtaken();
        return [proposed];
      },
    };
    try {
      const [evaluationId] = await this.#ledger(call.tenant).submit(proposal);
      return { evaluationId: evaluationId!, revision, now, found: page.found, next: page.next };
    } catch (error) {
      if (error instanceof Overtaken) return undefined;
      throw error;
    }
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
    await this.#bringUp(call);
    let answer: Omit<FilterAnswer, 'evaluationId'> | undefined;
    const proposal: Proposal = {
      evaluate: () => {
        const moment = this.#moment(call);
        const { snapshot, principal, now } = moment;
        const { revision, epoch } = snapshot;
        const { rights } = principal;
        const input = permitted(question, principal);
        const isOpen = (name: string) => mayAssertOfResource(name, rights);
        const filter = filterOf(snapshot.policies, input, { isOpen, ...table }, now);
        if ('refused' in filter) throw noFilter(filter.refused, rights.explain);
        answer = { revision, now, filter };
        const content = filterRecord(call, principal, input, filter, { revision, epoch, now });
        return [propose('listing', moment, filter.keys, filter.validUntil, content)];
      },
    };
    const [evaluationId] = await this.#ledger(call.tenant).submit(proposal);
    return { evaluationId: evaluationId!, ...answer! };
  }

  /** Resolves when no decision is under way any more. */
  async drain(): Promise<void> {
    await Promise.all([...this.#ledgers.values()].map((ledger) => ledger.drain()));
  }

  /** Loads the tenant if need be, and brings it to what the caller knows of: a revision, or a key that is new here. */
  async #bringUp({ tenant, key, atLeast }: Call): Promise<void> {
    const snapshot = this.snapshots.held(tenant) ?? (await this.snapshots.of(tenant));
    if (!isGood(tenant, snapshot, key, this.clock.now())) await this.snapshots.refresh(tenant, Infinity);
    if (atLeast === undefined || snapshot.revision >= atLeast) return;
    await this.snapshots.refresh(tenant, atLeast);
    const revision = this.snapshots.held(tenant)?.revision ?? 0;
    if (revision >= atLeast) return;
    throw new Refusal('revision_not_reached', `at_least is ${atLeast}, and the newest revision is ${revision}`);
  }

  /** The caller is looked at anew at each evaluation: a key that was disabled in between decides nothing any more. */
  #moment({ tenant, key }: Call): Moment {
    const snapshot = this.snapshots.held(tenant);
    if (!snapshot) throw new Refusal('too_many_changes', 'the state of the tenant is being loaded: ask again');
    const now = this.clock.now();
    const principal = principalOf(tenant, snapshot.credential(key.id), key, now);
    if (principal.kind !== 'host') throw new Refusal('not_a_host', 'only the key of a host can ask for decisions');
    return { snapshot, principal, now };
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

/** A page of a search was refused by the ledger: it is searched for anew, which takes its time. */
class Overtaken extends Error {}

/** The text of a condition is for those who may be told in detail what stands in the way. */
function noFilter({ why, rule, clause }: NoFilter, explain: boolean): Refusal {
  const of = rule ? `the rule '${rule.rule}' of the policy '${rule.policy}' is in the way: ` : '';
  return new Refusal('no_exact_filter', `no filter says exactly which rows are allowed: ${of}${why}. Ask row by row`, {
    ...(rule ? { rule } : {}),
    ...(explain && clause !== null ? { clause } : {}),
  });
}

function isGood(tenant: string, snapshot: TenantSnapshot, key: PresentedKey, now: number): boolean {
  try {
    return principalOf(tenant, snapshot.credential(key.id), key, now) !== undefined;
  } catch {
    return false;
  }
}

/** How many of the questions want an explanation. Throws Refusal where the key may not have one, or there are too many. */
function explainable(questions: readonly Question[], { host, rights }: HostPrincipal): number {
  const count = questions.reduce((sum, question) => sum + Number(question.explain === true), 0);
  if (count > 0 && !rights.explain) {
    throw new Refusal(
      'forbidden',
      `explain: the key of the host '${host}' may not have answers explained: an administrator can give it the right 'explain'`,
    );
  }
  if (count > MAX_EXPLAINED) {
    throw new Refusal('invalid_request', `explain: at most ${MAX_EXPLAINED} answers of a call, and not ${count}`);
  }
  return count;
}

/** Whether a call stops at a decision. */
export function cutsOff(semantic: Semantic, { effect }: Decision): boolean {
  if (semantic === 'deny_on_first_deny') return effect !== 'allow';
  return semantic === 'permit_on_first_permit' && effect === 'allow';
}

function propose(
  kind: Proposed['kind'],
  moment: Moment,
  keys: readonly string[],
  validUntil: number | null,
  content: string,
): Proposed {
  const { snapshot, principal, now } = moment;
  const ends = [validUntil, principal.validUntil].filter((end) => end !== null);
  return {
    kind,
    epoch: snapshot.epoch,
    now,
    validUntil: ends.length > 0 ? Math.min(...ends) : null,
    keys: [...keys, `credential:${principal.credential}`],
    content,
  };
}

import { randomBytes } from 'node:crypto';
import type { CommitAnswer, DecisionEntry, RefusalReason } from '#store';
import { LedgerError } from './errors.js';
import { evaluationId, NO_RECORD, recordBody, recordHash, type RecordContent } from './record.js';

/** One decision as it was evaluated, before it is valid. */
export interface Proposed {
  readonly kind: DecisionEntry['kind'];
  readonly epoch: number;
  /** The epoch of the guardrails that it was evaluated under. */
  readonly guardrails: number;
  /** The moment that it was evaluated for, by the database's clock, in ms since 1970. */
  readonly now: number;
  readonly validUntil: number | null;
  readonly keys: readonly string[];
  /** Whom a decision is about, by `subjectDigest`. */
  readonly subject?: DecisionEntry['subject'];
  /** The consents that an allow rests on; left out: none. */
  readonly consents?: DecisionEntry['consents'];
  readonly content: RecordContent;
}

/** Decisions that were evaluated together at one revision and become valid together, or not at all. */
export interface Proposal {
  /** Evaluates anew, on what is known now. Throws where there is nothing to decide any more: the caller's key is gone. */
  evaluate(): readonly Proposed[];
}

/** What the ledger needs of the database. */
export interface CommitPort {
  newWriter(): Promise<number>;
  commit(tenant: string, writer: number, firstSeq: number, entries: readonly DecisionEntry[]): Promise<CommitAnswer>;
}

/** Brings a tenant's snapshot to a revision, and to an epoch of the guardrails, before decisions are evaluated again. */
export type Refresh = (tenant: string, revision: number, guardrails: number) => Promise<void>;

export interface LedgerMetrics {
  /** A batch was committed: how many decisions, and how long it took, in ms. */
  committed(decisions: number, ms: number): void;
  refused(reason: RefusalReason): void;
}

const MAX_BATCH = 512;
const MAX_QUEUE = 20_000;
const MAX_ROUNDS = 3;
/** An answer that took longer than this, in ms, is not given: what it rests on may be long gone. */
const MAX_COMMIT_MS = 2000;

interface Job {
  readonly proposal: Proposal;
  proposed: readonly Proposed[];
  rounds: number;
  readonly resolve: (evaluationIds: readonly string[]) => void;
  readonly reject: (error: unknown) => void;
}

/** A chain of records under way: its number, and where it stands. */
interface Chain {
  readonly writer: number;
  seq: number;
  prev: string;
}

/**
 * Makes the decisions of one tenant valid by writing them down: no record, no answer. One batch is under way at a time;
 * what comes in meanwhile is evaluated at once and goes with the next.
 */
export class DecisionLedger {
  readonly #queue: Job[] = [];
  #queued = 0;
  #chain: Chain | undefined;
  #pumping: Promise<void> | undefined;

  constructor(
    private readonly tenant: string,
    private readonly port: CommitPort,
    private readonly refresh: Refresh,
    private readonly metrics: LedgerMetrics,
  ) {}

  /**
   * Evaluates a proposal and commits it. Resolves with an evaluation id for each decision once they are durable; the
   * proposal's last evaluation is then the valid one. Rejects with a LedgerError, or with what `evaluate` throws.
   */
  submit(proposal: Proposal): Promise<readonly string[]> {
    return new Promise((resolve, reject) => {
      if (this.#queued >= MAX_QUEUE) {
        reject(new LedgerError('overloaded', 'too many decisions are waiting: try again'));
        return;
      }
      const proposed = proposal.evaluate();
      this.#queue.push({ proposal, proposed, rounds: 0, resolve, reject });
      this.#queued += proposed.length;
      this.#pumping ??= this.#pump();
    });
  }

  /** Resolves when nothing is under way or waiting any more. */
  async drain(): Promise<void> {
    await this.#pumping;
  }

  async #pump(): Promise<void> {
    // Let every request of this turn of the event loop join the first batch.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const jobs = this.#takeBatch();
      try {
        await this.#commit(jobs);
      } catch (cause) {
        this.#chain = undefined;
        const error =
          cause instanceof LedgerError
            ? cause
            : new LedgerError('ledger_unavailable', 'the decision could not be recorded', { cause });
        for (const job of jobs) job.reject(error);
      }
    }
    this.#pumping = undefined;
  }

  #takeBatch(): Job[] {
    const jobs: Job[] = [];
    let size = 0;
    while (this.#queue.length > 0 && (size === 0 || size + this.#queue[0]!.proposed.length <= MAX_BATCH)) {
      const job = this.#queue.shift()!;
      size += job.proposed.length;
      jobs.push(job);
    }
    this.#queued -= size;
    return jobs;
  }

  async #commit(jobs: readonly Job[]): Promise<void> {
    this.#chain ??= { writer: await this.port.newWriter(), seq: 0, prev: NO_RECORD };
    const chain = this.#chain;
    const { entries, ids, prev } = chained(this.tenant, chain, jobs);
    const sentAt = performance.now();
    const answer = await this.port.commit(this.tenant, chain.writer, chain.seq + 1, entries);
    const took = performance.now() - sentAt;
    if (answer.refused.length > 0) {
      await this.#again(jobs, answer);
      return;
    }
    chain.seq += entries.length;
    chain.prev = prev;
    this.metrics.committed(entries.length, took);
    const late =
      took > MAX_COMMIT_MS
        ? new LedgerError('answer_too_late', 'the decision took too long to record: ask again')
        : undefined;
    jobs.forEach((job, index) => (late ? job.reject(late) : job.resolve(ids[index]!)));
  }

  /** Nothing was written. What was refused is evaluated again on the present state; the rest goes as it is. */
  async #again(jobs: readonly Job[], answer: CommitAnswer): Promise<void> {
    const refused = refusedJobs(jobs, answer);
    for (const reasons of refused.values()) reasons.forEach((reason) => this.metrics.refused(reason));
    if ([...refused.values()].some((reasons) => reasons.includes('ahead'))) {
      throw new LedgerError(
        'state_regressed',
        'the database is older than what was read from it before: restore it, then restart',
      );
    }
    await this.refresh(this.tenant, answer.revision, answer.guardrails);
    const next = jobs.filter((job) => !refused.has(job) || this.#evaluateAgain(job));
    this.#queue.unshift(...next);
    this.#queued += next.reduce((sum, job) => sum + job.proposed.length, 0);
  }

  #evaluateAgain(job: Job): boolean {
    job.rounds++;
    if (job.rounds >= MAX_ROUNDS) {
      job.reject(new LedgerError('contention', 'what the decision rests on keeps changing: ask again'));
      return false;
    }
    try {
      job.proposed = job.proposal.evaluate();
      return true;
    } catch (error) {
      job.reject(error);
      return false;
    }
  }
}

/** The jobs of which at least one decision was refused, with the reasons. */
function refusedJobs(jobs: readonly Job[], { refused }: CommitAnswer): Map<Job, RefusalReason[]> {
  const found = new Map<Job, RefusalReason[]>();
  let start = 0;
  for (const job of jobs) {
    const end = start + job.proposed.length;
    const own = refused.filter(({ index }) => index >= start && index < end).map(({ reason }) => reason);
    if (own.length > 0) found.set(job, own);
    start = end;
  }
  return found;
}

/** The records of a batch as the next ones of a chain. The chain itself moves on only when they are committed. */
function chained(
  tenant: string,
  chain: Chain,
  jobs: readonly Job[],
): { entries: DecisionEntry[]; ids: string[][]; prev: string } {
  const entries: DecisionEntry[] = [];
  let { seq, prev } = chain;
  const ids = jobs.map((job) =>
    job.proposed.map(({ content, consents = [], ...rest }) => {
      const id = evaluationId(chain.writer, ++seq, nonce());
      const body = recordBody({ tenant, writer: chain.writer, seq, prev }, id, content);
      const hash = recordHash(body);
      prev = hash.toString('hex');
      entries.push({ ...rest, consents, body, hash });
      return id;
    }),
  );
  return { entries, ids, prev };
}

let nonces = Buffer.alloc(0);

/** Eight characters of 48 random bits. Drawn in bulk: one call to the generator costs as much as a small decision. */
function nonce(): string {
  if (nonces.length === 0) nonces = randomBytes(6 * 512);
  const drawn = nonces.subarray(0, 6).toString('base64url');
  nonces = nonces.subarray(6);
  return drawn;
}

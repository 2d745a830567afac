import type { DecisionMetrics } from '#decision';
import type { Decision } from '#policy';
import type { RefusalReason } from '#store';
import { Counter, Histogram } from './instruments.js';

/** Upper bounds of the buckets of every histogram of durations, in seconds. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** What `/metrics` shows, in the text format of Prometheus. */
export class Metrics implements DecisionMetrics {
  readonly #requests = new Counter('placet_http_requests_total', 'Requests by route and status.');
  readonly #latencies = new Histogram('placet_http_request_seconds', 'Time from a request to its answer.', BUCKETS);
  readonly #decisions = new Counter('placet_decisions_total', 'Decisions by front, effect and reason.');
  readonly #batches = new Histogram(
    'placet_commit_batch_size',
    'Decisions per commit.',
    [1, 2, 5, 10, 20, 50, 100, 200, 512],
  );
  readonly #commits = new Histogram('placet_commit_seconds', 'Time of a commit.', BUCKETS);
  readonly #refused = new Counter('placet_commit_refusals_total', 'Decisions that were evaluated again, by reason.');

  /**
   * @param state the revision and epoch of each tenant in memory
   * @param others what else there is to be shown
   */
  constructor(
    private readonly state: () => readonly {
      readonly tenant: string;
      readonly revision: number;
      readonly epoch: number;
    }[],
    private readonly others: readonly { render(): string }[] = [],
  ) {}

  requested(route: string, status: number, ms: number): void {
    this.#requests.add({ route, status: String(status) });
    this.#latencies.observe({ route }, ms / 1000);
  }

  decided(front: string, { effect, reason }: Decision): void {
    this.#decisions.add({ front, effect, reason });
  }

  committed(decisions: number, ms: number): void {
    this.#batches.observe({}, decisions);
    this.#commits.observe({}, ms / 1000);
  }

  refused(reason: RefusalReason): void {
    this.#refused.add({ reason });
  }

  render(): string {
    const gauges = (['revision', 'epoch'] as const).map((name) =>
      [
        `# HELP placet_tenant_${name} The ${name} that this replica holds.`,
        `# TYPE placet_tenant_${name} gauge`,
        ...this.state().map((state) => `placet_tenant_${name}{tenant="${state.tenant}"} ${state[name]}`),
      ].join('\n'),
    );
    const own = [this.#requests, this.#latencies, this.#decisions, this.#batches, this.#commits, this.#refused];
    const parts = [...own, ...this.others];
    return [...parts.map((part) => part.render()), ...gauges, ''].join('\n');
  }
}

import type { ConsentEvents } from '#consent';
import type { DeliveryOutcome } from '#notifications';
import type { SettledNotification } from '#store';
import { Counter, Histogram } from './instruments.js';

/** From when on an answer can have been thought about, in ms: whoever is faster has read nothing. */
const THOUGHT_MS = 2000;

/** Upper bounds of the buckets of times to answer, in seconds. */
const ANSWER_BUCKETS = [2, 5, 10, 30, 60, 120, 300, 600, 1200, 1800];

/** How people are asked and how they answer, and how others are told of it. No label has values without a bound. */
export class ConsentMetrics implements ConsentEvents {
  readonly #requests = new Counter('placet_consent_requests_total', 'Requests for consent by what came of them.');
  readonly #answers = new Counter(
    'placet_consent_answers_total',
    'Answers by what they say, by whether the glass was broken, and by how long after the request was shown.',
  );
  readonly #choices = new Counter('placet_consent_choices_total', 'How far people let their agreements reach.');
  readonly #times = new Histogram(
    'placet_consent_answer_seconds',
    'Time from a request to an answer to it.',
    ANSWER_BUCKETS,
  );
  readonly #deliveries = new Counter('placet_webhook_deliveries_total', 'Attempts to tell webhooks, by their outcome.');
  readonly #givenUp = new Counter('placet_webhook_given_up_total', 'Notifications that were given up.');
  #queued = 0;

  opened: ConsentEvents['opened'] = (outcome) => this.#requests.add({ outcome });

  answered: ConsentEvents['answered'] = ({ answer, choice, brokeGlass, lookedAtMs, waitedMs }) => {
    const looked = lookedAtMs === null ? 'unknown' : lookedAtMs < THOUGHT_MS ? 'under_2s' : '2s_or_more';
    this.#answers.add({ answer, broke_glass: String(brokeGlass), looked });
    if (choice !== null) this.#choices.add({ for: choice });
    this.#times.observe({}, Math.max(waitedMs, 0) / 1000);
  };

  queued(waiting: number): void {
    this.#queued = waiting;
  }

  attempted(outcome: DeliveryOutcome, state: SettledNotification): void {
    this.#deliveries.add({ outcome });
    if (state === 'given_up') this.#givenUp.add({ outcome });
  }

  render(): string {
    const queue = [
      '# HELP placet_webhook_queue Notifications that wait, of all tenants, as this replica last counted them.',
      '# TYPE placet_webhook_queue gauge',
      `placet_webhook_queue ${this.#queued}`,
    ].join('\n');
    const parts = [this.#requests, this.#answers, this.#choices, this.#times, this.#deliveries, this.#givenUp];
    return [...parts.map((part) => part.render()), queue].join('\n');
  }
}

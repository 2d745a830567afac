import type { ConsentTask } from '../consent-task.js';
import type { Decision } from '../decision.js';
import type { Listing } from '../lists.js';
import { carryOut } from '../obligations.js';
import type { PlacetClient } from '../placet-client.js';
import type { ConsentRequest, DecisionRequest, ListingRequest } from '../request.js';
import { ALLOWED, PENDING } from './answers.js';

/** A Placet that answers as a script says, and what it was asked. */
export interface ScriptedPlacet extends Omit<PlacetClient, 'evaluate'> {
  readonly asked: DecisionRequest[];
  readonly listed: ListingRequest[];
  readonly requested: ConsentRequest[];
  readonly cancelled: string[];
  /** The methods asked about, in order; an answer to a request as `method:result`. */
  methods(): string[];
}

/**
 * Answers requests as told; without anything told, with allow. Lists are shown but for the names in `hidden`. Requests for
 * consent are pending at first, and then stand as `consent` says.
 */
export function scriptedPlacet(
  answer: (request: DecisionRequest) => Decision | undefined = () => ALLOWED,
  hidden: readonly string[] | 'unanswered' = [],
  consent: (look: number) => ConsentTask = () => PENDING,
): ScriptedPlacet {
  const asked: DecisionRequest[] = [];
  const listed: ListingRequest[] = [];
  const requested: ConsentRequest[] = [];
  const cancelled: string[] = [];
  let looks = 0;
  return {
    asked,
    listed,
    requested,
    cancelled,
    async request(request) {
      requested.push(request);
      return PENDING;
    },
    async status(_, { signal } = {}) {
      const task = consent(looks++);
      if (task === PENDING && signal && !signal.aborted) {
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
      }
      return task;
    },
    async cancel(id) {
      cancelled.push(id);
      return { ...PENDING, status: 'cancelled' };
    },
    methods: () =>
      asked.map(({ message, answers }) => (message.method as string | undefined) ?? `${answers?.method}:result`),
    async decide(request, handlers = {}) {
      asked.push(request);
      return carryOut(answer(request) ?? ALLOWED, handlers, request);
    },
    async list(request): Promise<Listing> {
      listed.push(request);
      if (hidden === 'unanswered') {
        const reason = { code: 'pdp_unavailable', message: 'no answer' };
        return {
          items: [],
          failure: { effect: 'deny', reason, rules: [], evaluationId: undefined, revision: undefined },
        };
      }
      const entries = Object.values(request.result).find((member) => Array.isArray(member)) as {
        name?: string;
        uri?: string;
      }[];
      const items = entries.map(({ name, uri }) => {
        const named = uri ?? name ?? '';
        return {
          name: named,
          effect: hidden.includes(named) ? ('deny' as const) : ('allow' as const),
          conditional: true,
        };
      });
      return { items, evaluationId: '4f.9', revision: 7 };
    },
  };
}

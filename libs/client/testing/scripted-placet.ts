import type { Decision } from '../decision.js';
import type { Listing } from '../lists.js';
import { carryOut } from '../obligations.js';
import type { PlacetClient } from '../placet-client.js';
import type { DecisionRequest, ListingRequest } from '../request.js';
import { ALLOWED } from './answers.js';

/** A Placet that answers as a script says, and what it was asked. */
export interface ScriptedPlacet extends Pick<PlacetClient, 'decide' | 'list'> {
  readonly asked: DecisionRequest[];
  readonly listed: ListingRequest[];
  /** The methods asked about, in order; an answer to a request as `method:result`. */
  methods(): string[];
}

/** Answers requests as told; without anything told, with allow. Lists are shown but for the names in `hidden`. */
export function scriptedPlacet(
  answer: (request: DecisionRequest) => Decision | undefined = () => ALLOWED,
  hidden: readonly string[] | 'unanswered' = [],
): ScriptedPlacet {
  const asked: DecisionRequest[] = [];
  const listed: ListingRequest[] = [];
  return {
    asked,
    listed,
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

import type { Decision, DecisionRequest, ListedItem, PlacetClient } from '#client';

/** What was asked last, and what came of it. */
export interface Witnessed {
  readonly request: DecisionRequest;
  readonly decision: Decision;
  /** What Placet said of the entries, where the operation was a list. */
  readonly items?: readonly ListedItem[];
}

/** A client that looks on: it changes nothing, and remembers the last question and its answer. */
export function witnessed(placet: PlacetClient): PlacetClient & { last(): Witnessed } {
  let last: Witnessed | undefined;
  return {
    ...placet,
    async decide(request, obligations) {
      const decision = await placet.decide(request, obligations);
      last = { request, decision };
      return decision;
    },
    async list(request, obligations) {
      const listing = await placet.list(request, obligations);
      last = { ...last!, items: listing.items };
      return listing;
    },
    last() {
      if (!last) throw new Error('nothing was asked yet');
      return last;
    },
  };
}

import {
  AskedRequests,
  ConsentAnswers,
  ConsentLinks,
  ConsentRequests,
  Consents,
  ConsentSettlement,
  Delegations,
  type ConsentEvents,
  type SignInPath,
} from '#consent';
import type { KeyCheck } from '#identity';
import type { Snapshots } from '#snapshot';
import {
  ConsentReader,
  ConsentStore,
  ConsentView,
  DelegationStore,
  PersonReader,
  type CountedEvents,
  type Store,
} from '#store';
import type { Standing } from './admin/changes.js';
import { signInPath } from './admin/step-up.js';
import type { ConsentParts } from './app.module.js';
import { ReviewLinks } from './fronts/requests/review-links.js';
import type { PublicAddress } from './http/public-address.js';

/**
 * What asks people, takes their answers, and says where they are given.
 * @param refused told of requests that are one too many, for administrators
 * @param onError told why consents that can never apply any more could not be ended
 */
export function assembleConsents(
  store: Store,
  snapshots: Snapshots,
  standing: Standing,
  address: PublicAddress,
  keyCheck: KeyCheck,
  refused: CountedEvents,
  metrics: ConsentEvents,
  onError: (error: unknown) => void,
): ConsentParts {
  const reader = new ConsentReader(store);
  const written = new ConsentStore(store);
  const view = new ConsentView(store);
  const delegations = new DelegationStore(store);
  const signIn: SignInPath = (principal, acr) => signInPath(store, principal, { acr, maxAge: null });
  const asked = new AskedRequests(reader, new PersonReader(store), snapshots, store.clock, delegations, signIn);
  return {
    requests: new ConsentRequests(reader, written, snapshots, (tenant, opened, { host, agent, subject }) => {
      metrics.opened(opened.outcome);
      if (opened.outcome !== 'budget') return;
      const about = { event: 'prompt_budget', budget: opened.why, host, agent };
      // A host that asks about many people is one event, and not one of each of them.
      refused.note(tenant, opened.why === 'host' ? about : { ...about, subject: subject.key });
    }),
    asked,
    answers: new ConsentAnswers(asked, written, snapshots, standing, signIn, metrics),
    consents: new Consents(view, written, snapshots, standing),
    delegations: new Delegations(delegations, snapshots, store.clock, standing),
    settlement: new ConsentSettlement(view, written, snapshots, onError),
    links: new ReviewLinks(store, address, new ConsentLinks(keyCheck)),
  };
}

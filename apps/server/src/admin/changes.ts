import { Refusal } from '#http';
import { principalName, type AdministratorPrincipal, type ConnectorPrincipal } from '#identity';
import { AUTHORED_KINDS, hasTests, type TestReport } from '#policy';
import type { Snapshots } from '#snapshot';
import { commitChange, type Change, type ChangeOutcome, type Operation, type RightsProof, type Store } from '#store';
import { ChangeRates } from './change-rates.js';
import type { FourEyes, SeenDraft } from './four-eyes.js';
import { demandStepUp } from './step-up.js';
import { testChange, type Locate } from './tested.js';

/** Attempts at a change that others keep coming before. */
const ATTEMPTS = 8;

/** What a caller has to do with the tests that a change must pass. */
export interface Testing {
  /** Adds to a failing case where it stands in what was sent. */
  readonly locate?: Locate;
  /** Told what came of the tests, if there are any and all of them pass; once more for each attempt. */
  readonly report?: (report: TestReport) => void;
}

/** Who makes a change: an administrator, a connector within its own Issuer, or the service itself. */
export type Maker =
  | AdministratorPrincipal
  | ConnectorPrincipal
  | { readonly kind: 'service'; readonly tenant: string; readonly name: string };

/** Says what an administrator is at this moment; Refusal where that is not what it was. */
export interface Standing {
  again(principal: AdministratorPrincipal): Promise<AdministratorPrincipal>;
}

/** A change, but for who makes it. */
export interface PlannedChange extends Omit<Change, 'tenant' | 'principal' | 'proof'> {
  /** The draft that it publishes, with who has seen it. */
  readonly draft?: SeenDraft | undefined;
  /** Of a connector: what it was planned with. An administrator's rights rest on what they were worked out on. */
  readonly restsOn?: RightsProof;
}

/** Makes changes of tenants, as often as it takes, and brings this replica up to them. */
export class Changes {
  constructor(
    private readonly store: Store,
    private readonly snapshots: Snapshots,
    private readonly standing: Standing,
    private readonly fourEyes: Pick<FourEyes, 'demand'>,
    private readonly rates = new ChangeRates(),
  ) {}

  /** Who is told of changes of documents that consents rest on. */
  onDocuments: (tenant: string) => void = () => undefined;

  /**
   * Plans a change on the newest state and makes it; if another change came first, plans anew. Undefined from `plan`
   * means that there is nothing to do. Returns the revision after it. Throws what `plan` throws.
   *
   * INVARIANT: where documents are written that people author, all Test documents have passed on the very state that the
   * commit makes; what fails is a Refusal. Suspensions and keys wait for no test.
   */
  async make(maker: Maker, plan: () => Promise<PlannedChange | undefined>, testing: Testing = {}): Promise<number> {
    const { tenant } = maker;
    if (maker.kind === 'administrator') this.rates.take(maker);
    let standing = maker;
    const planned = async (): Promise<Change | undefined> => {
      const wanted = await plan();
      if (!wanted) return undefined;
      const { draft, restsOn, ...change } = wanted;
      const made = { ...change, tenant, ...madeBy(standing, restsOn) };
      return standing.kind === 'administrator' ? this.#demanding(standing, made, draft) : made;
    };
    let isCurrent = false;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const prepared = await this.#prepare(planned, testing).catch((error: unknown) => {
        if (isCurrent || !(error instanceof Refusal)) throw error;
        return 'nothing' as const;
      });
      if (prepared === 'nothing') {
        if (isCurrent) return (await this.snapshots.of(tenant)).revision;
        // A replica that has not heard of the last change may only believe that there is nothing to do, or that it is wrong.
        await this.snapshots.refresh(tenant, Infinity);
        isCurrent = true;
        continue;
      }
      const outcome = prepared === 'moved' ? { outcome: prepared } : await commitChange(this.store, prepared);
      if (outcome.outcome === 'committed') {
        await this.snapshots.refresh(tenant, outcome.revision);
        if (prepared !== 'moved' && prepared.operations.some(isRestedOn)) this.onDocuments(tenant);
        return outcome.revision;
      }
      if (outcome.outcome === 'rights' && standing.kind === 'administrator') {
        standing = await this.standing.again(standing);
      }
      await this.#afterRefusal(tenant, outcome);
      isCurrent = true;
    }
    throw tooManyChanges();
  }

  /** Runs the tests on a state after some writes, without making them. Undefined where there are no tests. */
  async test(
    tenant: string,
    plan: () => Promise<readonly Operation[]>,
    locate?: Locate,
  ): Promise<TestReport | undefined> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const operations = await plan();
      const { policies } = await this.snapshots.of(tenant);
      const tested = await testChange(policies, operations, locate);
      if (tested.tests === 'passed') return tested.report;
      if (tested.tests === 'none') return undefined;
      await this.snapshots.refresh(tenant, Infinity);
    }
    throw tooManyChanges();
  }

  /** A change of an administrator, once what the tenant demands of those who make it is met. Throws Refusal. */
  async #demanding(maker: AdministratorPrincipal, change: Change, draft: SeenDraft | undefined): Promise<Change> {
    const snapshot = await this.snapshots.of(maker.tenant);
    await demandStepUp(this.store, snapshot.policies, maker, change.operations);
    const seenBy = await this.fourEyes.demand(snapshot, maker, change.operations, draft);
    return seenBy ? { ...change, about: { ...change.about, seenBy } } : change;
  }

  async #prepare(plan: () => Promise<Change | undefined>, testing: Testing): Promise<Change | 'nothing' | 'moved'> {
    const change = await plan();
    if (!change) return 'nothing';
    return change.operations.some(isAuthored) ? ((await this.#tested(change, testing)) ?? 'moved') : change;
  }

  /** The change, so that it is only made on the state that the tests ran on; undefined if that one is gone already. */
  async #tested(change: Change, { locate, report }: Testing): Promise<Change | undefined> {
    const snapshot = await this.snapshots.of(change.tenant);
    const { revision } = snapshot;
    const { documents } = snapshot.policies;
    if (change.expectedRevision !== undefined && change.expectedRevision !== revision) return undefined;
    const tested = await testChange(snapshot.policies, change.operations, locate);
    if (tested.tests === 'moved') return undefined;
    // Where there are no tests, changes that have nothing to do with each other go through side by side.
    if (tested.tests === 'none' && !hasTests(documents)) return { ...change, whileUntested: true };
    if (tested.tests === 'passed') report?.(tested.report);
    return { ...change, expectedRevision: revision };
  }

  async #afterRefusal(tenant: string, outcome: Exclude<ChangeOutcome, { outcome: 'committed' }>): Promise<void> {
    if (outcome.outcome === 'principal') {
      throw new Refusal('forbidden', 'the key was disabled or expired while the change was being made');
    }
    if (outcome.outcome === 'taken') throw new Refusal('already_exists', 'there is another one for the same workload');
    if (outcome.outcome === 'missing') throw new Refusal('not_found', 'there is no such key, or no such host any more');
    await this.snapshots.refresh(tenant, Infinity);
  }
}

const isAuthored = (operation: Operation): boolean =>
  (operation.op === 'put_document' || operation.op === 'delete_document') && AUTHORED_KINDS.includes(operation.kind);

/** Documents on which it rests whether consents apply. */
const isRestedOn = (operation: Operation): boolean =>
  (operation.op === 'put_document' || operation.op === 'delete_document') &&
  ['Host', 'Server', 'Policy', 'Tenant'].includes(operation.kind);

function madeBy(maker: Maker, restsOn: RightsProof | undefined): Pick<Change, 'principal' | 'proof'> {
  switch (maker.kind) {
    case 'service':
      return { principal: `system:${maker.name}` };
    // The transaction looks at the token, at what the Issuer's document says, and whether others came before.
    case 'connector':
      return { principal: `scim:${maker.credential}`, ...(restsOn ? { proof: restsOn } : {}) };
    case 'administrator':
      return { principal: principalName(maker), proof: maker.proof };
  }
}

const tooManyChanges = (): Refusal =>
  new Refusal('too_many_changes', 'others keep changing the same things: try again');

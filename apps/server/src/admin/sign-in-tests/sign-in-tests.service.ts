import { Refusal } from '#http';
import { may, type AdministratorPrincipal } from '#identity';
import type { DocumentSet } from '#policy';
import type { Snapshots } from '#snapshot';
import type { Store } from '#store';
import type { PublicAddress } from '../../http/public-address.js';
import { permit } from '../../http/rights.js';
import type { Connectors } from '../../sign-in/connectors.js';
import { examine, type Examination } from '../../sign-in/test/examinations.js';
import type { SignInTest, SignInTests } from '../../sign-in/test/sign-in-tests.js';
import type { Step, StepName } from '../../sign-in/test/steps.js';
import { demandFreshSignIn } from '../step-up.js';

/** A test that was begun: where a browser goes, and until when. */
export interface BegunTest {
  readonly id: string;
  readonly url: string;
  /** In ms since 1970. */
  readonly expiresAt: number;
}

/** Issuers of a tenant that one replica examines at once. */
const MOST_UNDER_WAY = 3;

/** Steps that say who somebody is, or what is known of them. */
const OF_A_PERSON: ReadonlySet<StepName> = new Set([
  'user_name',
  'attempts',
  'password',
  'account',
  'memberships',
  'id_token',
  'require',
  'identity',
  'suspension',
  'signed_out',
  'person',
  'claims',
  'groups',
  'mapping',
  'roles',
]);

const withoutPerson = (step: Step): Step =>
  OF_A_PERSON.has(step.step) ? { ...step, found: 'of a person, whom you may not read' } : step;

/** Tests of ways to sign in, by those who may write their Issuer documents: they could let anybody in by them anyway. */
export class SignInTestsService {
  readonly #underWay = new Map<string, number>();

  constructor(
    private readonly store: Store,
    private readonly snapshots: Snapshots,
    private readonly connectors: Connectors,
    private readonly tests: SignInTests,
    private readonly address: PublicAddress,
  ) {}

  /** What can be tried without a person. Throws Refusal. */
  async examine(principal: AdministratorPrincipal, issuer: string): Promise<Examination> {
    const { documents, name } = await this.#permitted(principal, issuer);
    const tenant = { id: principal.tenant, name };
    return this.#oneOfFew(tenant.id, () => examine(this.connectors, this.address, tenant, documents, issuer));
  }

  /** Begins a test of a sign-in. Throws Refusal. */
  async begin(principal: AdministratorPrincipal, issuer: string): Promise<BegunTest> {
    const { documents, name } = await this.#permitted(principal, issuer);
    if (!documents.find('Issuer', issuer)?.document.signIn)
      throw new Refusal('not_found', `nobody signs in by an Issuer named '${issuer}'`);
    const id = await this.tests.begin(principal, issuer);
    const { expiresAt } = await this.tests.of(principal, id);
    const path = `/t/${encodeURIComponent(name)}/sign-in/${encodeURIComponent(issuer)}/test`;
    return { id, url: `${this.address.url}${path}?id=${id}`, expiresAt };
  }

  /** What a test has come to; what was said of the person only for who may read people. Throws Refusal. */
  async of(principal: AdministratorPrincipal, id: string): Promise<SignInTest> {
    const test = await this.tests.of(principal, id);
    permit(principal, 'write', 'Issuer', test.issuer);
    const person = test.came?.mapped.subject;
    const mayRead = may(principal.ability, 'read', 'Person', person ? `${person.type}:${person.id}` : undefined);
    return mayRead ? test : { ...test, came: null, steps: test.steps.map(withoutPerson) };
  }

  /** Each goes out to others, and takes its time. */
  async #oneOfFew<T>(tenant: string, work: () => Promise<T>): Promise<T> {
    const underWay = this.#underWay.get(tenant) ?? 0;
    if (underWay >= MOST_UNDER_WAY)
      throw new Refusal('quota_exceeded', `${underWay} Issuers are being examined: wait until one of them is done`);
    this.#underWay.set(tenant, underWay + 1);
    try {
      return await work();
    } finally {
      const left = this.#underWay.get(tenant)! - 1;
      if (left > 0) this.#underWay.set(tenant, left);
      else this.#underWay.delete(tenant);
    }
  }

  async #permitted(
    principal: AdministratorPrincipal,
    issuer: string,
  ): Promise<{ readonly documents: DocumentSet; readonly name: string }> {
    permit(principal, 'write', 'Issuer', issuer);
    const { tenant } = principal;
    await this.snapshots.refresh(tenant, Infinity);
    const { policies } = await this.snapshots.of(tenant);
    await demandFreshSignIn(this.store, policies, principal);
    const name = await this.store.tenantName(tenant);
    if (name === undefined) throw new Refusal('not_found', 'there is no such tenant any more');
    return { documents: policies.documents, name };
  }
}

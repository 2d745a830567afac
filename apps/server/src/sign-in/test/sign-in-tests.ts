import { randomBytes } from 'node:crypto';
import { Refusal } from '#http';
import { ATTEMPT_SECONDS, seal, unseal, type AdministratorPrincipal, type KeyCheck } from '#identity';
import { groupsClaim, subjectKey, type JsonObject } from '#policy';
import type { TenantSnapshot } from '#snapshot';
import { PersonReader, recordEvent, SignInTestStore, type SignInTestState, type Store } from '#store';
import { outcomeBody, whatComesOf } from '../../admin/mappings/outcome.js';
import type { TryAnswerBody } from '../../admin/mappings/wire.js';
import { SignInError, type VerifiedSignIn } from '../connector.js';
import { denialKey } from '../person-sessions.js';
import type { Step, Steps } from './steps.js';

/** Tests that a tenant may have under way at once, and that are kept of it at all. */
const MOST_TESTS = 20;

/** For how long a test is kept, in seconds: as long as a sign-in may take, and a while for it to be read. */
const KEPT_SECONDS = ATTEMPT_SECONDS + 300;

/** Of what was said of somebody, what is kept at most, as JSON. */
const MOST_CLAIMS = 65_536;

/** Which test it is, of which tenant and which Issuer. */
export interface TestOf {
  readonly tenant: string;
  readonly test: string;
  readonly issuer: string;
}

/** Who came back, and what would come of it. */
interface Came {
  readonly claims: JsonObject | null;
  readonly name: string | null;
  readonly email: string | null;
  readonly mapped: Partial<TryAnswerBody>;
}

/** What a test has come to so far. */
interface Told {
  readonly steps: readonly Step[];
  /** Why nobody would be signed in; null: somebody would be, or it is not over. */
  readonly refused: string | null;
  readonly came: Came | null;
}

/** A test as who began it is told. */
export interface SignInTest extends Told {
  readonly issuer: string;
  readonly state: SignInTestState;
  readonly expiresAt: number;
}

/** Sign-ins that administrators try out: nobody is signed in by one, and what came of it is for its administrator alone. */
export class SignInTests {
  readonly #tests: SignInTestStore;
  readonly #people: PersonReader;

  constructor(
    private readonly store: Store,
    private readonly check: Pick<KeyCheck, 'pepper'>,
  ) {
    this.#tests = new SignInTestStore(store);
    this.#people = new PersonReader(store);
  }

  /** Begins one, and records that. Returns its id, which nobody can guess. Throws Refusal. */
  async begin(principal: AdministratorPrincipal, issuer: string): Promise<string> {
    const id = randomBytes(16).toString('base64url');
    const limits = { seconds: KEPT_SECONDS, most: MOST_TESTS };
    if (await this.#tests.begin(principal.tenant, { id, issuer, begunBy: whoIs(principal) }, limits)) return id;
    throw new Refusal(
      'quota_exceeded',
      `a tenant has ${MOST_TESTS} tests of sign-ins under way at most: each is gone ${KEPT_SECONDS / 60} minutes after it was begun`,
    );
  }

  /** What one has come to. Throws Refusal for everybody but who began it, as if there were none. */
  async of(principal: AdministratorPrincipal, id: string): Promise<SignInTest> {
    const { tenant } = principal;
    const found = await this.#tests.find(tenant, id);
    if (!found || found.begunBy !== whoIs(principal))
      throw new Refusal('not_found', 'there is no such test of yours, or not any more');
    const { issuer, state, expiresAt, sealed } = found;
    const told = sealed === null ? NOTHING : this.#opened(tenant, id, sealed);
    return { issuer, state, expiresAt, ...told };
  }

  /** Whether a test waits for a browser to begin it. */
  async waits({ tenant, test, issuer }: TestOf): Promise<boolean> {
    const found = await this.#tests.find(tenant, test);
    return found?.issuer === issuer && found.state === 'waiting';
  }

  /** A browser is sent on its way. Throws SignInError where another one was before. */
  async sent(of: TestOf, steps: Steps): Promise<void> {
    if (await this.#advance(of, ['waiting', 'sent'], { ...NOTHING, steps: steps.all })) return;
    throw new SignInError('attempt_missing', 'there is no such test, or it was begun before');
  }

  /** Nobody would be signed in. */
  async refused(of: TestOf, from: 'waiting' | 'sent', steps: Steps, error: unknown): Promise<void> {
    const isOurs = !(error instanceof SignInError);
    const reason = isOurs ? 'internal' : error.reason;
    steps.failed(isOurs ? 'it could not be finished: the log of the service says why' : error.detail);
    await this.#end(of, from, { steps: steps.all, refused: reason, came: null });
  }

  /** It is known who somebody is. Returns whether they would be signed in. */
  async proven(
    of: TestOf,
    steps: Steps,
    verified: VerifiedSignIn,
    snapshot: TenantSnapshot,
    begunAt: number,
  ): Promise<boolean> {
    const person = subjectKey(verified.subject.type, verified.subject.id);
    const isDenied = snapshot.denies([denialKey(person)], begunAt);
    steps.note(
      'signed_out',
      isDenied ? 'failed' : 'ok',
      `${person} was ${isDenied ? '' : 'not '}signed out since the test began`,
    );
    const came = await this.#came(of, steps, verified, snapshot);
    const refused = isDenied ? 'signed_out_meanwhile' : null;
    await this.#end(of, 'sent', { steps: steps.all, refused, came });
    return refused === null;
  }

  async #came(
    { tenant, issuer }: TestOf,
    steps: Steps,
    { subject, claims, name, email }: VerifiedSignIn,
    { policies }: TenantSnapshot,
  ): Promise<Came> {
    const document = policies.documents.find('Issuer', issuer)!.document;
    const person = subjectKey(subject.type, subject.id);
    const known = await this.#people.find(tenant, person);
    steps.note(
      'person',
      'ok',
      known ? `${person} signed in first on ${known.firstAt}` : `${person} has never signed in`,
    );
    if (document.provisioning) {
      const active = policies.provisioned.of(subject.id)?.active;
      const found =
        active === undefined ? 'is not provisioned' : active ? 'is provisioned' : 'is provisioned, and not active';
      steps.note('person', active === true ? 'ok' : 'unknown', `${person} ${found} by the directory of ${issuer}`);
    }
    steps.note('claims', 'ok', namesOf(claims));
    const outcome = whatComesOf(policies, document, claims);
    const { groups, mapped } = outcome;
    const from =
      document.provisioning?.groups === 'scim' ? 'the directory' : `the claim ${groupsClaim(document) ?? 'none'}`;
    if (groups === null) steps.note('groups', 'unknown', `${from} does not say: they are unknown, which is not none`);
    else if (!groups.complete)
      steps.note('groups', 'unknown', `${from} names ${groups.names.length}, and there may be others`);
    else steps.note('groups', 'ok', `${from} names ${groups.names.length}: these are all`);
    const fired = mapped.fired.filter(({ outcome: how }) => how === 'fired');
    const errors = mapped.fired.filter(({ outcome: how }) => how === 'error');
    const rule = (one: { readonly mapping: string; readonly rule: string }) => `${one.mapping}/${one.rule}`;
    steps.note(
      'mapping',
      errors.length > 0 ? 'unknown' : 'ok',
      `of ${mapped.fired.length} rules ${fired.length} fired: ${fired.map(rule).join(', ') || '-'}` +
        (errors.length > 0 ? `; nobody can say of ${errors.map(rule).join(', ')}` : ''),
    );
    const { roles, administration } = mapped;
    steps.note(
      'roles',
      'ok',
      `${roles.held.join(', ') || '-'}; of administration ${administration.held.join(', ') || '-'}`,
    );
    const isKept = JSON.stringify(claims).length <= MOST_CLAIMS;
    return { claims: isKept ? claims : null, name, email, mapped: outcomeBody(outcome) };
  }

  /** Adds to what was looked at on the way there. It is over once, with its record, which is never of whom: nobody has signed in. */
  async #end(of: TestOf, from: 'waiting' | 'sent', told: Told): Promise<void> {
    const { tenant, test, issuer } = of;
    const found = await this.#tests.find(tenant, test);
    if (!found) return;
    const before = found.sealed === null ? [] : this.#opened(tenant, test, found.sealed).steps;
    if (!(await this.#advance(of, [from, 'over'], { ...told, steps: [...before, ...told.steps] }))) return;
    const { refused } = told;
    await recordEvent(this.store, tenant, 'sign_in_test', { action: 'over', issuer, by: found.begunBy, refused });
  }

  #advance(
    { tenant, test, issuer }: TestOf,
    states: readonly [SignInTestState, SignInTestState],
    told: Told,
  ): Promise<boolean> {
    const sealed = seal(this.check.pepper, placeOf(tenant, test), JSON.stringify(told));
    return this.#tests.advance(tenant, test, issuer, states, sealed);
  }

  #opened(tenant: string, id: string, sealed: Buffer): Told {
    return JSON.parse(unseal(this.check.pepper, placeOf(tenant, id), sealed)) as Told;
  }
}

const NOTHING: Told = { steps: [], refused: null, came: null };

const placeOf = (tenant: string, id: string): string[] => [tenant, 'sign-in test', id];

/** A person by who they are, as their tokens change while they wait. */
const whoIs = ({ subject, credential }: AdministratorPrincipal): string =>
  subject === null ? `key:${credential}` : subjectKey(subject.type, subject.id);

/** What claims there are, one level deep where an assertion has attributes. */
function namesOf(claims: JsonObject): string {
  const { attributes } = claims;
  const inner = typeof attributes === 'object' && attributes !== null ? Object.keys(attributes) : [];
  return [...Object.keys(claims), ...inner.map((name) => `attributes ${name}`)].join(', ');
}

import {
  ATTEMPT_SECONDS,
  attemptSecrets,
  newAttempt,
  readAttempt,
  unseal,
  writeAttempt,
  type KeyCheck,
  type SignInAttempt,
  type StrengthDemand,
} from '#identity';
import { subjectKey, type DocumentSet } from '#policy';
import type { Snapshots, TenantSnapshot } from '#snapshot';
import type { SessionStore, Store } from '#store';
import type { PublicAddress } from '../http/public-address.js';
import { SignInError, type Attempt, type Connector, type Received, type Watch } from './connector.js';
import type { Connectors, NamedTenant } from './connectors.js';
import { callbackOf } from './saml/places.js';
import { hintPlace, newSessionOf, type Browser, type Proven } from './new-session.js';
import type { SignInTests } from './test/sign-in-tests.js';
import { Steps } from './test/steps.js';
import { isSuspended, type PersonSession } from './person-sessions.js';

/** A sign-in that begins: where the browser goes, and the cookie that it gets. */
export interface Begun {
  readonly url: URL;
  readonly cookie: string;
  readonly seconds: number;
}

/** What a form of a page of ours carries, so that it finishes a sign-in of this browser, and what the page is called. */
export interface AskedHere {
  readonly token: string;
  readonly title: string;
}

/** A sign-in that came to a session: the value of its cookie, and for how long a browser is to keep it. */
export interface Finished {
  readonly value: string;
  readonly seconds: number;
  readonly returnTo: string;
}

/** A test of a sign-in is over. What came of it is for who began it, and not for the browser. */
export interface Tested {
  readonly wouldSignIn: boolean;
}

/** How often a directory is asked about one sign-in, where all of its people are read meanwhile. */
const ASKED_AT_MOST = 3;

/** What a sign-in is made of, whatever pages it shows. */
export class SignInService {
  constructor(
    private readonly store: Store,
    private readonly sessions: SessionStore,
    private readonly snapshots: Snapshots,
    private readonly connectors: Connectors,
    private readonly check: KeyCheck,
    private readonly address: PublicAddress,
    private readonly tests: SignInTests,
  ) {}

  /** Sends a browser to an identity provider. Nothing is stored. Throws SignInError. */
  async begin(tenant: NamedTenant, issuer: string, returnTo: string, demand: StrengthDemand): Promise<Begun> {
    const { policies } = await this.snapshots.of(tenant.id);
    const connector = this.connectors.of(tenant, policies.documents, issuer);
    const attempt = newAttempt({
      tenant: tenant.id,
      connector: issuer,
      returnTo,
      maxAge: demand.maxAge,
      acr: [...demand.acr],
      begunAt: this.store.clock.now(),
    });
    const url = await connector.begin(this.#attemptOf(tenant, issuer, attempt));
    return { url, cookie: writeAttempt(attempt, this.check), seconds: ATTEMPT_SECONDS };
  }

  /** As `begin`, of a test that an administrator has begun. What goes wrong is theirs to read. Throws SignInError where there is none to begin. */
  async beginTest(tenant: NamedTenant, issuer: string, test: string): Promise<Begun | undefined> {
    const steps = new Steps();
    const members = { tenant: tenant.id, connector: issuer, returnTo: '/', maxAge: null, acr: [], test };
    const attempt = newAttempt({ ...members, begunAt: this.store.clock.now() });
    const of = { tenant: tenant.id, test, issuer };
    try {
      const connector = this.connectors.of(tenant, await this.#documents(tenant.id), issuer);
      const url = await connector.begin(this.#attemptOf(tenant, issuer, attempt, steps));
      steps.look(
        'attempt',
        'what binds the answer to this browser (state, nonce, the id of the request) is in its cookie',
      );
      steps.passed();
      await this.tests.sent(of, steps);
      return { url, cookie: writeAttempt(attempt, this.check), seconds: ATTEMPT_SECONDS };
    } catch (error) {
      if (!(error instanceof SignInError)) throw error;
      await this.tests.refused(of, 'waiting', steps, error);
      return undefined;
    }
  }

  /**
   * Takes what a browser brings back, once, and begins a session, or ends the test that it was. Throws SignInError, but for
   * a test.
   *
   * INVARIANT: the cookie of the attempt is of this tenant and this issuer, and has not been used; what a browser brings
   * that did not begin the sign-in, or began another one, goes nowhere. A test goes the same way up to the moment at which
   * it is known who somebody is, and no further: it begins no session and keeps no person.
   */
  async finish(
    tenant: NamedTenant,
    issuer: string,
    received: Received,
    cookie: string | undefined,
    browser: Browser,
  ): Promise<Finished | Tested> {
    const attempt = this.#attemptIn(cookie, tenant, issuer);
    if (attempt.test !== undefined) return this.#finishTest(tenant, issuer, received, attempt, attempt.test);
    // INVARIANT: not later than what is found out of the person, whichever replica sent them away, and whenever it goes on.
    const askedAt = Math.min(attempt.begunAt, await this.sessions.now());
    const connector = await this.#taken(tenant, issuer, attempt);
    for (let asked = 1; asked <= ASKED_AT_MOST; asked++) {
      const proven = await this.#proven(connector, tenant, received, attempt);
      const finished = await this.#beginSession(tenant, attempt, proven, askedAt, browser);
      if (finished !== 'overtaken') return finished;
      // Who was sent to a provider can be asked about once.
      if (proven.verified.readAt === undefined)
        throw new SignInError('overtaken', 'something else was said of the person while they were signing in');
    }
    throw new SignInError('provider_unreachable', 'the directory was being read anew each time that it was asked');
  }

  /** What finishes an attempt, which is used up by it. Throws SignInError. */
  async #taken(tenant: NamedTenant, issuer: string, attempt: SignInAttempt, watch?: Watch): Promise<Connector> {
    const connector = this.connectors.of(tenant, await this.#documents(tenant.id), issuer);
    watch?.look('attempt', 'the cookie of this browser, which must not have been used before');
    await this.#useUp(tenant.id, attempt);
    return connector;
  }

  /** Who somebody is, and that they may come in, by the state at which that was looked at. Throws SignInError. */
  async #proven(
    connector: Connector,
    tenant: NamedTenant,
    received: Received,
    attempt: SignInAttempt,
    watch?: Watch,
  ): Promise<Proven> {
    const verified = await connector.finish(received, this.#attemptOf(tenant, attempt.connector, attempt, watch));
    const snapshot = await this.#current(tenant.id);
    watch?.look(
      'suspension',
      `${subjectKey(verified.subject.type, verified.subject.id)} must not be suspended or kept out`,
    );
    if (isSuspended(snapshot, verified.subject))
      throw new SignInError('suspended', 'the person or the tenant is suspended');
    return { verified, snapshot };
  }

  /** The same, for an administrator to read what came of it. */
  async #finishTest(
    tenant: NamedTenant,
    issuer: string,
    received: Received,
    attempt: SignInAttempt,
    test: string,
  ): Promise<Tested> {
    const steps = new Steps();
    const of = { tenant: tenant.id, test, issuer };
    try {
      const connector = await this.#taken(tenant, issuer, attempt, steps);
      const { verified, snapshot } = await this.#proven(connector, tenant, received, attempt, steps);
      steps.passed();
      return { wouldSignIn: await this.tests.proven(of, steps, verified, snapshot, attempt.begunAt) };
    } catch (error) {
      await this.tests.refused(of, 'sent', steps, error);
      if (!(error instanceof SignInError)) throw error;
      return { wouldSignIn: false };
    }
  }

  /** What a page of ours asks that finishes the sign-in that is under way in a browser. Throws SignInError. */
  async asked(tenant: NamedTenant, issuer: string, cookie: string | undefined): Promise<AskedHere> {
    const attempt = this.#attemptIn(cookie, tenant, issuer);
    const documents = await this.#documents(tenant.id);
    if (this.connectors.of(tenant, documents, issuer).kind !== 'ldap')
      throw new SignInError('not_configured', `'${issuer.slice(0, 100)}' is no directory`);
    const document = documents.find('Issuer', issuer)?.document;
    return { token: attemptSecrets(attempt, this.check).state, title: document?.signIn?.title ?? issuer };
  }

  /** The same sign-in anew, as one that is used up is over; undefined where the browser has none. Throws SignInError. */
  async again(
    tenant: NamedTenant,
    issuer: string,
    cookie: string | undefined,
  ): Promise<(AskedHere & Omit<Begun, 'url'>) | undefined> {
    const before = readAttempt(cookie, this.check, this.store.clock.now());
    if (!before || before.tenant !== tenant.id || before.connector !== issuer) return undefined;
    // INVARIANT: nothing but `begin` makes a sign-in: a test is not gone on with as one.
    if (before.test !== undefined) return undefined;
    const { returnTo, acr, maxAge } = before;
    const { cookie: next, seconds } = await this.begin(tenant, issuer, returnTo, { acr, maxAge });
    return { cookie: next, seconds, ...(await this.asked(tenant, issuer, next)) };
  }

  #attemptIn(cookie: string | undefined, tenant: NamedTenant, issuer: string): SignInAttempt {
    const attempt = readAttempt(cookie, this.check, this.store.clock.now());
    if (attempt && attempt.tenant === tenant.id && attempt.connector === issuer) return attempt;
    throw new SignInError('attempt_missing', 'this browser has not begun a sign-in here, or it took too long');
  }

  /** Where a browser goes to end its session at the identity provider, too; undefined if that cannot be done. */
  async endUpstream({ tenant, tenantName, issuer, mac, sealedHint }: PersonSession): Promise<URL | undefined> {
    const named = { id: tenant, name: tenantName };
    const documents = await this.#documents(tenant);
    const hint =
      sealedHint === null ? null : unseal(this.check.pepper, hintPlace(tenant, mac), Buffer.from(sealedHint, 'hex'));
    return this.connectors.of(named, documents, issuer).endSession?.(`${this.#base(named)}/signed-out`, hint);
  }

  /** Two requests with the same attempt: one of them is the first. */
  async #useUp(tenant: string, attempt: SignInAttempt): Promise<void> {
    const { mac } = attemptSecrets(attempt, this.check);
    const until = attempt.begunAt + 2 * ATTEMPT_SECONDS * 1000;
    if (await this.sessions.useOnce(tenant, mac, until)) return;
    throw new SignInError('attempt_used', 'this sign-in was finished before');
  }

  async #beginSession(
    { id: tenant }: NamedTenant,
    attempt: SignInAttempt,
    { verified, snapshot }: Proven,
    askedAt: number,
    browser: Browser,
  ): Promise<Finished | 'overtaken'> {
    const made = newSessionOf(tenant, attempt, { verified, snapshot }, askedAt, browser, {
      check: this.check,
      now: this.store.clock.now(),
    });
    const begun = await this.sessions.begin(made.begin);
    if (begun === 'overtaken') return begun;
    if (begun !== 'signed_in')
      throw new SignInError('signed_out_meanwhile', 'the person was signed out everywhere while signing in');
    const { session: before } = browser;
    if (before && before.tenant !== tenant) await this.#endOverwritten(before);
    return { value: made.value, seconds: made.seconds, returnTo: attempt.returnTo };
  }

  /**
   * INVARIANT: a browser has one session, of whatever tenant: no session goes on whose cookie the browser has no more. Where
   * it cannot be ended, the browser keeps its cookie, and gets none of the new session.
   */
  async #endOverwritten({ tenant, id, person }: PersonSession): Promise<void> {
    await this.sessions.end(tenant, id, person, { by: 'another-sign-in' });
  }

  #attemptOf(tenant: NamedTenant, issuer: string, attempt: SignInAttempt, watch?: Watch): Attempt {
    return {
      callback: callbackOf(this.address, tenant.name, issuer),
      secrets: attemptSecrets(attempt, this.check),
      demand: { acr: attempt.acr, maxAge: attempt.maxAge },
      watch,
    };
  }

  readonly #base = ({ name }: NamedTenant): string => `${this.address.url}/t/${encodeURIComponent(name)}`;

  async #documents(tenant: string): Promise<DocumentSet> {
    return (await this.#current(tenant)).policies.documents;
  }

  /** An Issuer that was deleted a moment ago lets nobody in any more. */
  async #current(tenant: string): Promise<TenantSnapshot> {
    await this.snapshots.refresh(tenant, Infinity);
    return this.snapshots.of(tenant);
  }
}

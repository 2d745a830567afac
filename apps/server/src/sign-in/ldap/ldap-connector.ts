import { hash } from 'node:crypto';
import { setTimeout as after } from 'node:timers/promises';
import { DirectoryError, type Directory, type DirectoryReason } from '#directory';
import { isStrongEnough, sameSecret } from '#identity';
import { canonicalJson, identityClaim, identityOf, subjectKey, unmetRequirement, type IssuerDocument } from '#policy';
import {
  SignInError,
  type Attempt,
  type Connector,
  type Examined,
  type Received,
  type SignInReason,
  type VerifiedSignIn,
} from '../connector.js';
import { requirements } from '../test/told.js';
import { claimsOf } from './claims.js';

/** Every answer that somebody is not proven takes as long, in ms: how long it took says nothing of who there is. */
const REFUSED_AFTER_MS = 1000;

/** How often passwords of accounts are tried. */
export interface PasswordAttempts {
  /**
   * Counts one as wrong before it is tried. Throws SignInError where somebody has to wait. Returns what gives it back, where
   * it was not wrong.
   */
  take(person: string, address: string | undefined): Promise<() => void>;
}

export interface LdapParts {
  readonly attempts: PasswordAttempts;
  /**
   * Sees to it that what is known of people of the directory is not too old for anybody to be signed in. The moment
   * afterwards, in ms since 1970, by the database itself: a replica with a wrong clock takes nothing for newer than it is.
   */
  bringUp(issuer: string): Promise<number>;
  /** ms since 1970, by the database's clock. */
  now(): number;
}

/** Sign-in with a user name and a password, on a page of ours, that a directory knows. */
export class LdapConnector implements Connector {
  readonly kind = 'ldap';

  constructor(
    private readonly issuer: IssuerDocument,
    private readonly directory: Pick<Directory, 'prove' | 'examine'>,
    private readonly parts: LdapParts,
  ) {}

  get name(): string {
    return this.issuer.name;
  }

  async begin({ callback, watch }: Attempt): Promise<URL> {
    watch?.look('request', 'the browser is sent to our own page for a user name and a password');
    return new URL(callback.replace(/\/callback$/, '/password'));
  }

  async finish({ form, address }: Received, attempt: Attempt): Promise<VerifiedSignIn> {
    attempt.watch?.look('response', 'a user name and a password from our own page');
    // INVARIANT: the page was made for this attempt, which is bound to the browser: no other site has filled it in.
    if (!form || !sameSecret(form.get('token') ?? '', attempt.secrets.state))
      throw new SignInError('response_invalid', 'the page is of another sign-in');
    const earliest = performance.now() + REFUSED_AFTER_MS;
    try {
      return await this.#proven(form.get('username') ?? '', form.get('password') ?? '', address, attempt);
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal.reason === 'not_proven') await after(Math.max(0, earliest - performance.now()));
      throw refusal;
    }
  }

  async examine(examined: Examined): Promise<void> {
    await this.directory.examine(examined);
  }

  async #proven(
    login: string,
    password: string,
    address: string | undefined,
    { demand, watch }: Attempt,
  ): Promise<VerifiedSignIn> {
    watch?.look('server', 'what is known of people of the directory must not be too old');
    const askedAt = await this.parts.bringUp(this.issuer.name);
    const { attempts } = this.parts;
    const taken: (() => void)[] = [];
    const giveBack = () => taken.forEach((each) => each());
    const person = await this.directory
      .prove(
        login,
        password,
        async (id) => {
          const known = subjectKey(this.issuer.subjectType, `${this.issuer.name}/${id}`);
          taken.push(await attempts.take(known, address));
        },
        watch,
      )
      .catch((error: unknown) => {
        if (!(error instanceof DirectoryError && error.reason === 'not_proven')) giveBack();
        throw error;
      });
    giveBack();
    const claims = claimsOf(this.issuer, person);
    watch?.look('require', requirements(this.issuer));
    const unmet = unmetRequirement(this.issuer, claims);
    if (unmet !== undefined) throw new SignInError('requirement_unmet', `the claim ${unmet} is not as it must be`);
    watch?.look('identity', `the claim ${identityClaim(this.issuer, claims)}`);
    const subject = identityOf(this.issuer, claims);
    if (!subject) throw new SignInError('identity_missing', 'the id of the account cannot be used');
    const assurance = { acr: null, amr: ['pwd'], authTime: askedAt };
    watch?.look('strength', 'a password');
    if (!isStrongEnough(assurance, demand, this.parts.now()))
      throw new SignInError('not_strong_enough', 'a password is of no class of assurance');
    return {
      issuer: this.issuer.name,
      subject,
      claims,
      name: person.name ?? person.login,
      email: person.email,
      upstreamSession: null,
      assurance,
      evidence: hash('sha256', canonicalJson(claims), 'base64url'),
      logoutHint: null,
      readAt: askedAt,
    };
  }
}

const REASONS: Readonly<Record<DirectoryReason, SignInReason>> = {
  unreachable: 'provider_unreachable',
  not_proven: 'not_proven',
  inactive: 'requirement_unmet',
  misconfigured: 'not_configured',
};

const refusalOf = (error: unknown): Error & { reason?: SignInReason } =>
  error instanceof DirectoryError
    ? new SignInError(REASONS[error.reason], error.message.replace(/[^\x20-\x7e]/g, '?').slice(0, 300))
    : (error as Error);

import { createHash, hash } from 'node:crypto';
import { isStrongEnough, type SignInAssurance } from '#identity';
import { identityClaim, identityOf, unmetRequirement, type IssuerDocument } from '#policy';
import { authnRequestUrl, SamlRefused, verifyResponse, type SamlFault, type VerifiedResponse } from '#saml';
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
import { claimsOf, shownEmail, shownName } from './claims.js';
import { examineSaml } from './examination.js';
import type { SamlParts, SamlSettings } from './saml-parts.js';

/** How much longer than an assertion could be used it is remembered that it was, in ms. */
const REMEMBERED_LONGER = 600_000;

/**
 * Sign-in by SAML 2.0: a signed request by HTTP-Redirect, an answer by HTTP-POST whose assertion is signed, made for us and
 * for this very request, and used once.
 */
export class SamlConnector implements Connector {
  readonly kind = 'saml';

  constructor(
    private readonly issuer: IssuerDocument,
    private readonly settings: SamlSettings,
    private readonly parts: SamlParts,
  ) {}

  get name(): string {
    return this.issuer.name;
  }

  async begin({ callback, secrets, demand, watch }: Attempt): Promise<URL> {
    watch?.look('request', `AuthnRequest ${requestId(secrets)} of ${this.parts.entityId()}, answers to ${callback}`);
    const { privateKey } = await this.parts.key();
    return authnRequestUrl({
      destination: this.settings.url,
      issuer: this.parts.entityId(),
      recipient: callback,
      id: requestId(secrets),
      force: demand.maxAge !== null || demand.acr.length > 0,
      contextClasses: demand.acr.length > 0 ? demand.acr : (this.settings.contextClasses ?? []),
      persistentName: asksPersistentName(this.issuer),
      key: privateKey,
    });
  }

  async finish({ method, form }: Received, attempt: Attempt): Promise<VerifiedSignIn> {
    const { watch } = attempt;
    watch?.look(
      'response',
      `the browser brings ${form?.has('SAMLResponse') ? 'a SAMLResponse' : 'no SAMLResponse'} by ${method}`,
    );
    const posted = form?.get('SAMLResponse');
    if (method !== 'POST' || !posted) throw new SignInError('response_invalid', 'the browser brings no SAMLResponse');
    const assertion = await this.#verified(posted, attempt);
    watch?.look('replay', `the assertion ${assertion.id}, which must not have been used before`);
    await this.#useUp(assertion);
    const assurance: SignInAssurance = {
      acr: assertion.contextClass,
      amr: [],
      authTime: assertion.authenticatedAt,
    };
    watch?.look('strength', `class ${assurance.acr ?? 'not known'}`);
    if (!isStrongEnough(assurance, attempt.demand, this.parts.now()))
      throw new SignInError(
        'not_strong_enough',
        `class ${assurance.acr ?? 'not known'}, at ${assurance.authTime ?? 'not known'}`,
      );
    const claims = claimsOf(this.issuer.issuer, assertion);
    watch?.look('require', requirements(this.issuer));
    const unmet = unmetRequirement(this.issuer, claims);
    if (unmet !== undefined) throw new SignInError('requirement_unmet', `the claim ${unmet} is not as it must be`);
    watch?.look('identity', `the claim ${identityClaim(this.issuer, claims)}, out of: ${this.#whatItHas(assertion)}`);
    const subject = identityOf(this.issuer, claims);
    if (!subject) throw new SignInError('identity_missing', `nothing says who it is: ${this.#whatItHas(assertion)}`);
    return {
      issuer: this.issuer.name,
      subject,
      claims,
      name: shownName(assertion, this.settings.nameAttribute),
      email: shownEmail(assertion, this.settings.emailAttribute),
      upstreamSession: assertion.sessionIndex,
      assurance,
      sessionEndsAt: assertion.sessionEndsAt,
      evidence: hash('sha256', assertion.xml, 'base64url'),
      logoutHint: null,
    };
  }

  async examine(examined: Examined): Promise<void> {
    await examineSaml(this.settings, this.parts, examined);
  }

  async #verified(posted: string, { callback, secrets, watch }: Attempt): Promise<VerifiedResponse> {
    const decryptionKeys = await this.parts.decryptionKeys();
    try {
      return await verifyResponse(posted, {
        issuer: this.issuer.issuer,
        audience: this.parts.entityId(),
        recipient: callback,
        requestId: requestId(secrets),
        now: this.parts.now(),
        certificates: this.settings.certificates,
        signedResponses: this.settings.signed === 'response',
        encrypted: this.settings.encrypted,
        decryptionKeys,
        look: watch && ((step, found) => watch.look(step, found)),
      });
    } catch (error) {
      if (!(error instanceof SamlRefused)) throw error;
      throw new SignInError(REASONS[error.fault], error.message, { cause: error });
    }
  }

  /** INVARIANT: an assertion signs somebody in once, whatever request it is brought for, by whichever replica. */
  async #useUp({ id, usableUntil }: VerifiedResponse): Promise<void> {
    const mac = createHash('sha256').update(`saml assertion\n${this.issuer.issuer}\n${id}`).digest();
    if (await this.parts.useOnce(mac, usableUntil + REMEMBERED_LONGER)) return;
    throw new SignInError('token_invalid', 'the assertion was used before');
  }

  #whatItHas({ nameId, attributes }: VerifiedResponse): string {
    return `NameID of format ${nameId?.format ?? 'none'}, attributes ${[...attributes.keys()].join(', ') || 'none'}`;
  }
}

const REASONS: Readonly<Record<SamlFault, SignInReason>> = {
  shape: 'response_invalid',
  signature: 'token_invalid',
  not_for_us: 'token_invalid',
  status: 'provider_refused',
};

/** The id of the request, which the assertion must answer: of this attempt alone, and so of this browser. */
const requestId = ({ nonce }: Attempt['secrets']): string => `_${nonce}`;

/** Whether nothing else than a persistent name would say who somebody is. */
export const asksPersistentName = ({ identity, profile }: IssuerDocument): boolean =>
  identity === undefined ? profile !== 'entra' : identity.claim === '/sub';

import { hash } from 'node:crypto';
import { compactVerify } from 'jose';
import { identityOf, own, unmetRequirement, type IssuerDocument, type JsonObject, type StoredDocument } from '#policy';
import { audiencesOf, checkTimes, checkType, refuserOf, type TokenTimes, type TokenUse } from './claims.js';
import type { KeySets } from './key-sets.js';
import { readToken, type ParseJson, type UnverifiedToken } from './read-token.js';
import { TokenRefused } from './refusal.js';

/** A token that is believed, and by which word of the tenant. */
export interface VerifiedToken extends TokenTimes {
  readonly issuer: StoredDocument<'Issuer'>;
  /** Whom it is about; null where it names nobody that could be a subject. Never null in the use `subject`. */
  readonly subject: { readonly type: string; readonly id: string } | null;
  readonly claims: JsonObject;
  /** SHA-256 in hexadecimal: of its `jti`, or of what was signed where it has none. Says which it was, and does not give it away. */
  readonly fingerprint: string;
}

/** How a token is to be used. */
export interface Verification {
  /** Whose Issuers they are. */
  readonly tenant: string;
  readonly use: TokenUse;
  /** ms since 1970, by the database's clock. */
  readonly now: number;
  /** Where the Issuer names none: for whom assertions of workloads must be. */
  readonly audiences?: readonly string[];
}

/** Verifies tokens of companies' identity providers, by the Issuer documents of a tenant and nothing else. */
export class TokenVerifier {
  /** @param parse strict JSON */
  constructor(
    private readonly keys: KeySets,
    private readonly parse: ParseJson,
  ) {}

  /**
   * Verifies one token. Throws TokenRefused, and IdentityProviderUnavailable where no keys are to be had.
   *
   * What costs nothing comes first: no key is fetched for a token that would be refused anyway.
   */
  async verify(
    issuers: Iterable<StoredDocument<'Issuer'>>,
    text: string,
    { tenant, use, now, audiences }: Verification,
  ): Promise<VerifiedToken> {
    const token = readToken(text, this.parse);
    const issuer = issuerOf(issuers, token, use, audiences);
    const { document } = issuer;
    const refuse = refuserOf(document);
    // The list of a document has no `none` and no HMAC: a public key can never be taken for a secret.
    const algorithm = document.algorithms.find((known) => known === token.algorithm);
    if (algorithm === undefined) return refuse('algorithm', `its alg is not one of ${document.algorithms.join(', ')}`);
    checkType(token, document, use);
    const times = checkTimes(token, document, use, now);
    const unmet = unmetRequirement(document, token.claims);
    if (unmet !== undefined && use !== 'logout') refuse('requirement', `the claim ${unmet} is not as required`);
    const subject = subjectOf(token, document, use);
    const key = await this.keys.keyOf(tenant, document, algorithm, token.keyId);
    await compactVerify(text, key, { algorithms: [algorithm] }).catch(() =>
      refuse('signature', 'its signature does not fit'),
    );
    return { issuer, subject, claims: token.claims, fingerprint: fingerprintOf(token, text), ...times };
  }
}

/** The Issuer by which a token is judged: by the exact text, and among those of the same text by the audience. */
function issuerOf(
  issuers: Iterable<StoredDocument<'Issuer'>>,
  { claims }: UnverifiedToken,
  use: TokenUse,
  audiences: readonly string[] | undefined,
): StoredDocument<'Issuer'> {
  const iss = own(claims, 'iss');
  const same = [...issuers].filter(({ document }) => document.issuer === iss && isFor(document, use));
  if (same.length === 0) throw new TokenRefused('issuer_unknown', 'no Issuer for this use has its iss');
  const named = audiencesOf(claims);
  const fitting = same.filter(({ document }) =>
    wantedAudiences(document, use, audiences).some((wanted) => named.includes(wanted)),
  );
  const [only] = same.length === 1 ? same : [];
  if (fitting.length === 0) throw new TokenRefused('audience', 'it is for somebody else', only?.document.name ?? null);
  if (fitting.length > 1) {
    const names = fitting.map(({ document }) => document.name).join(', ');
    throw new TokenRefused('issuer_ambiguous', `several Issuers have its iss and an audience of it: ${names}`);
  }
  return fitting[0]!;
}

function isFor(document: IssuerDocument, use: TokenUse): boolean {
  if (use === 'subject') return document.subjectTokens !== undefined;
  return use === 'workload' ? document.workloads !== undefined : clientOf(document) !== undefined;
}

/** As whom people are signed in; undefined where that is done by another protocol, which knows no tokens. */
const clientOf = ({ signIn }: IssuerDocument): string | undefined =>
  signIn && 'clientId' in signIn ? signIn.clientId : undefined;

function wantedAudiences(document: IssuerDocument, use: TokenUse, ours: readonly string[] = []): readonly string[] {
  if (use === 'subject') return document.subjectTokens!.audiences;
  return use === 'workload' ? (document.workloads!.audiences ?? ours) : [clientOf(document)!];
}

function subjectOf(
  { claims }: UnverifiedToken,
  document: IssuerDocument,
  use: TokenUse,
): { type: string; id: string } | null {
  const refuse = refuserOf(document);
  const sub = own(claims, 'sub');
  if (use !== 'logout' && (typeof sub !== 'string' || sub === '')) return refuse('claims_missing', 'it has no sub');
  // An oid says nothing without the directory that it is in, and logout tokens need not say it.
  if (document.profile === 'entra' && use === 'subject' && own(claims, 'tid') === undefined) {
    return refuse('identity', 'it does not say its directory in tid');
  }
  const subject = identityOf(document, claims) ?? null;
  if (subject === null && use === 'subject') return refuse('identity', 'it names nobody that could be a subject');
  return subject;
}

/** Without the signature: of an ECDSA one there is another form that is as good, and that anybody can make of the first. */
function fingerprintOf({ claims }: UnverifiedToken, text: string): string {
  const id = own(claims, 'jti');
  return hash('sha256', typeof id === 'string' && id !== '' ? id : text.slice(0, text.lastIndexOf('.')));
}

import { SAML, ValidateInResponseTo, type SamlConfig } from '@node-saml/node-saml';
import { decryptXml, getVerifiedXml } from '@node-saml/node-saml/lib/xml.js';
import {
  answering,
  CLOCK_TOLERANCE,
  MAX_ASSERTION_AGE,
  readAssertion,
  type Expected,
  type SamlAssertion,
} from './assertion.js';
import { checkGrammar } from './grammar.js';
import { guardAssertion, guardResponse, type GuardedResponse } from './guard.js';
import { readXml } from './read-xml.js';
import { SamlRefused } from './saml-refused.js';
import { signers, tellRefusal } from './told.js';

/** An identity provider, as an administrator has written it down: nothing that it sends changes this. */
export interface Verification extends Expected {
  /** Certificates of its keys, PEM: a signature by one of them counts. */
  readonly certificates: readonly string[];
  /** Whether the whole answer must be signed; the assertion must be in any case. */
  readonly signedResponses: boolean;
  /** Whether an assertion in the open is refused. */
  readonly encrypted: boolean;
  /** Our private keys that an assertion may be encrypted for, PEM. */
  readonly decryptionKeys: readonly string[];
}

/** A verified assertion, and what was signed of it. */
export interface VerifiedResponse extends SamlAssertion {
  readonly xml: string;
}

/**
 * Verifies an answer to a request of ours: by our own look at its shape, by the library, and by our own look at what was
 * signed. Throws SamlRefused. Whether the assertion was used before is for the caller to see to.
 * @param posted what the browser brought as `SAMLResponse`
 */
export async function verifyResponse(posted: string, wanted: Verification): Promise<VerifiedResponse> {
  const { look } = wanted;
  look?.('document', `${posted.length} characters of base64`);
  const response = guardResponse(posted, { signedResponse: wanted.signedResponses, look });
  checkEnvelope(response, wanted);
  const decryptionKey = response.encrypted && (await keyFor(response, wanted));
  look?.('signature', signers(response.root, wanted.certificates));
  const xml = await signedAssertion(response, wanted, decryptionKey);
  const { root } = readXml(xml);
  checkGrammar(root, 'saml:Assertion');
  return { ...readAssertion(root, wanted), xml };
}

/** What stands around the assertion; signed or not, it must be as we expect it. */
function checkEnvelope(response: GuardedResponse, wanted: Verification): void {
  const { recipient, requestId, issuer, encrypted, look } = wanted;
  look?.('in_response_to', answering('the answer', response.inResponseTo, requestId));
  if (response.inResponseTo !== requestId) refuse('not_for_us', 'it answers another request, or none');
  look?.('destination', `Destination is ${response.destination || 'not said'}, ours is ${recipient}`);
  if (response.destination !== recipient) refuse('not_for_us', 'it was sent to another destination');
  look?.(
    'response_issuer',
    `the Issuer of the answer is ${response.issuer ?? 'not said'}, the one of the document ${issuer}`,
  );
  if (response.issuer !== null && response.issuer !== issuer) refuse('not_for_us', 'another issuer has sent it');
  look?.('encryption', response.encrypted ? 'the assertion is encrypted' : 'the assertion is in the open');
  if (encrypted && !response.encrypted) refuse('shape', 'the assertion is not encrypted');
}

/**
 * The key of ours that an assertion is encrypted for.
 *
 * INVARIANT: where the whole answer must be signed, nothing is decrypted before that signature holds: how a decryption fails
 * tells nobody anything who cannot sign.
 */
async function keyFor(response: GuardedResponse, wanted: Verification): Promise<string> {
  const { look, certificates } = wanted;
  if (wanted.signedResponses) {
    look?.('signature', signers(response.root, certificates));
    if (!isSignedBy(response, certificates)) refuse('signature', 'the signature of the answer does not hold');
  }
  look?.('encryption', `${wanted.decryptionKeys.length} keys of ours to decrypt it with`);
  const encrypted = response.encrypted!.toString();
  for (const key of wanted.decryptionKeys) {
    const xml = await decryptXml(encrypted, key).catch(() => undefined);
    if (xml === undefined) continue;
    guardAssertion(xml);
    return key;
  }
  return refuse('signature', 'the assertion cannot be decrypted by any key of ours');
}

function isSignedBy({ text, root }: GuardedResponse, certificates: readonly string[]): boolean {
  try {
    return getVerifiedXml(text, root, [...certificates]) !== null;
  } catch {
    return false;
  }
}

/** What the library has found to be signed: the assertion as the signature covers it. */
async function signedAssertion(
  { text, root }: GuardedResponse,
  wanted: Verification,
  decryptionKey: string | undefined,
): Promise<string> {
  const library = new SAML(optionsFor(wanted, decryptionKey));
  const xml = await library
    .validatePostResponseAsync({ SAMLResponse: Buffer.from(text).toString('base64') })
    .then(({ profile }) => profile?.getAssertionXml?.())
    .catch((cause: Error) => {
      tellRefusal(cause.message, root, wanted);
      return refuse('signature', cause.message.split('\n')[0]!.slice(0, 300), { cause });
    });
  return xml ?? refuse('signature', 'nothing in it is signed');
}

/** The library's own checks, all of them: what it would let through by default, it is told to refuse. */
const optionsFor = (wanted: Verification, decryptionKey: string | undefined): SamlConfig => ({
  callbackUrl: wanted.recipient,
  issuer: wanted.audience,
  audience: wanted.audience,
  idpCert: [...wanted.certificates],
  idpIssuer: wanted.issuer,
  wantAssertionsSigned: true,
  wantAuthnResponseSigned: wanted.signedResponses,
  validateInResponseTo: ValidateInResponseTo.always,
  requestIdExpirationPeriodMs: MAX_ASSERTION_AGE * 4,
  acceptedClockSkewMs: CLOCK_TOLERANCE,
  maxAssertionAgeMs: MAX_ASSERTION_AGE,
  cacheProvider: {
    saveAsync: () => Promise.resolve(null),
    getAsync: (id) => Promise.resolve(id === wanted.requestId ? new Date().toISOString() : null),
    removeAsync: () => Promise.resolve(null),
  },
  ...(decryptionKey === undefined ? {} : { decryptionPvk: decryptionKey }),
});

const refuse = (fault: SamlRefused['fault'], message: string, options?: ErrorOptions): never => {
  throw new SamlRefused(fault, message, options);
};

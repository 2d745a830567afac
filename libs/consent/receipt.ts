import type { ConsentBlock } from '#policy';
import type { ConsentDetail, ConsentListing } from '#store';
import { contentOf } from './content.js';
import { digestOfShown, type Shown } from './shown.js';

/** The `typ` of a receipt's header: it is no token, and no token is a receipt. */
export const RECEIPT_TYPE = 'placet-consent-receipt+jws';

/** Who issues a receipt, where what it is of can be taken back, and when, in ms since 1970. */
export interface ReceiptIssue {
  readonly id: string;
  readonly issuer: string;
  /** The URL at which the person takes it back. */
  readonly withdrawal: string;
  readonly now: number;
}

/** States in the words of the Data Privacy Vocabulary (https://w3id.org/dpv); one that was used has nothing left to give. */
const DPV_STATES: Readonly<Record<ConsentListing['state'], string>> = {
  live: 'dpv:ConsentGiven',
  used: 'dpv:ConsentExpired',
  expired: 'dpv:ConsentExpired',
  revoked: 'dpv:ConsentWithdrawn',
  superseded: 'dpv:ConsentInvalidated',
};

/** What became of it, in the same words. What is not here has no word there. */
const DPV_EVENTS: Readonly<Record<string, string>> = {
  requested: 'dpv:ConsentRequested',
  agreed: 'dpv:ConsentGiven',
  refused: 'dpv:ConsentRefused',
  withdrawn: 'dpv:ConsentWithdrawn',
  revoked: 'dpv:ConsentWithdrawn',
  superseded: 'dpv:ConsentInvalidated',
};

const time = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

/**
 * The receipt of a consent, with the sections and fields of ISO/IEC TS 27560:2023 and what it is bound to. Pure. It says how
 * things are when it is issued: what became of a consent afterwards is in a later one.
 */
export function receiptOf(detail: ConsentDetail, issue: ReceiptIssue): object {
  const { consent, request } = detail;
  const shown = JSON.parse(request.shown) as Shown;
  const asked = contentOf(request.content).requirements[consent.requirement]!;
  return {
    schema_version: 'urn:placet:consent-receipt:iso-iec-ts-27560-2023:1',
    receipt_id: issue.id,
    issued_at: time(issue.now),
    issuer: issue.issuer,
    record: { record_id: consent.id, pii_principal_id: consent.subject },
    pii_processing: processingOf(detail, shown, issue),
    party_identification: [
      { party_id: issue.issuer, party_role: 'pii_controller' },
      { party_id: `host:${consent.agent}`, party_role: 'agent', party_name: shown.through },
      ...(consent.server === null
        ? []
        : [{ party_id: `server:${consent.server}`, party_role: 'recipient', identity: shown.server?.identity ?? [] }]),
    ],
    events: eventsOf(detail),
    state: { event_state: consent.state, dpv: DPV_STATES[consent.state], at: time(issue.now) },
    bound_to: {
      binding: consent.binding,
      rule: asked.rule,
      definition: shown.definition,
      session: consent.session !== null,
      uses_left: consent.usesLeft,
      valid_from: time(consent.createdAt),
      valid_until: time(consent.expiresAt),
      last_used_at: time(consent.lastUsedAt),
    },
    answers: answersOf(detail, asked.consent),
  };
}

function processingOf({ request }: ConsentDetail, shown: Shown, { withdrawal }: ReceiptIssue): object {
  const { action, resourceType, resourceId, shown: text, shownDigest } = request;
  return {
    privacy_notice: { language: 'en', digest: `sha256:${shownDigest}`, text },
    purposes: [{ purpose: shown.purpose, service: shown.title }],
    // Whether an approval is consent in the sense of a law is for whoever is responsible to say, and not for us.
    lawful_basis: null,
    pii_information: [shown, ...(shown.also ?? [])]
      .flatMap((one) => [...one.arguments, ...(one.attributes ?? [])])
      .map(({ place }) => ({ pii_type: place })),
    processing: [{ action, resource: { type: resourceType, id: resourceId }, operation: shown.operation }],
    withdrawal_method: { method: 'DELETE', url: withdrawal },
  };
}

/** Those that count towards it: signed in as it wants, where it says how. */
function answersOf({ consent, request }: ConsentDetail, { assurance }: ConsentBlock): object[] {
  return request.answers
    .filter(
      ({ person, answer, acr, withdrawnAt }) =>
        answer === 'agreed' &&
        withdrawnAt === null &&
        consent.agreed.includes(person) &&
        (assurance === undefined || acr === assurance),
    )
    .map(({ person, for: other, choice, brokeGlass, acr, amr, authenticatedAt, at }) => ({
      person,
      in_place_of: other?.person ?? null,
      at: time(at),
      authenticated: { acr, amr, at: time(authenticatedAt) },
      choice,
      broke_glass: brokeGlass,
    }));
}

function eventsOf({ consent, history }: ConsentDetail): object[] {
  const events = history.map(({ kind, by, at, content }) => {
    const type = kind === 'answered' && typeof content.answer === 'string' ? content.answer : kind;
    return { event_type: type, event_time: time(at), entity_id: by, event_state: DPV_EVENTS[type] ?? null };
  });
  if (consent.state === 'expired') {
    const end = Math.min(consent.expiresAt, consent.endedAt ?? Infinity);
    events.push({
      event_type: 'expired',
      event_time: time(end),
      entity_id: 'system',
      event_state: 'dpv:ConsentExpired',
    });
  }
  return events;
}

/** How much the clocks of a service and of its database may differ, in ms. */
const CLOCKS_MS = 60_000;

/**
 * What is wrong with a receipt whose signature holds: it is not what this version issues, or says that it was issued when its
 * key did not sign, which is what somebody makes who has come by an old key. Undefined: nothing.
 * @param key that signed it, as it is published: from when on it has signed (`iat`) and until when (`exp`), if it says so
 */
export function faultOfReceipt(receipt: unknown, key: object = {}): string | undefined {
  const { iat, exp } = key as { iat?: unknown; exp?: unknown };
  const {
    schema_version: version,
    issued_at: issued,
    pii_processing: processing,
  } = (receipt ?? {}) as {
    schema_version?: unknown;
    issued_at?: unknown;
    pii_processing?: { privacy_notice?: { digest?: unknown; text?: unknown } };
  };
  if (version !== 'urn:placet:consent-receipt:iso-iec-ts-27560-2023:1') return 'it is a receipt of another version';
  const at = typeof issued === 'string' ? Date.parse(issued) : NaN;
  const isBefore = iat !== undefined && !(at >= Number(iat) * 1000 - CLOCKS_MS);
  const isAfter = exp !== undefined && !(at <= Number(exp) * 1000 + CLOCKS_MS);
  if (isBefore || isAfter) return 'it says that it was issued when its key did not sign: somebody else has made it';
  const { digest, text } = processing?.privacy_notice ?? {};
  if (typeof text === 'string' && digest === `sha256:${digestOfShown(text)}`) return undefined;
  return 'the text that was shown is not the one of its digest';
}

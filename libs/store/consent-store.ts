import type { JsonObject } from '#policy';
import type { RightsProof } from './change.js';
import type { AskedConsent, ConsentRequestStatus } from './consent-reader.js';
import type { WhosePerson } from './consent-view.js';
import type { Store } from './store.js';

/** What a host asks people for. */
export interface NewConsentRequest extends AskedConsent {
  readonly id: string;
  /** SHA-256 of what is asked of whom through whom, in hexadecimal: equal open requests are one. */
  readonly joinKey: string;
  readonly content: object;
  readonly idempotencyKey: string | null;
  /** SHA-256 of the body that it came with, in hexadecimal. */
  readonly bodyDigest: string;
  /** For how long it waits for an answer, in ms. */
  readonly openMs: number;
}

/** How often people and hosts may be asked within an hour, and how often in a day after who was asked has refused. */
export interface ConsentBudgets {
  readonly subject: number;
  readonly host: number;
  readonly refusals: number;
}

export type OpenedRequest =
  | { readonly outcome: 'opened' | 'joined' | 'sent_before' | 'other_body'; readonly id: string }
  | { readonly outcome: 'budget'; readonly why: 'subject' | 'host' | 'refused' };

/** An answer, as whoever calls gives it. */
export interface GivenAnswer {
  readonly person: string;
  readonly answer: 'agreed' | 'refused';
  readonly choice: JsonObject | null;
  readonly brokeGlass: string | null;
  /** In whose place, and by which delegation; null: their own. */
  readonly forPerson: string | null;
  readonly delegation: string | null;
  readonly session: string;
  readonly acr: string | null;
  readonly amr: readonly string[];
  /** In ms since 1970. */
  readonly authenticatedAt: number | null;
  /** SHA-256 of what they were shown, in hexadecimal. */
  readonly shown: string;
  /** The link by which they came, which this uses up: its MAC in hexadecimal, and when it is over, in ms since 1970. */
  readonly link: { readonly mac: string; readonly until: number } | null;
}

/** An agreement that comes of answers. */
export interface NewConsent {
  readonly id: string;
  readonly requirement: number;
  readonly binding: string;
  readonly agreed: readonly string[];
  readonly policy: string | null;
  readonly rule: string | null;
  readonly uses: number | null;
  readonly session: string | null;
  readonly ms: number;
  /** Why it can never apply, though it was agreed to: it is superseded at once. Null: it may apply. */
  readonly superseded: string | null;
}

/** Who does something about consents, and what the right to do it rests on. */
export interface ConsentActor {
  /** As in a change: `session:<id>` and the like. */
  readonly principal: string;
  readonly proof: RightsProof;
}

export interface AnswerOutcome {
  readonly outcome:
    'answered' | 'moved' | 'principal' | 'rights' | 'missing' | 'over' | 'again' | 'shown' | 'delegation' | 'link';
  readonly status: ConsentRequestStatus | null;
}

/** Which consents are meant: those of which all that is given is so. */
export interface WhichConsents {
  readonly id?: string;
  readonly request?: string;
  /** About one of these names. */
  readonly subjects?: readonly string[];
  readonly agent?: string;
  readonly server?: string;
  /** Only those that are about somebody, by any of their names, or to which they have agreed. */
  readonly mine?: WhosePerson;
}

/** Writes what is asked, answered and taken back. Each is one call, which takes the tenant's turn at changes. */
export class ConsentStore {
  constructor(private readonly store: Store) {}

  async open(tenant: string, ask: NewConsentRequest, budgets: ConsentBudgets): Promise<OpenedRequest> {
    const [row] = await this.store.call<{ outcome: string; request_id: string; why: string | null }>(
      'select outcome, request_id, why from placet.open_consent_request($1, $2, $3)',
      [tenant, JSON.stringify(columnsOf(ask)), JSON.stringify(budgets)],
    );
    const { outcome, request_id: id, why } = row!;
    return (outcome === 'budget' ? { outcome, why } : { outcome, id }) as OpenedRequest;
  }

  /**
   * Writes an answer down, with what comes of it. Nothing is written unless the outcome is `answered`.
   * @param before how many answers there were, and were taken back, when it was worked out what comes of this one
   */
  async answer(
    tenant: string,
    { principal, proof }: ConsentActor,
    request: string,
    before: number,
    given: GivenAnswer,
    becomes: Extract<ConsentRequestStatus, 'pending' | 'approved' | 'denied'>,
    consents: readonly NewConsent[],
  ): Promise<AnswerOutcome> {
    const [row] = await this.store.call<AnswerOutcome>(
      'select outcome, status from placet.answer_consent_request($1, $2, $3, $4, $5, $6, $7, $8)',
      [
        ...[tenant, principal, JSON.stringify(proof), request, before],
        ...[JSON.stringify(columnsOf(given)), becomes, JSON.stringify(consents.map(columnsOf))],
      ],
    );
    return row!;
  }

  /**
   * Takes back what somebody has agreed to: of an open request their answers, of an approved one all that came of it. When
   * this returns, no decision that is asked for afterwards rests on it. `ended`: how many consents there were.
   */
  async takeBack(
    tenant: string,
    { principal, proof }: ConsentActor,
    request: string,
    person: string,
  ): Promise<{
    readonly outcome: 'taken_back' | 'nothing' | 'principal' | 'rights';
    readonly status: ConsentRequestStatus | null;
    readonly ended: number;
  }> {
    const [row] = await this.store.call<Awaited<ReturnType<ConsentStore['takeBack']>>>(
      'select outcome, status, ended::float8 as ended from placet.take_back_answer($1, $2, $3, $4, $5)',
      [tenant, principal, JSON.stringify(proof), request, person],
    );
    return row!;
  }

  async cancel(
    tenant: string,
    request: string,
    { host, agent }: { readonly host: string; readonly agent: string },
  ): Promise<{ readonly outcome: 'cancelled' | 'over' | 'missing'; readonly status: ConsentRequestStatus | null }> {
    const [row] = await this.store.call<{
      outcome: 'cancelled' | 'over' | 'missing';
      status: ConsentRequestStatus | null;
    }>('select outcome, status from placet.cancel_consent_request($1, $2, $3, $4)', [tenant, request, host, agent]);
    return row!;
  }

  /**
   * Ends live consents, and refuses open requests to which somebody has agreed already: when this returns, no decision that
   * is asked for afterwards is an allow on one of them, on any replica. `ended`: how many there were.
   */
  async revoke(
    tenant: string,
    { principal, proof }: ConsentActor,
    who: string,
    which: WhichConsents,
    reason: string | null,
  ): Promise<{ readonly outcome: 'revoked' | 'principal' | 'rights'; readonly ended: number }> {
    const [row] = await this.store.call<{ outcome: 'revoked' | 'principal' | 'rights'; ended: number | null }>(
      'select outcome, ended from placet.revoke_consents($1, $2, $3, $4, $5, $6)',
      [tenant, principal, JSON.stringify(proof), who, JSON.stringify(which), reason],
    );
    return { outcome: row!.outcome, ended: Number(row!.ended ?? 0) };
  }

  /** Ends consents that can never apply any more, and says why in their history. Returns how many there were. */
  async supersede(tenant: string, ids: readonly string[], why: string): Promise<number> {
    const [row] = await this.store.call<{ ended: number }>('select placet.settle_consents($1, $2, $3) as ended', [
      tenant,
      ids,
      why,
    ]);
    return Number(row!.ended);
  }

  /** Takes note that all consents were looked at that changes up to a revision concern. */
  async settled(tenant: string, revision: number): Promise<void> {
    await this.store.call('select placet.consents_settled_up_to($1, $2)', [tenant, revision]);
  }

  /** Writes down when consents that any number of calls may rest on were used, in ms since 1970. What is newer stays. */
  async used(tenant: string, uses: readonly (readonly [consent: string, at: number])[]): Promise<void> {
    await this.store.call('select placet.consents_used($1, $2, $3)', [
      tenant,
      uses.map(([consent]) => consent),
      uses.map(([, at]) => new Date(at).toISOString()),
    ]);
  }
}

/** With the member names that the functions in the database read. */
const columnsOf = (members: object): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(members).map(([key, value]) => [
      key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      value as unknown,
    ]),
  );

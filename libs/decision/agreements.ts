import {
  standingConsents,
  type Decision,
  type DecisionInput,
  type PolicySet,
  type Requirement,
  type StoredConsent,
} from '#policy';
import type { ConsentReader, LiveConsents, ConsentRequestStatus, StoredConsentRequest } from '#store';
import type { Question } from './question.js';

/** Where an approval stands that a request names, and why it does not help where it does not. */
export type ApprovalState =
  | Exclude<ConsentRequestStatus, 'approved'>
  | 'used'
  | 'revoked'
  | 'superseded'
  | 'out_of_scope'
  | 'not_entitled'
  | 'met';

/** An approval that a request names, as it stands. */
export interface StandingApproval {
  readonly id: string;
  readonly state: ApprovalState;
  /** Of one that was used up: the evaluation that took its last use. */
  readonly usedBy?: string;
}

type OfRequest = Awaited<ReturnType<ConsentReader['ofRequest']>>;

/** What is stored of an approval that a request names. */
interface KnownApproval {
  readonly request: StoredConsentRequest | undefined;
  readonly consents: OfRequest;
}

/** More of what people have agreed to must be looked up before a question can be decided. Never leaves this library. */
export class AgreementsWanted extends Error {
  override readonly name = 'AgreementsWanted';

  constructor(readonly bindings: readonly string[]) {
    super('what people have agreed to is to be looked up');
  }
}

/**
 * What is known of agreements while the questions of one call are decided. It is loaded before, as nothing is read while one
 * is decided; the commit looks at each consent once more.
 *
 * INVARIANT: what is not loaded is not agreed to.
 */
export class Agreements {
  static readonly NONE = new Agreements(new Set(), { epoch: Infinity, rows: [] }, new Map());

  private constructor(
    private readonly bindings: ReadonlySet<string>,
    private readonly live: LiveConsents,
    private readonly approvals: ReadonlyMap<string, KnownApproval>,
  ) {}

  /**
   * Loads the live consents to some bindings, and the approvals that some questions name.
   * @param before what was loaded before: its bindings are looked up anew
   */
  static async load(
    reader: ConsentReader,
    tenant: string,
    questions: readonly Question[],
    bindings: readonly string[] = [],
    before: Agreements = Agreements.NONE,
  ): Promise<Agreements> {
    const named = [...new Set(questions.flatMap(({ approval }) => approval ?? []))];
    const all = new Set([...before.bindings, ...bindings]);
    if (named.length === 0 && all.size === 0) return Agreements.NONE;
    const live = await reader.live(tenant, [...all]);
    const approvals = new Map<string, KnownApproval>();
    for (const id of named) {
      const request = await reader.request(tenant, id);
      approvals.set(id, { request, consents: request ? await reader.ofRequest(tenant, id) : [] });
    }
    return new Agreements(all, live, approvals);
  }

  /** The epoch at which it was loaded what is known of those who agreed; what rests on them is no newer. */
  get epoch(): number {
    return this.live.epoch;
  }

  /** Whether an approval that a question names is one of those that were loaded. */
  has({ approval }: Question): boolean {
    return approval === undefined || this.approvals.has(approval);
  }

  /** For whom the approval was asked that a question names; null: there is none of that id. */
  named({ approval }: Question): DecisionInput['approval'] {
    if (approval === undefined) return undefined;
    const request = this.approvals.get(approval)?.request;
    return request ? { subject: request.subject, agent: request.agent, session: request.session } : null;
  }

  /** Throws AgreementsWanted where it is not known whether somebody has agreed to what is required. */
  demand(requirements: readonly Requirement[]): void {
    const missing = requirements.flatMap(({ binding }) =>
      binding === null || this.bindings.has(binding) ? [] : [binding],
    );
    if (missing.length > 0) throw new AgreementsWanted(missing);
  }

  /**
   * The consents that count for what a decision requires, and what it rests on that they do.
   * @param taken uses that decisions before it in the same call take, by the ids of consents
   */
  standing(
    set: PolicySet,
    { requirements, found }: Decision,
    { approval }: Question,
    taken: ReadonlyMap<string, number>,
    now: number,
  ): ReturnType<typeof standingConsents> {
    const stored = this.live.rows.map((row): StoredConsent => ({
      id: row.id,
      binding: row.binding,
      expires: row.expiresAt,
      usesLeft: row.usesLeft === null ? null : Math.max(0, row.usesLeft - (taken.get(row.id) ?? 0)),
      named: row.request === approval,
      session: row.session,
      agreed: row.agreed.map(({ person, issuer, claims, for: other, acr, brokeGlass }) => ({
        person: { id: person, issuer, claims },
        for: other === null ? undefined : { id: other.person, issuer: other.issuer, claims: other.claims },
        acr,
        brokeGlass: brokeGlass !== null,
      })),
    }));
    const server = found!.server === null ? null : { id: found!.server };
    return standingConsents(set, requirements, stored, { subject: found!.subject, server }, now);
  }

  /** Where the approval stands that a question names, once it was decided with all that counts. */
  stateOf(
    { approval, session }: Question,
    { requirements }: Decision,
    used: readonly string[],
  ): StandingApproval | undefined {
    const known = approval === undefined ? undefined : this.approvals.get(approval);
    if (approval === undefined || !known?.request) return undefined;
    const { status } = known.request;
    if (status !== 'approved') return { id: approval, state: status };
    if (requirements.length === 0 || known.consents.some(({ id }) => used.includes(id)))
      return { id: approval, state: 'met' };
    const wanted = new Set(requirements.map(({ binding }) => binding));
    const own = known.consents.find(({ binding }) => wanted.has(binding));
    if (!own) return { id: approval, state: 'out_of_scope' };
    if (own.session !== null && own.session !== session?.id) return { id: approval, state: 'out_of_scope' };
    if (own.endedFor === 'used') {
      return { id: approval, state: 'used', ...(own.usedBy === null ? {} : { usedBy: own.usedBy }) };
    }
    if (own.endedFor !== null) return { id: approval, state: own.endedFor };
    return { id: approval, state: this.live.rows.some(({ id }) => id === own.id) ? 'not_entitled' : 'expired' };
  }
}

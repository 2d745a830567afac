import { contentOf } from '#consent';
import {
  digest,
  standingConsents,
  type Decision,
  type DecisionInput,
  type Json,
  type PolicySet,
  type Requirement,
  type StoredConsent,
} from '#policy';
import type { AgreedConsentRow, ConsentReader, ConsentRequestStatus, LiveConsents, StoredConsentRequest } from '#store';
import { begunBy, operationDigest, refusedToGoOn, type BegunOperation, type GoingOn } from './going-on.js';
import type { Question } from './question.js';

/** Where an approval stands that a request names, and why it does not help where it does not. */
type ApprovalState =
  | Exclude<ConsentRequestStatus, 'approved'>
  | 'used'
  | 'revoked'
  | 'superseded'
  | 'out_of_scope'
  | 'not_entitled'
  | 'invalid'
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

/** What must be looked up for all questions of a call, so that it is looked up at once and not for one after the other. */
export class Wanted {
  readonly #bindings: string[] = [];
  isAny = false;

  /** What comes of one question; undefined where something must be looked up first. */
  of<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof AgreementsWanted)) throw error;
      this.isAny = true;
      this.#bindings.push(...error.bindings);
      return undefined;
    }
  }

  /** Throws AgreementsWanted where anything must be looked up. */
  demand(): void {
    if (this.isAny) throw new AgreementsWanted(this.#bindings);
  }
}

/**
 * What is known of agreements while the questions of one call are decided. It is loaded before, as nothing is read while one
 * is decided; the commit looks at each consent once more.
 *
 * INVARIANT: what is not loaded is not agreed to.
 */
export class Agreements {
  static readonly NONE = new Agreements(new Set(), { epoch: Infinity, rows: [] }, new Map(), new Map());

  private constructor(
    private readonly bindings: ReadonlySet<string>,
    private readonly live: LiveConsents,
    private readonly approvals: ReadonlyMap<string, KnownApproval>,
    private readonly begun: ReadonlyMap<string, BegunOperation | undefined>,
  ) {}

  /**
   * Loads the live consents to some bindings, and the approvals and evaluations that some questions name.
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
    const continued = [...new Set(questions.flatMap(({ continues }) => continues ?? []))];
    if (named.length === 0 && all.size === 0 && continued.length === 0) return Agreements.NONE;
    // First of all that is read: its epoch is no later than the rest.
    const live = await reader.live(tenant, [...all]);
    const approvals = new Map<string, KnownApproval>();
    for (const id of named) {
      const request = await reader.request(tenant, id);
      approvals.set(id, { request, consents: request ? await reader.ofRequest(tenant, id) : [] });
    }
    const begun = new Map<string, BegunOperation | undefined>();
    for (const id of continued) begun.set(id, await begunBy(reader, tenant, id));
    return new Agreements(all, live, approvals, begun);
  }

  /** The epoch at which it was loaded what is known of those who agreed; what rests on them is no newer. */
  get epoch(): number {
    return this.live.epoch;
  }

  /** Whether the approval and the evaluation that a question names are of those that were loaded. */
  has({ approval, continues }: Question): boolean {
    return (
      (approval === undefined || this.approvals.has(approval)) && (continues === undefined || this.begun.has(continues))
    );
  }

  /** For whom the approval was asked that a question names; null: there is none of that id. */
  named({ approval }: Question): DecisionInput['approval'] {
    if (approval === undefined) return undefined;
    const request = this.approvals.get(approval)?.request;
    return request
      ? { subject: request.subject, host: request.host, agent: request.agent, session: request.session }
      : null;
  }

  /** Throws AgreementsWanted where it is not known whether somebody has agreed to what is required. */
  demand(requirements: readonly Requirement[]): void {
    const missing = requirements.flatMap(({ binding }) =>
      binding === null || this.bindings.has(binding) ? [] : [binding],
    );
    if (missing.length > 0) throw new AgreementsWanted(missing);
  }

  /** Whether a question may go on with the operation that it names, and with which; undefined: it names none. */
  goingOn(
    { continues }: Question,
    host: string,
    input: DecisionInput,
    alone: Decision,
    now: number,
  ): { readonly begun?: BegunOperation; readonly standing: GoingOn } | undefined {
    if (continues === undefined) return undefined;
    if (alone.effect !== 'ask') return { standing: { id: continues, state: 'not_needed' } };
    const begun = this.begun.get(continues);
    const state = refusedToGoOn(begun, operationDigest(host, input, alone), now);
    if (state !== undefined) return { standing: { id: continues, state } };
    return { begun: begun!, standing: { id: begun!.id, state: 'ended' } };
  }

  /**
   * The consents that count for what a decision requires, and what it rests on that they do.
   * @param taken uses that decisions before it in the same call take, by the ids of consents
   * @param begun the operation that the question goes on with: what it took a use of counts without another
   */
  standing(
    set: PolicySet,
    { requirements, found }: Decision,
    { approval }: Question,
    taken: ReadonlyMap<string, number>,
    begun: BegunOperation | undefined,
    now: number,
  ): ReturnType<typeof standingConsents> {
    const goingOn = (begun?.consents ?? []).filter(({ endedFor }) => endedFor === null || endedFor === 'used');
    const others = this.live.rows.filter(({ id }) => !goingOn.some((one) => one.id === id));
    const stored = [
      ...goingOn.map((row) => storedConsent(row, null, approval)),
      ...others.map((row) =>
        storedConsent(row, row.usesLeft && Math.max(0, row.usesLeft - (taken.get(row.id) ?? 0)), approval),
      ),
    ];
    const server = found!.server === null ? null : { id: found!.server };
    return standingConsents(set, requirements, stored, { subject: found!.subject, server }, now);
  }

  /** Where the approval stands that a question names, once it was decided with all that counts. */
  stateOf(
    { approval, session }: Question,
    { requirements, reason }: Decision,
    used: readonly string[],
  ): StandingApproval | undefined {
    const known = approval === undefined ? undefined : this.approvals.get(approval);
    if (approval === undefined) return undefined;
    if (!known?.request || reason === 'approval_invalid') return { id: approval, state: 'invalid' };
    const { status } = known.request;
    if (status !== 'approved') return { id: approval, state: status };
    if (requirements.length === 0 || known.consents.some(({ id }) => used.includes(id)))
      return { id: approval, state: 'met' };
    const wanted = new Set(requirements.map(({ binding }) => binding));
    const own = known.consents.find(({ binding }) => wanted.has(binding));
    if (!own) return { id: approval, state: isOlder(known, requirements) ? 'superseded' : 'out_of_scope' };
    if (own.session !== null && own.session !== session?.id) return { id: approval, state: 'out_of_scope' };
    if (own.endedFor === 'used') {
      return { id: approval, state: 'used', ...(own.usedBy === null ? {} : { usedBy: own.usedBy }) };
    }
    if (own.endedFor !== null) return { id: approval, state: own.endedFor };
    return { id: approval, state: this.live.rows.some(({ id }) => id === own.id) ? 'not_entitled' : 'expired' };
  }
}

const storedConsent = (
  row: AgreedConsentRow,
  usesLeft: number | null,
  approval: string | undefined,
): StoredConsent => ({
  id: row.id,
  binding: row.binding,
  expires: row.expiresAt,
  usesLeft,
  named: row.request === approval,
  session: row.session,
  agreed: row.agreed.map(({ person, issuer, claims, for: other, acr, brokeGlass }) => ({
    person: { id: person, issuer, claims },
    for: other === null ? undefined : { id: other.person, issuer: other.issuer, claims: other.claims },
    acr,
    brokeGlass: brokeGlass !== null,
  })),
});

/** Whether what is required differs from what was agreed to because a rule has another consent block by now. */
const isOlder = ({ request }: KnownApproval, requirements: readonly Requirement[]): boolean =>
  contentOf(request!.content).requirements.some(({ rule, consent }) =>
    requirements.some((now) => isSameRule(now.rule, rule) && now.consentDigest !== digest(consent as unknown as Json)),
  );

const isSameRule = (left: Requirement['rule'], right: Requirement['rule']): boolean =>
  left?.policy === right?.policy && left?.rule === right?.rule;

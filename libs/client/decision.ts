import type { JsonObject } from './json.js';

/** The answer to a request: may it happen, not, or only after somebody has agreed. */
export type Decision = Allowed | Denied | Asked;

export interface Allowed extends Decided {
  readonly effect: 'allow';
  readonly evaluationId: string;
  /** What the host had to do for the allow to hold; all of it has been done. */
  readonly obligations: readonly Obligation[];
  /**
   * Until when, by `performance.now()` in ms, the host may go by this answer without asking again. Counted from when the
   * request was sent; mostly past already, because Placet lets nothing be reused unless it says so.
   */
  readonly validUntil: number;
}

/** Denied by Placet, or by the client because nothing that Placet said can be relied on: then `evaluationId` may be missing. */
export interface Denied extends Decided {
  readonly effect: 'deny';
}

/** Nobody has agreed yet. Not an allow: ask those who are entitled, then ask Placet again. */
export interface Asked extends Decided {
  readonly effect: 'ask';
  readonly evaluationId: string;
  /** What must be agreed to, all of it. */
  readonly requirements: readonly Requirement[];
  /**
   * Whether people can be asked for it, by `PlacetClient.request`. False where nothing that they agree to could count:
   * mostly because the request does not say which definition of the tool it means.
   */
  readonly requestable: boolean;
}

interface Decided {
  readonly reason: Reason;
  /** The rules that decided; none where a boundary did, or the client. */
  readonly rules: readonly RuleRef[];
  /** Under which the ledger has it. */
  readonly evaluationId: string | undefined;
  /** The revision of the policies that it was decided by. */
  readonly revision: number | undefined;
  /** Of an approval that the request named and that did not help: why. Left out by the client's own denials. */
  readonly approval?: NamedApproval;
}

/** An approval that was of no use, in Placet's words. */
export interface NamedApproval {
  /** Where it stands, as in `pending`, `used`, `revoked`; undefined: it is none that this request can use. */
  readonly state?: string;
  /** As in `consent_used`. */
  readonly reason: string;
  /** `request`: people can be asked anew; `retry`: they have not answered yet; `none`: nothing. */
  readonly nextAction: string;
}

/** Why. The message is for the person; the detail for administrators, and only there if the key may see it. */
export interface Reason {
  /** One of Placet's reason codes, or one of the client's own. */
  readonly code: ClientReasonCode | (string & {});
  readonly message: string;
  readonly detail?: string;
}

/** Reasons that the client itself denies for. */
export type ClientReasonCode =
  /** Placet cannot be reached, does not answer in time, or says that it cannot decide now. */
  | 'pdp_unavailable'
  /** Placet refuses the request itself: the key, the subject or the shape of it. The message says what to mend. */
  | 'pdp_refused'
  /** What came back is no decision. */
  | 'pdp_answer_invalid'
  /** Placet allows it under an obligation that the host has no handler for. */
  | 'obligation_unsupported'
  /** Placet allows it under an obligation, and the host's handler says that it is not fulfilled. */
  | 'obligation_failed';

/** A rule by its policy, that one's version, and its name. */
export interface RuleRef {
  readonly policy: string;
  readonly version: number;
  readonly rule: string;
}

/** Something that the host must do for an allow to hold. Which members stand beside `type` depends on it. */
export interface Obligation extends JsonObject {
  readonly type: string;
}

/** Something that must be agreed to, by whom, and what the agreement is bound to. */
export interface Requirement {
  readonly policy?: string;
  readonly rule?: string;
  /** `subject`, or who is entitled, as in `role:comms-lead`. */
  readonly by: readonly string[];
  /** How many must agree. */
  readonly approvals: number;
  /** Whether it must be somebody else than the subject. */
  readonly notSelf: boolean;
  /** For how many calls the agreement is good, and until when; undefined: the policy sets no such end. */
  readonly uses: number | undefined;
  readonly until: string | undefined;
  /** What the agreement holds for: all arguments as they are, or those of these names. */
  readonly bind: 'all' | readonly string[];
  /** Arguments to show to whoever is asked; undefined: the policy names none. */
  readonly show: readonly string[] | undefined;
  /** How whoever agrees must have signed in; undefined: in any way. */
  readonly assurance: string | undefined;
  /** Digest of what the agreement holds for. */
  readonly bound: string;
}

/** A deny of the client's own. */
export function denied(
  code: ClientReasonCode,
  message: string,
  answer: Partial<Pick<Decided, 'rules' | 'evaluationId' | 'revision'>> = {},
): Denied {
  const { rules = [], evaluationId, revision } = answer;
  return { effect: 'deny', reason: { code, message }, rules, evaluationId, revision };
}

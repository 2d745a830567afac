import type { Presented, VerifiedToken } from '#identity';
import type { DecisionInput, Json, JsonObject, ServerReference } from '#policy';

/** One thing that a host asks, as a front understood it; nothing in it is believed yet. */
export interface Question {
  readonly subject: { readonly type: string; readonly id: string; readonly properties: JsonObject };
  /** The token that proves the subject, verified by `Decisions.verified`; left out: the host asserts it. */
  readonly proof?: VerifiedToken | undefined;
  readonly action: string;
  readonly resource: { readonly type: string; readonly id: string | null; readonly properties: JsonObject };
  readonly server: ServerReference | null;
  readonly arguments: JsonObject;
  readonly operation: DecisionInput['operation'];
  readonly session: { readonly id: string } | null;
  readonly context: JsonObject;
  /** For which registered host a gateway asks; undefined: for itself. */
  readonly agent?: string | undefined;
  /** The types of obligations that the host can carry out; undefined: it does not say. */
  readonly supportedObligations?: DecisionInput['supportedObligations'];
  /** SHA-256 of the tool's definition as the host has it; undefined: it does not say. */
  readonly definition?: DecisionInput['definition'];
  /** The approval that the host names. */
  readonly approval?: string | undefined;
  /** The evaluation that allowed the operation which this one goes on with: a retry of MCP after `input_required`. */
  readonly continues?: string | undefined;
  readonly kind: DecisionInput['kind'];
  /** Whether the answer is to be explained; the key must have the right. */
  readonly explain?: boolean | undefined;
}

/**
 * When a call with several questions stops: at the first deny, at the first allow, or never. `as_one`: never, and it is one
 * operation, which takes no use of a consent unless all of it is allowed.
 */
export type Semantic = 'execute_all' | 'deny_on_first_deny' | 'permit_on_first_permit' | 'as_one';

/** Who calls, and about which request of theirs. */
export interface Call {
  readonly tenant: string;
  readonly key: Presented;
  /** From where, normalised. */
  readonly address: string;
  readonly front: 'mcp' | 'authzen';
  /** SHA-256 of the request's body as it came, in hexadecimal. */
  readonly requestDigest: string;
  readonly trace: string | undefined;
  /** The tenant's state must be at least this revision. */
  readonly atLeast: number | undefined;
  /** What else the record keeps: the purpose, the digest of the tool's definition. */
  readonly noted: Readonly<Record<string, Json>>;
}

import type { Approval } from './consent-task.js';
import type { Json, JsonObject } from './json.js';

/** On whose behalf something happens. */
export interface Subject {
  /** As in `user`. */
  readonly type: string;
  readonly id: string;
  /** Attributes that the host asserts; Placet takes those that its key may assert, and stored ones win. */
  readonly properties?: JsonObject;
}

/**
 * A token of the company's identity provider that proves on whose behalf something happens: an access token that names
 * Placet as an audience. It is sent to Placet and nowhere else, and never logged.
 */
export interface SubjectToken {
  readonly token: string;
  /** Attributes that the host asserts besides; what the token gives wins. */
  readonly properties?: JsonObject;
}

/** A registered MCP server: its name, or what it is. All that is given must lead to the same one. */
export type ServerReference = string | ServerIdentity;

interface ServerIdentity {
  readonly name?: string | undefined;
  readonly url?: string | undefined;
  /** The exact command line. */
  readonly command?: readonly string[] | undefined;
  /** What the host has installed; the hash is the one that the host has computed. */
  readonly package?:
    { readonly registry: string; readonly name: string; readonly version: string; readonly sha256: string } | undefined;
}

/**
 * The registered host that a gateway asks for. A key with the right `agents` must name one, of those that the right covers;
 * any other key may leave it out or name its own host.
 */
type Agent = string;

export type Direction = 'client_to_server' | 'server_to_client';

/** What every question to Placet is about. */
export interface Circumstances {
  readonly subject: Subject | SubjectToken;
  readonly server?: ServerReference | undefined;
  readonly agent?: Agent | undefined;
  readonly session?: { readonly id: string } | undefined;
  /** Of MCP, as negotiated; undefined: not known yet. */
  readonly protocolVersion?: string | undefined;
  readonly purpose?: string | undefined;
  /** Anything else that policies may look at. */
  readonly context?: JsonObject | undefined;
  /** The least revision of the policies to decide by. */
  readonly atLeast?: number | undefined;
}

/** A JSON-RPC message that is about to be sent or has arrived, not handed on yet. */
export interface DecisionRequest extends Circumstances {
  readonly direction: Direction;
  readonly message: JsonObject;
  /** For a response: the request that it answers. */
  readonly answers?: { readonly method: string; readonly params?: Json } | undefined;
  /** The tool that is called, as the host knows it. Placet records its digest, and people can agree to nothing without it. */
  readonly tool?: ToolReference | undefined;
  /**
   * What people have agreed to, which this request is to use. It is sent once, and a use of it is spent when it is allowed,
   * also if the answer is lost on its way.
   */
  readonly approval?: Approval | undefined;
}

/** Something that was asked about and must be agreed to first: exactly the request that it was asked with. */
export interface ConsentRequest extends DecisionRequest {
  /** Of the decision that asked, ten minutes old at most. */
  readonly evaluationId: string;
  /** By which Placet knows the same request again. Default: the evaluation id. */
  readonly idempotencyKey?: string | undefined;
}

/** The definition of a tool as the server listed it, or the SHA-256 of that in RFC 8785's form, in lower-case hexadecimal. */
export type ToolReference = { readonly definition: JsonObject } | { readonly digest: string };

export type ListMethod = 'tools/list' | 'resources/list' | 'resources/templates/list' | 'prompts/list';

/** The result of a list operation, as the server sent it. */
export interface ListingRequest extends Circumstances {
  readonly method: ListMethod;
  readonly result: JsonObject;
}

/** An access evaluation of the AuthZEN Authorization API 1.0. */
export interface EvaluationRequest {
  readonly subject: Subject;
  readonly action: { readonly name: string; readonly properties?: JsonObject };
  readonly resource: { readonly type: string; readonly id: string; readonly properties?: JsonObject };
  /** Sent as `context.agent`, in the place of one that is in `context` already. */
  readonly agent?: Agent | undefined;
  /** `subject_token` in it proves the subject; `approval` names an approval (`{id}`) that this request is to use. */
  readonly context?: JsonObject;
}

/**
 * Whether a request names an approval. Such a request may use it up, so it is sent once: a second one would find it
 * spent by the first, whose answer was lost.
 */
export const namesApproval = (members: object | undefined): boolean =>
  members !== undefined && (members as { readonly approval?: unknown }).approval !== undefined;

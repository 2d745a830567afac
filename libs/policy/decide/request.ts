import type { ServerReference } from '../compile/registry.js';
import type { RegisteredTool } from '../compile/registered-tool.js';
import type { TokenGroups } from '../mapping/groups.js';
import type { Mapped } from '../mapping/map-claims.js';
import type { JsonObject } from '../model.js';

/** The Server document says what the tool does. */
export const BY_TOOL = Symbol('by tool');

/** The id of a resource that is the server itself, where a message does not name it. */
export const THE_SERVER = '';

/** Whether somebody is who a host says they are by its word alone, or by that of an issuer. */
type Assurance = 'asserted' | 'verified';

/** For whom, through whom and in which session an approval was asked for; a session of null is any. */
export interface NamedApproval {
  readonly subject: string;
  /** The host that asked: the agent itself, or a gateway for it. */
  readonly host: string;
  readonly agent: string;
  readonly session: string | null;
}

/** A request as a front understood it: what was asked, and what the caller may assert about it. */
export interface DecisionInput {
  readonly subject: {
    readonly type: string;
    readonly id: string;
    /** Asserted attributes that the caller may assert; stored ones win over them. */
    readonly properties: JsonObject;
    /** How it is known who the subject is; readable by conditions. */
    readonly assurance: Assurance;
    /** The groups that a token names; null: they are not known. Left out of a subject that is asserted. */
    readonly groups?: TokenGroups | null | undefined;
    /** The roles that its claims give it. */
    readonly roles?: Mapped['roles'] | undefined;
    /** Names of attributes that its claims may give it or not; what is stored of them counts. */
    readonly unsure?: readonly string[] | undefined;
    /** What a token says, for conditions. */
    readonly token?: JsonObject | undefined;
    /** The Issuer whose word it is, and what its tokens call it. */
    readonly issuer?: { readonly name: string; readonly iss: string } | undefined;
  };
  /** The registered host that asks, or for which a gateway asks. */
  readonly agent: string;
  /** The registered host that asks for another; undefined: the agent itself. Its own boundary does not count. */
  readonly gateway?: string | undefined;
  readonly action: string;
  readonly resource: {
    readonly type: string;
    /** Null where it is not known yet, as for a resource template in a listing. */
    readonly id: string | null;
    readonly properties: JsonObject;
  };
  /** How the host names the server; null where it names none. */
  readonly server: ServerReference | null;
  /** `unknown` in listings. */
  readonly arguments: JsonObject | 'unknown';
  /**
   * What the action does, in the words of a Scope's `operations`; null where operations do not concern it; undefined
   * where nobody says, which is outside any such clause.
   */
  readonly operation: string | typeof BY_TOOL | null | undefined;
  readonly session: { readonly id: string } | null;
  readonly context: JsonObject;
  /** SHA-256 of the tool's definition as the host has it, in hexadecimal; undefined: it does not say. */
  readonly definition?: string | undefined;
  /** The approval that the request names, as it was asked for; null: there is none of that id. */
  readonly approval?: NamedApproval | null | undefined;
  /** The types of obligations that the host can carry out, by OBLIGATIONS; undefined: it does not say. Others are ignored. */
  readonly supportedObligations?: readonly string[] | undefined;
  /** `none`: the protocol lets it pass without a decision. `unknown-method`: the protocol does not know it. */
  readonly kind: 'ordinary' | 'none' | 'unknown-method';
}

/** A request with everything that is stored about it looked up. */
export interface ResolvedRequest {
  readonly subject: {
    readonly type: string;
    readonly id: string;
    readonly key: string;
    readonly properties: JsonObject;
    readonly groups: ReadonlySet<string> | null;
    /** Whether it may be in groups that are not among these. */
    readonly mayBeInMore: boolean;
    /** The roles that claims give it; null: none. */
    readonly mapped: Mapped['roles'] | null;
    /** Names of attributes that are not among its properties, and nobody knows whether it has them; null: none. */
    readonly unsure: ReadonlySet<string> | null;
    /** Names of attributes that are stored, and of which nobody would know whether it has them if they were not; null: none. */
    readonly storedOverUnsure: ReadonlySet<string> | null;
    readonly token: JsonObject | null;
    readonly assurance: Assurance;
  };
  readonly agent: { readonly id: string; readonly properties: JsonObject };
  readonly action: string;
  readonly resource: DecisionInput['resource'];
  readonly server: {
    readonly id: string;
    readonly properties: JsonObject;
    /** What it is known by, as one text each; an agreement is given for that, and not for the name alone. */
    readonly identity: readonly string[];
  } | null;
  /** For calls of tools: whether the tool is declared, and how. */
  readonly tool: { readonly name: string; readonly registered: RegisteredTool | undefined } | null;
  /**
   * SHA-256 of the tool's definition. Null: the host does not say it, or it is not the registered one; undefined: what is
   * asked for is no tool.
   */
  readonly definition: string | null | undefined;
  readonly arguments: JsonObject | 'unknown';
  readonly operation: string | null | undefined;
  readonly session: { readonly id: string } | null;
  readonly context: JsonObject;
  readonly supportedObligations: readonly string[] | undefined;
}

/** The resource types that belong to an MCP server. Every other type is serverless. */
export const MCP_RESOURCE_TYPES: ReadonlySet<string> = new Set([
  'tool',
  'resource',
  'prompt',
  'mcp_server',
  'task',
  'sampling',
  'elicitation',
  'root',
]);

/** Those of them that are the server itself, whose id is its name. */
export const SERVER_ITSELF: ReadonlySet<string> = new Set(['mcp_server', 'sampling', 'root']);

import type { AnyDocument, Kind, TouchKey } from '#policy';
import type { DirectoryTurn } from './directory-store.js';
import { isRetryable, StoreError, toStoreError } from './errors.js';
import type { Store } from './store.js';
import type { TenantNumbers } from './tenant-state.js';

/** One write of a change. The `expectedVersion` of a document or draft is 0 where it must not be there yet. */
export type Operation =
  | {
      readonly op: 'put_document';
      readonly kind: Kind;
      readonly name: string;
      readonly body: AnyDocument;
      readonly expectedVersion?: number;
    }
  | { readonly op: 'delete_document'; readonly kind: Kind; readonly name: string; readonly expectedVersion?: number }
  | {
      readonly op: 'create_credential';
      readonly id: string;
      /** Left out: an API key. */
      readonly credentialKind?: 'api_key' | 'client' | 'federated' | 'scim';
      readonly principalKind: 'host' | 'administrator' | 'connector';
      readonly principal: string;
      readonly environment: string;
      readonly rights: object;
      readonly expiresAt: string | null;
      /** Hexadecimal; null where it has no secret of ours. */
      readonly mac: string | null;
      /** From where it may be used; left out or null: from anywhere. */
      readonly cidrs?: readonly string[] | null;
      /** Of a client: its public keys, as a JWK set. */
      readonly jwks?: object | null;
      /** Of a federated one and of a connector's: the name of the Issuer; of the former, whom its tokens must be about. */
      readonly issuer?: string;
      readonly subject?: string;
    }
  /** What is left out stays as it is. */
  | {
      readonly op: 'change_credential';
      readonly id: string;
      readonly rights?: object;
      readonly cidrs?: readonly string[] | null;
      readonly jwks?: object | null;
      readonly expiresAt?: string | null;
    }
  | { readonly op: 'rotate_credential'; readonly id: string; readonly mac: string; readonly oldExpiresAt: string }
  | { readonly op: 'disable_credential'; readonly id: string }
  | {
      readonly op: 'save_draft';
      readonly name: string;
      readonly baseRevision: number;
      readonly body: DraftContent;
      readonly expectedVersion: number;
      /** Who saves it, as in user:entra/3f2c; null or left out: no person. */
      readonly person?: string | null;
    }
  /** A person has looked at a version of a draft and approves of it. `kinds`: of the documents that it changes. */
  | {
      readonly op: 'approve_draft';
      readonly name: string;
      readonly expectedVersion: number;
      readonly person: string;
      readonly kinds: readonly Kind[];
    }
  | { readonly op: 'discard_draft'; readonly name: string; readonly expectedVersion: number }
  /**
   * Tokens that were issued before this are refused: `token:<id>`, `client:<credential>` or `subject:<issuer>/<identity>`.
   * `expiresAt`: when all of them have expired by themselves.
   */
  | { readonly op: 'deny'; readonly key: string; readonly expiresAt: string }
  /** Sessions of people (`user:entra/3f2c`), one session, or those of an identity provider's session. */
  | {
      readonly op: 'end_sessions';
      readonly persons?: readonly string[];
      readonly session?: string;
      readonly issuer?: string;
      readonly upstreamSession?: string;
    }
  /** Tokens and grants of our authorization server: of people, of a client, of a grant, or one token. */
  | {
      readonly op: 'end_tokens';
      readonly accounts?: readonly string[];
      readonly client?: string;
      readonly grant?: string;
      readonly token?: string;
    }
  /** A user of an Issuer as its connector says: `expectedVersion` is 0 for a new one. */
  | {
      readonly op: 'put_scim_user';
      readonly id: string;
      readonly issuer: string;
      readonly expectedVersion: number;
      /** What the plan took for the identity of users; planned anew where the Issuer's document says otherwise by then. */
      readonly identityBy: string;
      readonly active: boolean;
      /** Records do not keep it. */
      readonly body: { readonly externalId: string | null; readonly userName: string; readonly attributes: object };
    }
  | {
      readonly op: 'delete_scim_user' | 'delete_scim_group';
      readonly id: string;
      readonly issuer: string;
      readonly expectedVersion: number;
    }
  /** A group, with who comes into it and who leaves, by the ids of users. */
  | {
      readonly op: 'put_scim_group';
      readonly id: string;
      readonly issuer: string;
      readonly expectedVersion: number;
      readonly body: { readonly externalId: string | null; readonly displayName: string };
      readonly add: readonly string[];
      readonly remove: readonly string[];
    }
  /** Keys of administrators that people (`user:entra/3f2c`) have made, or rotated last. */
  | { readonly op: 'end_keys'; readonly persons: readonly string[] }
  /** Consents of people (`user:entra/3f2c`), what is being asked of them, and who answers in whose place. */
  | { readonly op: 'end_consents'; readonly persons: readonly string[] }
  /** A new signing key in the place of the present one of its algorithm, which stays published until it retires. */
  | {
      readonly op: 'replace_signing_key';
      readonly id: string;
      readonly algorithm: string;
      /** The private part sealed, in hexadecimal. Records do not keep it. */
      readonly body: { readonly publicJwk: object; readonly sealed: string };
      readonly retiresAt: string;
    };

/** A change that is being prepared. */
export interface DraftContent {
  readonly description?: string;
  /** Whether the documents are to be all that there are. */
  readonly prune: boolean;
  readonly documents: readonly AnyDocument[];
  readonly deletions: readonly { readonly kind: Kind; readonly name: string }[];
}

/** Why a change is made, for the log. */
export interface ChangeNote {
  readonly message?: string | undefined;
  /** The draft that it publishes. */
  readonly draft?: string;
  readonly rolledBackTo?: number;
  /** The people who have seen it, where two must have; or that the demand for them was waived. */
  readonly seenBy?: readonly string[] | 'waived';
}

/** A change of one tenant: all of it happens, under one new revision, or none. */
export interface Change {
  readonly tenant: string;
  /** Who makes it: `key:<id>`, `session:<id>`, `token:<id>` or `scim:<id>`, or `system:...` for the service itself. */
  readonly principal: string;
  /** What the rights of the principal rest on, or what a connector planned with; looked at again inside the transaction. Only the service needs none. */
  readonly proof?: RightsProof;
  /** The revision at which it was checked; if another change has come first, nothing is written. */
  readonly expectedRevision?: number;
  /** Nothing is written either if there is a Test document by then: it was planned while there was none. */
  readonly whileUntested?: boolean;
  /** Nothing is written either if another reading of the directory was begun by then. */
  readonly reading?: DirectoryTurn;
  /** What it touches. Empty for what cannot restrict: a key created, a draft saved. */
  readonly keys: readonly TouchKey[];
  readonly operations: readonly Operation[];
  readonly about?: ChangeNote;
}

/** On what rights rest: no change after the epoch that touches one of the keys may have come by then. */
export interface RightsProof {
  readonly epoch: number;
  readonly keys: readonly TouchKey[];
}

/**
 * What became of a change; `operation` counts from 1. `principal`: the key, session or token is not good any more.
 * `rights`: something that its rights rest on has changed, so they are to be worked out anew.
 */
export type ChangeOutcome =
  | ({ readonly outcome: 'committed' } & TenantNumbers)
  | { readonly outcome: 'moved' | 'principal' | 'rights' }
  | { readonly outcome: 'version' | 'missing' | 'taken'; readonly operation: number };

/** Attempts at a change that the database turned away because somebody else was in the way. */
const ATTEMPTS = 4;

/**
 * Makes a change in one call to the database: when this returns `committed`, no decision whose request is sent
 * afterwards rests on what was before. A lost answer is an error; whether the change was made is then unknown, and it
 * can be made again.
 */
export async function commitChange(store: Store, change: Change): Promise<ChangeOutcome> {
  const values = [
    change.tenant,
    change.principal,
    change.proof ? JSON.stringify(change.proof) : null,
    change.expectedRevision ?? null,
    change.whileUntested ?? false,
    change.keys,
    change.keys.length > 0,
    JSON.stringify(change.operations.map(operationColumns)),
    change.about ? JSON.stringify(operationColumns(change.about)) : null,
    change.reading ? JSON.stringify(change.reading) : null,
  ];
  for (let attempt = 1; ; attempt++) {
    try {
      const [row] = await store.call<{ outcome: string; place: number; new_revision: number; new_epoch: number }>(
        'select outcome, place, new_revision, new_epoch from placet.commit_change($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)',
        values,
      );
      return outcomeOf(row!);
    } catch (error) {
      const { cause } = toStoreError(error);
      if (attempt === ATTEMPTS || !isRetryable(cause)) throw error;
    }
  }
}

function outcomeOf(row: { outcome: string; place: number; new_revision: number; new_epoch: number }): ChangeOutcome {
  switch (row.outcome) {
    case 'committed':
      return { outcome: 'committed', revision: row.new_revision, epoch: row.new_epoch };
    case 'moved':
    case 'principal':
    case 'rights':
      return { outcome: row.outcome };
    case 'version':
    case 'missing':
    case 'taken':
      return { outcome: row.outcome, operation: row.place };
    default:
      throw new StoreError('database_refuses', `a change came to '${row.outcome}', which this version does not know`);
  }
}

/** An operation, or a note, with the member names that the function in the database reads. */
export function operationColumns(members: Operation | ChangeNote): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(members).map(([key, value]) => [
      key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      value as unknown,
    ]),
  );
}

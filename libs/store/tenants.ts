import { operationColumns, type Operation, type RightsProof } from './change.js';
import { isRetryable, sqlState, StoreError } from './errors.js';
import type { Store } from './store.js';

/** What a tenant may be called, and how long that may be: it stands in URLs and as part of host names. */
export const TENANT_NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
export const LONGEST_NAME = 40;

/** How much a tenant may have; null: as much as it wants. */
export interface Quotas {
  /** Documents that are there, whatever their kind. */
  readonly documents: number | null;
  /** Characters of JSON in the present documents and in drafts, as UTF-8. */
  readonly documentBytes: number | null;
  /** The same of every version of documents that there ever was. */
  readonly historyBytes: number | null;
  /** Keys and clients that are not disabled. */
  readonly credentials: number | null;
  /** People who have ever signed in. */
  readonly persons: number | null;
  /** On each replica. */
  readonly decisionsPerSecond: number | null;
}

/** A tenant as its operator sees it. Times in ISO 8601. */
export interface TenantListing {
  readonly id: string;
  readonly name: string;
  readonly title: string | null;
  readonly createdAt: string;
  readonly suspendedAt: string | null;
  readonly suspendedFor: string | null;
  /** Of the last whole export: when, and its SHA-256 in hexadecimal. */
  readonly exportedAt: string | null;
  readonly exportDigest: string | null;
  readonly quotas: Quotas;
  readonly documents: number;
  readonly documentBytes: number;
  readonly credentials: number;
  readonly historyBytes: number;
}

/** Who has something done to a tenant: somebody of the home tenant, and what its right rests on. */
export interface Operator {
  /** `key:<id>`, `session:<id>` or `token:<id>`. */
  readonly principal: string;
  readonly proof: RightsProof;
}

/** A key that is to be one of an owner, without its text. */
interface OwnerKey {
  readonly id: string;
  readonly environment: string;
  /** Hexadecimal. */
  readonly mac: string;
}

const REFUSALS = ['principal', 'rights', 'missing', 'taken', 'home', 'not_suspended', 'not_exported'] as const;

/**
 * Why nothing was done. `principal`, `rights`: as of a change. `home`: not to the home tenant. `not_exported`: not since
 * the last change, or the digest is another.
 */
export type OperationRefusal = (typeof REFUSALS)[number];

/** What an operator asked for was not done. */
export class OperationRefused extends Error {
  override readonly name = 'OperationRefused';

  constructor(readonly why: OperationRefusal) {
    super(why);
  }
}

/** What an operator does to tenants. Each call throws OperationRefused where it is not done. */
export class Tenants {
  constructor(private readonly store: Store) {}

  /** @param operations its first change: the key of its first owner among them */
  async create(
    by: Operator,
    tenant: { readonly id: string; readonly name: string; readonly title: string | null; readonly quotas: Quotas },
    operations: readonly Operation[],
  ): Promise<void> {
    const { id, name, title, quotas } = tenant;
    const first = JSON.stringify(operations.map(operationColumns));
    await this.#call(by, 'create_tenant', [id, name, title, JSON.stringify(quotas), first]);
  }

  /** Tenants by name, one more than `limit` if there is more. */
  async list(by: Operator, after: string | undefined, limit: number): Promise<TenantListing[]> {
    return (await this.#rows(by, null, after ?? null, limit + 1)).map(listingOf);
  }

  async find(by: Operator, name: string): Promise<TenantListing | undefined> {
    return (await this.#rows(by, name, null, 1)).map(listingOf)[0];
  }

  /** When this returns, nothing that is asked for in it afterwards is allowed. Returns the revision since which it is so. */
  async suspend(by: Operator, name: string, reason: string | null): Promise<number> {
    return this.#call(by, 'suspend_tenant', [name, reason]);
  }

  async resume(by: Operator, name: string): Promise<number> {
    return this.#call(by, 'resume_tenant', [name]);
  }

  /** Makes a further key of an owner. Returns the revision since which it is one. */
  async makeOwnerKey(by: Operator, name: string, { id, environment, mac }: OwnerKey, reason: string): Promise<number> {
    return this.#call(by, 'make_owner_key', [name, id, environment, mac, reason]);
  }

  async setQuotas(by: Operator, name: string, quotas: Quotas): Promise<number> {
    return this.#call(by, 'set_quotas', [name, JSON.stringify(quotas)]);
  }

  /** Deletes everything of a suspended tenant. @param digest that of an export since which nothing has changed */
  async delete(by: Operator, name: string, digest: string): Promise<void> {
    await this.#call(by, 'delete_tenant', [name, digest]);
  }

  /** Writes down that an export begins, and says of which tenant. */
  async beginExport(by: Operator, name: string): Promise<string> {
    return this.#call(by, 'begin_export', [name]);
  }

  async finishExport(
    by: Operator,
    name: string,
    { revision, digest, lines }: { readonly revision: number; readonly digest: string; readonly lines: number },
  ): Promise<void> {
    await this.#call(by, 'finish_export', [name, revision, digest, lines]);
  }

  async #rows(by: Operator, only: string | null, after: string | null, most: number): Promise<Row[]> {
    return calling(() =>
      this.store.call<Row>('select * from placet.tenants_of_operator($1, $2, $3, $4, $5)', [
        ...operator(by),
        only,
        after,
        most,
      ]),
    );
  }

  async #call<T>(by: Operator, name: string, given: readonly unknown[]): Promise<T> {
    const values = [...operator(by), ...given];
    const places = values.map((_value, index) => `$${index + 1}`).join(', ');
    const [row] = await calling(() =>
      this.store.call<{ answer: T }>(`select placet.${name}(${places}) as answer`, values),
    );
    return row!.answer;
  }
}

const operator = ({ principal, proof }: Operator): unknown[] => [principal, JSON.stringify(proof)];

/** Attempts at what the database turned away because somebody else was in the way. */
const ATTEMPTS = 4;

async function calling<T>(call: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal) throw refusal;
      if (attempt === ATTEMPTS || !(error instanceof StoreError && isRetryable(error.cause))) throw error;
    }
  }
}

/** The operation that the database refused by a word of ours, if it did. */
export function refusalOf(error: unknown): OperationRefused | undefined {
  const cause = error instanceof StoreError ? error.cause : error;
  if (sqlState(cause) !== 'PL409') return undefined;
  const word = REFUSALS.find((each) => (cause as Error).message.endsWith(each));
  return word && new OperationRefused(word);
}

interface Row {
  readonly id: string;
  readonly name: string;
  readonly title: string | null;
  readonly created_at: Date;
  readonly suspended_at: Date | null;
  readonly suspended_for: string | null;
  readonly exported_at: Date | null;
  readonly export_digest: string | null;
  readonly quotas: Quotas;
  readonly documents: number;
  readonly document_bytes: number;
  readonly credentials: number;
  readonly history_bytes: number;
}

function listingOf(row: Row): TenantListing {
  return {
    id: row.id,
    name: row.name,
    title: row.title,
    createdAt: row.created_at.toISOString(),
    suspendedAt: row.suspended_at?.toISOString() ?? null,
    suspendedFor: row.suspended_for,
    exportedAt: row.exported_at?.toISOString() ?? null,
    exportDigest: row.export_digest,
    quotas: row.quotas,
    documents: row.documents,
    documentBytes: row.document_bytes,
    credentials: row.credentials,
    historyBytes: row.history_bytes,
  };
}

import type { Store } from './store.js';

/** A record of a decision about somebody, and where it is. */
export interface RecordOfSubject {
  readonly commit: number;
  readonly seq: number;
  readonly body: string;
}

/** Reads the ledger's records. */
export class RecordReader {
  constructor(private readonly store: Store) {}

  /** The text of a record of a tenant by its place; undefined where there is none. */
  async find(tenant: string, writer: number, seq: number): Promise<string | undefined> {
    const [row] = await this.store.read(tenant, (view) =>
      view.query<{ body: string }[]>(
        'select body from placet.ledger_record where tenant = $1 and writer = $2 and seq = $3',
        [tenant, writer, seq],
      ),
    );
    return row?.body;
  }

  /**
   * Records of decisions about somebody, the newest first, before one; one more than `size`, if there are.
   * @param digests SHA-256 of each name of theirs, in hexadecimal
   */
  async ofSubject(
    tenant: string,
    digests: readonly string[],
    before: { readonly commit: number; readonly seq: number } | undefined,
    size: number,
  ): Promise<readonly RecordOfSubject[]> {
    return this.store.read(tenant, (view) =>
      view.query<RecordOfSubject[]>(
        `select f.commit, f.seq, f.body
         from unnest($2::text[]) n (digest) cross join lateral (
           select l.commit, l.seq, l.body from placet.ledger_record l
           where l.tenant = $1 and l.subject = decode(n.digest, 'hex')
             and ($3::bigint is null or (l.commit, l.seq) < ($3, $4::bigint))
           order by l.commit desc, l.seq desc limit $5
         ) f
         order by f.commit desc, f.seq desc limit $5`,
        [tenant, digests, before?.commit ?? null, before?.seq ?? 0, size + 1],
      ),
    );
  }
}

import type { Store } from './store.js';

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
}

import { createHash } from 'node:crypto';
import type pg from 'pg';
import { toStoreError } from './errors.js';
import { EXPORTED } from './export-columns.js';
import type { Store } from './store.js';
import { OperationRefused, refusalOf, Tenants, type Operator } from './tenants.js';

/** Rows that are in memory at once. */
const ROWS = 100;

/** For how long, in seconds, whoever reads an export may not read on: until then it holds a transaction open. */
const PATIENCE_S = 60;

/**
 * Everything of a tenant but secrets, as lines of JSON: first what it is an export of, then a line for each row, and last
 * how many lines there were and the SHA-256 of all of them. A file without that last line is not whole.
 *
 * INVARIANT: all of it is one state, and the operator stood when that state was taken: the home tenant is locked against
 * changes from before the look at the operator until the transaction has its snapshot. That it began is in the ledger
 * before the first line, that it ended before the last. Throws OperationRefused before the first line.
 *
 * On a connection of its own: whoever reads slowly holds it for as long, so it must not be one of the pool's.
 */
export async function* exportTenant(store: Store, by: Operator, name: string): AsyncGenerator<string> {
  const tenants = new Tenants(store);
  const tenant = await tenants.beginExport(by, name);
  const hash = createHash('sha256');
  let lines = 0;
  const told = (line: string): string => {
    hash.update(line);
    lines++;
    return line;
  };
  const client = store.client('export');
  client.on('error', () => undefined);
  try {
    await client.connect();
    const head = await openView(client, by, tenant);
    yield told(`${head.line}\n`);
    for (const table of Object.keys(EXPORTED)) {
      for await (const line of rowsOf(client, table, tenant)) yield told(`${line}\n`);
    }
    const digest = hash.digest('hex');
    await tenants.finishExport(by, name, { revision: head.revision, digest, lines });
    yield `${JSON.stringify({ end: { lines, sha256: digest } })}\n`;
  } catch (error) {
    throw error instanceof OperationRefused ? error : (refusalOf(error) ?? toStoreError(error));
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function openView(
  client: pg.Client,
  { principal, proof }: Operator,
  tenant: string,
): Promise<{ readonly revision: number; readonly line: string }> {
  await client.query(`select set_config('idle_in_transaction_session_timeout', $1, false)`, [`${PATIENCE_S}s`]);
  const home = `placet.lock_key(placet.tenant_named('default'))`;
  await client.query(`select pg_advisory_lock_shared(${home})`);
  await client.query('begin isolation level repeatable read read only');
  await client.query('select placet.operator_stands($1, $2)', [principal, JSON.stringify(proof)]);
  await client.query(`select pg_advisory_unlock_shared(${home})`);
  await client.query(`select set_config('placet.tenant', $1, true)`, [tenant]);
  const { rows } = await client.query<{ revision: number; line: string }>(
    `select s.revision, json_build_object('placet_export', 1, 'tenant', json_build_object('id', t.id, 'name', t.name, 'title', t.title,
       'created_at', t.created_at), 'revision', s.revision, 'epoch', s.epoch, 'by', $2::text, 'at', clock_timestamp())::text as line
     from placet.tenant t join placet.tenant_state s on s.tenant = t.id where t.id = $1`,
    [tenant, principal],
  );
  if (!rows[0]) throw new OperationRefused('missing');
  return rows[0];
}

async function* rowsOf(client: pg.Client, table: string, tenant: string): AsyncGenerator<string> {
  const { columns, order } = EXPORTED[table]!;
  const row = columns.map((column) => `'${column}', r.${column}`).join(', ');
  // The tenant's id is from the database; a cursor takes no parameters.
  await client.query(
    `declare rows no scroll cursor for select json_build_object('table', '${table}', 'row', json_build_object(${row}))::text as line
     from placet.${table} r where r.tenant = '${tenant}' order by ${order.map((column) => `r.${column}`).join(', ')}`,
  );
  for (;;) {
    const { rows } = await client.query<{ line: string }>(`fetch ${ROWS} from rows`);
    if (rows.length === 0) break;
    for (const { line } of rows) yield line;
  }
  await client.query('close rows');
}

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  assertedRow,
  COLUMNS,
  filterDocuments,
  filterQuestion,
  NOW,
  referenceFilter,
  rowId,
  tableRow,
  type TableRow,
} from '#policy/testing';
import { freshDatabase, type TestDatabase } from '../../../test/support/database.js';
import { Condition } from '../cel/condition.js';
import { VARIABLES } from '../cel/language.js';
import { Fault, type CelValue } from '../cel/values.js';
import { decide, PolicySet, type AnyDocument, type DecisionInput } from '../index.js';
import { filterOf, type Filter } from './filter.js';

const RUNS = Number(process.env.PLACET_LAW_RUNS ?? 150);
const ROWS = 60;

let database: TestDatabase;
let client: Awaited<ReturnType<TestDatabase['connect']>>;
let rows: TableRow[];

const NAMES = ['id', 'region', 'Owner', 'ref', 'level', 'most', 'score', 'public', 'weird', 'tags'];

beforeAll(async () => {
  database = await freshDatabase();
  client = await database.connect('superuser');
  // A collation under which far more texts are equal than are the same, as a column of an application's may have one.
  await client.query(
    `create collation lenient (provider = icu, locale = 'und-u-ks-level1', deterministic = false);
     create temporary table rows (id text primary key, region text collate lenient, "Owner" varchar(64), ref uuid,
       level integer, most bigint, score double precision, public boolean, weird boolean, tags text[])`,
  );
  await client.query('alter table rows alter column level type bigint');
  const ids = fc.sample(fc.uniqueArray(rowId, { minLength: 14, maxLength: ROWS }), 20).flat();
  rows = fc.sample(tableRow, ROWS).map((row, index) => ({ ...row, id: [...new Set(ids)][index] ?? `t${index}-extra` }));
  for (const { owner, ...row } of rows) {
    await client.query(
      `insert into rows (${NAMES.map((name) => `"${name}"`).join()}) values ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10)`,
      NAMES.map((name) => (name === 'Owner' ? owner : row[name as keyof typeof row])),
    );
  }
});

afterAll(() => database.close());

const compiled = (all: readonly AnyDocument[]): PolicySet =>
  PolicySet.of(all.map((document) => ({ document, version: 1 })));

/** The attributes that a host may assert. */
const isOpen = (name: string): boolean => name !== 'most';

/** The rows that are allowed when each is asked about. */
const allowedOf = (set: PolicySet, input: DecisionInput, all: readonly TableRow[]): string[] =>
  all
    .map(assertedRow)
    .filter(({ id, properties }) => {
      const kept = Object.fromEntries(Object.entries(properties).filter(([name]) => isOpen(name)));
      return decide(set, { ...input, resource: { type: 'todo', id, properties: kept } }, [], NOW).effect === 'allow';
    })
    .map(({ id }) => id)
    .sort();

async function selected({ where, params }: NonNullable<Filter['sql']>, isNot = ''): Promise<string[]> {
  const result = await client.query<{ id: string }>(`select id from rows r where ${isNot} (${where})`, [...params]);
  return result.rows.map(({ id }) => id).sort();
}

/** The rows of which a text of CEL is true, by the evaluator of conditions. */
function conditioned(text: string): string[] {
  const condition = new Condition(text);
  return rows
    .map(assertedRow)
    .filter(({ id, properties }) => {
      const kept = Object.fromEntries(Object.entries(properties).filter(([name]) => isOpen(name)));
      const resource = { type: 'todo', id, properties: kept } as unknown as CelValue;
      const variables = VARIABLES.map((name) => (name === 'resource' ? resource : Fault.NO_SUCH_KEY));
      return condition.evaluate(variables).outcome === 'true';
    })
    .map(({ id }) => id)
    .sort();
}

const tally = { all: 0, none: 0, conditional: 0, refused: 0, pairs: 0, cel: 0 };

describe('a filter', () => {
  it('selects in Postgres exactly the rows that are allowed one by one, and so does each of its other forms', async () => {
    await fc.assert(
      fc.asyncProperty(filterDocuments, filterQuestion, async (documents, input) => {
        const set = compiled(documents);
        const filter = filterOf(set, input, { isOpen, columns: COLUMNS, firstParameter: 1 }, NOW);
        if ('refused' in filter) {
          tally.refused++;
          return;
        }
        tally[filter.filter]++;
        tally.pairs += rows.length;
        const allowed = allowedOf(set, input, rows);
        expect(await selected(filter.sql!)).toEqual(allowed);
        // No part is NULL: the rest is what is not selected.
        expect(await selected(filter.sql!, 'not')).toHaveLength(rows.length - allowed.length);
        expect(
          rows
            .filter((row) => referenceFilter(filter.ast, assertedRow(row)))
            .map(({ id }) => id)
            .sort(),
        ).toEqual(allowed);
        if (filter.cel === null) return;
        tally.cel++;
        expect(conditioned(filter.cel)).toEqual(allowed);
      }),
      { numRuns: RUNS },
    );
    if (process.env.PLACET_LAW_RUNS) process.stdout.write(`${JSON.stringify(tally)}\n`);
    expect(tally.conditional).toBeGreaterThan(RUNS / 10);
  }, 3_600_000);
});

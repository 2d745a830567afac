import fc from 'fast-check';
import type { Json } from '../model.js';
import type { Columns } from '../residual/columns.js';
import { number, text, UUIDS } from './values.js';

/** The columns of the table that generated filters are for; `gone` is an attribute that its rows do not have. */
export const COLUMNS: Columns = {
  table: 'r',
  id: { column: 'id', type: 'text' },
  properties: new Map([
    ['region', { column: 'region', type: 'text' }],
    ['owner', { column: 'Owner', type: 'text' }],
    ['ref', { column: 'ref', type: 'uuid' }],
    ['level', { column: 'level', type: 'integer' }],
    ['most', { column: 'most', type: 'integer' }],
    ['score', { column: 'score', type: 'double' }],
    ['public', { column: 'public', type: 'boolean' }],
    ['we ird"', { column: 'weird', type: 'boolean' }],
    ['tags', { column: 'tags', type: 'text[]' }],
    ['gone', null],
  ]),
};

/** What a row of the table has: null for what it has not. Some numbers are such that no JSON could hold them. */
export interface TableRow {
  readonly id: string;
  readonly region: string | null;
  readonly owner: string | null;
  readonly ref: string | null;
  readonly level: string | null;
  readonly most: string | null;
  readonly score: string | null;
  readonly public: boolean | null;
  readonly weird: boolean | null;
  readonly tags: readonly (string | null)[] | null;
}

const perhaps = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { freq: 4 });
const integer = fc.constantFrom(
  '0',
  '1',
  '2',
  '3',
  '-1',
  '9007199254740991',
  '-9007199254740991',
  '9007199254740992',
  '9007199254740993',
  '9223372036854775807',
  '-9223372036854775808',
);

/** What generated rows have, but for their ids. */
export const tableRow: fc.Arbitrary<Omit<TableRow, 'id'>> = fc.record({
  region: perhaps(text),
  owner: perhaps(text),
  ref: perhaps(fc.constantFrom(...UUIDS)),
  level: perhaps(integer),
  most: perhaps(integer),
  score: perhaps(
    fc.oneof(
      { weight: 4, arbitrary: number.map(String) },
      { weight: 1, arbitrary: fc.constantFrom('NaN', 'Infinity', '-Infinity', '-0') },
    ),
  ),
  public: perhaps(fc.boolean()),
  weird: perhaps(fc.boolean()),
  tags: perhaps(fc.array(fc.option(text, { freq: 6 }), { maxLength: 3 })),
});

/** Ids that patterns of generated policies name, or nearly. */
export const rowId = fc.oneof(
  fc.constantFrom(
    't1',
    't2',
    't10',
    'T1',
    'doc-1',
    'doc-%',
    'doc_1',
    'a*b',
    'a\\b',
    'xay',
    '😀',
    'doc-😀-end',
    'line\nend',
    "q'--",
  ),
  text.filter((id) => id !== ''),
);

/** A number that a condition cannot read: it is there, and comparing it with anything is an error. */
const UNREADABLE: Json = [null];

/** A row as a host would assert it. */
export function assertedRow(row: TableRow): {
  readonly id: string;
  readonly properties: Readonly<Record<string, Json>>;
} {
  const whole = (digits: string): Json => (Number.isSafeInteger(Number(digits)) ? Number(digits) : UNREADABLE);
  const finite = (digits: string): Json => (Number.isFinite(Number(digits)) ? Number(digits) : UNREADABLE);
  const { id, weird, level, most, score, ...rest } = row;
  const made = {
    ...rest,
    level: level === null ? null : whole(level),
    most: most === null ? null : whole(most),
    score: score === null ? null : finite(score),
    'we ird"': weird,
  };
  return { id, properties: Object.fromEntries(Object.entries(made).filter(([, value]) => value !== null)) };
}

import type { FieldType, Rows } from './rows.js';

/** The types of columns that a filter can be written for. */
export const COLUMN_TYPES = ['text', 'uuid', 'integer', 'double', 'boolean', 'text[]'] as const;
type ColumnType = (typeof COLUMN_TYPES)[number];

/** Where a row has its id or an attribute. A NULL there means that it has none. */
export interface Column {
  /** The name as Postgres has it: letters, digits and `_`, at most 63. */
  readonly column: string;
  readonly type: ColumnType;
}

/** How the rows of a table are read as resources. */
export interface Columns {
  /** The table's name or alias in the query, to put before each column. */
  readonly table: string | null;
  readonly id: Column | null;
  /** By attribute; null: the rows have no such attribute. */
  readonly properties: ReadonlyMap<string, Column | null>;
}

/** A name that needs no more than quotes, and is not cut short. */
export const SQL_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,62}$/;

const FIELD_TYPES: Readonly<Record<ColumnType, FieldType>> = {
  text: 'text',
  uuid: 'text',
  integer: 'number',
  double: 'number',
  boolean: 'boolean',
  'text[]': 'texts',
};

/** What columns say about rows before any is read. */
export function rowsOf(columns: Columns | null, isOpen: Rows['isOpen']): Rows {
  if (!columns) return { isOpen, columns: null };
  const types = new Map<string, FieldType | null>();
  for (const [name, column] of columns.properties) types.set(name, column && FIELD_TYPES[column.type]);
  return { isOpen, columns: { hasId: columns.id !== null, types } };
}

import type { CelValue } from '../cel/values.js';
import { own } from '../json.js';
import type { Json, JsonObject } from '../model.js';
import type { Operand } from './formula.js';

/** What is known of the type of an attribute: `any` where nobody said. */
export type FieldType = 'any' | 'text' | 'number' | 'boolean' | 'texts';

/** What is known of the rows before any is read. */
export interface Rows {
  /** Whether an attribute may be read from a row at all; one that may not is not there. */
  readonly isOpen: (attribute: string) => boolean;
  /** What the columns are; null where the caller has named none, and every attribute may be anything. */
  readonly columns: {
    readonly hasId: boolean;
    /** By attribute; null: the rows have no such attribute. */
    readonly types: ReadonlyMap<string, FieldType | null>;
  } | null;
}

/** A row whose id and some of whose attributes are stored here; null: a row of which nothing is. */
export type KnownRow = { readonly id: string; readonly properties: JsonObject } | null;

/** A value that was known, or one that each row has for itself. */
export type Term =
  | { readonly known: CelValue }
  | { readonly field: Exclude<Operand, { readonly value: unknown }>; readonly type: FieldType };

/** Something that cannot be turned into a condition on rows; the message says why. */
export class Inexpressible extends Error {
  /** The range of characters of the condition that it concerns. */
  range: { readonly start: number; readonly end: number } | undefined;
}

/** The id of a row. */
export function idOf({ columns }: Rows, row: KnownRow): Term {
  if (row) return { known: row.id };
  if (columns && !columns.hasId) throw new Inexpressible('it depends on the id, and no column is given for that');
  return { field: { id: true }, type: 'text' };
}

/** An attribute of a row; undefined: it has none of that name. */
export function attributeOf({ isOpen, columns }: Rows, row: KnownRow, name: string): Term | undefined {
  const stored: Json | undefined = row ? own(row.properties, name) : undefined;
  if (stored !== undefined) return { known: stored };
  if (!isOpen(name)) return undefined;
  const type = columns ? columns.types.get(name) : 'any';
  if (type === undefined) {
    throw new Inexpressible(`no column is given for the attribute '${name}'; give one, or null if the rows have none`);
  }
  return type === null ? undefined : { field: { attribute: name }, type };
}

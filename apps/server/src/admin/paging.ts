import { z } from 'zod';
import { Refusal } from '#http';

/** How a listing is asked for, page by page. */
export const pageQuery = {
  page_size: z.coerce.number().int().min(1).max(500).default(100),
  page_token: z.string().max(2048).optional(),
};

/** One page, and where the next one begins if there is one. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next_page_token?: string;
}

/** A page out of one row more than it holds. */
export function pageOf<Row, Item>(
  rows: readonly Row[],
  size: number,
  item: (row: Row) => Item,
  cursor: (last: Row) => unknown,
): Page<Item> {
  const shown = rows.slice(0, size);
  const next = rows.length > size ? { next_page_token: tokenOf(cursor(shown.at(-1)!)) } : {};
  return { items: shown.map(item), ...next };
}

/** The token of a place, for the page that begins there. */
export const tokenOf = (cursor: unknown): string => Buffer.from(JSON.stringify(cursor)).toString('base64url');
/** Most that the contents on one page come to, in characters of JSON, unless a single one is larger. */
const PAGE_CHARACTERS = 4 * 1024 * 1024;

/** How many of the first rows go onto a page of at most `size`: contents can be large. */
export function withinSize(rows: readonly unknown[], size: number): number {
  let characters = 0;
  const over = rows.slice(0, size).findIndex((row) => (characters += JSON.stringify(row).length) > PAGE_CHARACTERS);
  return over < 0 ? size : Math.max(over, 1);
}

/** Where a page begins. Throws Refusal for a token that is not one of ours. */
export function cursorOf<T>(token: string | undefined, schema: z.ZodType<T>): T | undefined {
  if (token === undefined) return undefined;
  try {
    const text = Buffer.from(token, 'base64url').toString();
    // The database has no texts with this character, so no place of ours has one.
    if (text.includes('\\u0000')) throw new Error('a NUL');
    return schema.parse(JSON.parse(text));
  } catch {
    throw new Refusal('invalid_request', 'page_token: not a token of this listing');
  }
}

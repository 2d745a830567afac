import type { Entry } from 'ldapts';
import type { Connection } from './connection.js';

/** All values of an attribute, whatever case its name has; bytes and texts as they came. */
export function valuesOf(entry: Entry, name: string): readonly (string | Buffer)[] {
  const key = Object.keys(entry).find((each) => each.toLowerCase() === name.toLowerCase());
  const value = key === undefined ? [] : entry[key]!;
  return Array.isArray(value) ? value : [value];
}

/** The values of an attribute that are texts. */
export const textsOf = (entry: Entry, name: string): readonly string[] =>
  valuesOf(entry, name).filter((value): value is string => typeof value === 'string' && value !== '');

/** The one text of an attribute; undefined where there is none, or more than one. */
export function textOf(entry: Entry, name: string): string | undefined {
  const texts = textsOf(entry, name);
  return texts.length === 1 ? texts[0] : undefined;
}

/** Pieces of one attribute that are fetched at most: Active Directory gives 1,500 values at once. */
const MOST_PIECES = 100;

/**
 * All values of an attribute of an entry that a server may give in pieces (`member;range=0-1499`, MS-ADTS 3.1.1.3.1.3.3).
 * Undefined where the last piece did not come: what is missing is not known to be none.
 */
export async function wholeOf(
  connection: Connection,
  entry: Entry,
  name: string,
): Promise<readonly string[] | undefined> {
  let piece = pieceOf(entry, name);
  if (!piece) return textsOf(entry, name);
  const values = [...piece.values];
  for (let count = 0; piece.last !== '*'; count++) {
    if (count === MOST_PIECES) return undefined;
    const next: number = Number(piece.last) + 1;
    const wanted = { scope: 'base', attributes: [`${name};range=${next}-*`], most: 1 } as const;
    const [found] = await connection.search(entry.dn, wanted);
    piece = found && pieceOf(found, name);
    if (piece?.first !== String(next)) return undefined;
    values.push(...piece.values);
  }
  return values;
}

/** Whether an attribute of an entry has come in pieces, of which this is one. */
export const isInPieces = (entry: Entry, name: string): boolean => pieceOf(entry, name) !== undefined;

function pieceOf(entry: Entry, name: string): { first: string; last: string; values: readonly string[] } | undefined {
  for (const key of Object.keys(entry)) {
    const [, of, first, last] = /^(.+);range=(\d+)-(\d+|\*)$/i.exec(key) ?? [];
    if (of?.toLowerCase() === name.toLowerCase()) return { first: first!, last: last!, values: textsOf(entry, key) };
  }
  return undefined;
}

/** An objectGUID as Active Directory's own tools write it (MS-DTYP 2.3.4.3); undefined for anything else. */
export function guidText(bytes: unknown): string | undefined {
  if (!Buffer.isBuffer(bytes) || bytes.length !== 16) return undefined;
  const hex = (from: number, to: number, turned: boolean) => {
    const part = Buffer.from(bytes.subarray(from, to));
    return (turned ? part.reverse() : part).toString('hex');
  };
  return [hex(0, 4, true), hex(4, 6, true), hex(6, 8, true), hex(8, 10, false), hex(10, 16, false)].join('-');
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The bytes of an objectGUID by its text. Throws RangeError for a text that is none. */
export function guidBytes(text: string): Buffer {
  if (!UUID.test(text)) throw new RangeError('not a GUID');
  const bytes = Buffer.from(text.replaceAll('-', ''), 'hex');
  bytes.subarray(0, 4).reverse();
  bytes.subarray(4, 6).reverse();
  bytes.subarray(6, 8).reverse();
  return bytes;
}

/** An entryUUID (RFC 4530) in the one spelling; undefined for anything else. */
export function uuidText(text: string | undefined): string | undefined {
  const lower = text?.toLowerCase();
  return lower !== undefined && UUID.test(lower) ? lower : undefined;
}

/** A SID as texts have it (MS-DTYP 2.4.2.1); undefined for bytes that are none. */
export function sidText(bytes: unknown): string | undefined {
  if (!Buffer.isBuffer(bytes) || bytes.length < 8 || bytes.length !== 8 + 4 * bytes[1]!) return undefined;
  const parts = Array.from({ length: bytes[1]! }, (_, index) => bytes.readUInt32LE(8 + 4 * index));
  return ['S', bytes[0], bytes.readUIntBE(2, 6), ...parts].join('-');
}

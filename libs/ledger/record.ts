import { hash } from 'node:crypto';

/** Where a record stands in the chain of its writer. */
export interface ChainPlace {
  readonly tenant: string;
  readonly writer: number;
  /** Counts from 1, without gaps. */
  readonly seq: number;
  /** The hash of the record before, in hexadecimal; zeros for the first. */
  readonly prev: string;
}

/** Stands before the first record of a chain. */
export const NO_RECORD = '0'.repeat(64);

/** What a record says besides its place: the members of a JSON object, without the braces. */
export type RecordContent = string;

/** Writes out a record's content. Undefined members are left out. */
export function recordContent(members: Readonly<Record<string, unknown>>): RecordContent {
  return JSON.stringify(members).slice(1, -1);
}

/**
 * The text of a record. Its place is part of it: changing, removing or reordering a record breaks the chain.
 * @param evaluationId the id by which the answer names the record
 */
export function recordBody(place: ChainPlace, evaluationId: string, content: RecordContent): string {
  const { tenant, writer, seq, prev } = place;
  return `{"v":1,"tenant":"${tenant}","writer":${writer},"seq":${seq},"prev":"${prev}","evaluation_id":"${evaluationId}",${content}}`;
}

/** SHA-256 over a zero byte and the text: the leaf hash of RFC 6962, section 2.1. */
export function recordHash(body: string): Buffer {
  return hash('sha256', `\0${body}`, 'buffer');
}

/** By which somebody finds the decisions about them: SHA-256 of who it was as they are recorded, in hexadecimal. */
export const subjectDigest = (subject: string): string => hash('sha256', subject, 'hex');

/**
 * The id of an evaluation: where its record is, and eight characters that nobody can guess.
 * @param nonce eight characters, new for each evaluation
 */
export function evaluationId(writer: number, seq: number, nonce: string): string {
  return `ev_${writer.toString(36)}_${seq.toString(36)}_${nonce}`;
}

/** Where the record of an evaluation is, as its id says; undefined for what is no such id. Only the record proves it. */
export function placeOfEvaluation(id: string): Pick<ChainPlace, 'writer' | 'seq'> | undefined {
  const [, writer = '', seq = ''] = /^ev_([0-9a-z]{1,11})_([0-9a-z]{1,11})_[0-9A-Za-z_-]{8}$/.exec(id) ?? [];
  const place = { writer: parseInt(writer, 36), seq: parseInt(seq, 36) };
  return Number.isSafeInteger(place.writer) && Number.isSafeInteger(place.seq) ? place : undefined;
}

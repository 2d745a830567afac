import { z } from 'zod';
import { Refusal } from '#http';
import { placeOfEvaluation } from '#ledger';
import type { RecordReader } from '#store';
import { REQUESTABLE_MS } from '../authzen/access-request.js';

/** What of the record of a decision says what it asked (`decisionRecord` writes it). */
const askedSchema = z.object({
  kind: z.literal('decision'),
  evaluation_id: z.string(),
  effect: z.literal('ask'),
  now: z.iso.datetime(),
  host: z.string(),
  requirements: z.array(z.object({ binding: z.string().nullable() })).min(1),
});

/** A decision that asked, as its record has it. */
export interface Denied {
  readonly host: string;
  /** What agreements must be bound to, sorted. */
  readonly bindings: readonly string[];
}

/**
 * What a denial asked that a request names, by the ledger. Throws Refusal: `invalid_denial_binding` for what is no answer of
 * this tenant that asked, `expired_denial` for one that is too old.
 * @param now ms since 1970
 */
export async function deniedBy(records: RecordReader, tenant: string, id: string, now: number): Promise<Denied> {
  const place = placeOfEvaluation(id);
  const text = place && (await records.find(tenant, place.writer, place.seq));
  const record = askedSchema.safeParse(text === undefined ? undefined : JSON.parse(text));
  // A place can be guessed, the rest of an id cannot.
  if (!record.success || record.data.evaluation_id !== id) throw otherDenial();
  const { now: at, host, requirements } = record.data;
  if (Date.parse(at) < now - REQUESTABLE_MS) {
    throw new Refusal('expired_denial', 'the answer that asked is too old: ask for a decision again');
  }
  return { host, bindings: requirements.flatMap(({ binding }) => binding ?? []).toSorted() };
}

/** The error for a denial that is none of the caller's, or asked for something else. */
export const otherDenial = (): Refusal =>
  new Refusal(
    'invalid_denial_binding',
    'denial.evaluation_id is not that of an answer which asked for what is sent with it: send it as it was asked, or ask anew',
  );

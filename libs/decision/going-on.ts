import { z } from 'zod';
import { placeOfEvaluation } from '#ledger';
import { digest, type Decision, type DecisionInput } from '#policy';
import type { ConsentReader, UsedConsentRow } from '#store';

/** For how long an operation can go on after the decision that allowed it, in ms, and how often. The database looks again. */
const LONGEST_MS = 10 * 60_000;
const MOST_RETRIES = 5;

/**
 * What becomes of an operation that is to go on: `met`: no new use of what was agreed to was taken for it. `unknown`: the
 * host has no such allow that took one. `differs`: it is another operation. `over`: it was too long ago, or has gone on too
 * often. `ended`: what was agreed to does not count any more. `not_needed`: nothing had to be agreed to.
 */
export type GoingOnState = 'met' | 'not_needed' | 'unknown' | 'differs' | 'over' | 'ended';

/** The evaluation that a request goes on with, and what becomes of that. */
export interface GoingOn {
  readonly id: string;
  readonly state: GoingOnState;
}

/** An allow that took uses of consents: what for, and of which. */
export interface BegunOperation {
  /** The evaluation that took them: the first one, whichever of those that went on is named. */
  readonly id: string;
  readonly place: { readonly writer: number; readonly seq: number };
  /** As of `operationDigest`. */
  readonly operation: string;
  readonly consents: readonly UsedConsentRow[];
}

/** What of the record of an allow says which operation it was (`decisionRecord` writes it). */
const recordSchema = z.object({
  kind: z.literal('decision'),
  evaluation_id: z.string(),
  effect: z.literal('allow'),
  operation: z.string(),
  continues: z.object({ id: z.string(), state: z.string() }).optional(),
});

/** The operation that an evaluation allowed, by the ledger; undefined where it is no allow that stood on a consent. */
export async function begunBy(reader: ConsentReader, tenant: string, id: string): Promise<BegunOperation | undefined> {
  const named = await recordOf(reader, tenant, id);
  if (!named) return undefined;
  const first = named.continues?.state === 'met' ? named.continues.id : id;
  const place = placeOfEvaluation(first);
  if (!place) return undefined;
  return { id: first, place, operation: named.operation, consents: await reader.usedBy(tenant, place) };
}

async function recordOf(
  reader: ConsentReader,
  tenant: string,
  id: string,
): Promise<z.output<typeof recordSchema> | undefined> {
  const place = placeOfEvaluation(id);
  const text = place && (await reader.record(tenant, place));
  const record = recordSchema.safeParse(text === undefined ? undefined : JSON.parse(text));
  // A place can be guessed, the rest of an id cannot.
  return record.success && record.data.evaluation_id === id ? record.data : undefined;
}

/**
 * The digest of who asks for what, in which session, with all arguments, whatever part of them an agreement is bound to. What
 * it does not have, as the definition of the tool and the identity of the server, is in what agreements are bound to.
 */
export const operationDigest = (host: string, input: DecisionInput, { found }: Decision): string =>
  digest({
    host,
    agent: input.agent,
    subject: found!.subject.key,
    session: input.session?.id ?? null,
    server: found!.server,
    action: input.action,
    resource: { type: input.resource.type, id: found!.resource, properties: input.resource.properties },
    arguments: input.arguments,
  });

/** Whether a request may go on with an operation, for all that is known before its commit; else why not. */
export function refusedToGoOn(
  begun: BegunOperation | undefined,
  operation: string,
  now: number,
): Extract<GoingOnState, 'unknown' | 'differs' | 'over'> | undefined {
  if (!begun) return 'unknown';
  if (begun.operation !== operation) return 'differs';
  const isOver = begun.consents.some(({ usedAt, retries }) => now - usedAt >= LONGEST_MS || retries >= MOST_RETRIES);
  return isOver ? 'over' : undefined;
}

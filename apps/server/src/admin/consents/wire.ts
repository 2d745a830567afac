import { z } from 'zod';
import type { AnswerableRequest } from '#consent';
import type { ConsentChoice } from '#policy';
import { pageQuery } from '../paging.js';
import { pageSchema } from '../wire.js';

export const requestParamsSchema = z.object({
  id: z.string().regex(/^cr_[A-Za-z0-9_-]{22}$/, 'not the id of a request'),
});
export type RequestParams = z.output<typeof requestParamsSchema>;

export const requestsQuerySchema = z.strictObject(pageQuery);
export type RequestsQuery = z.output<typeof requestsQuerySchema>;

const choiceSchema = z
  .discriminatedUnion('for', [
    z.strictObject({ for: z.literal('uses'), uses: z.int().min(1) }),
    z.strictObject({ for: z.literal('session') }),
    z.strictObject({ for: z.literal('until'), seconds: z.int().min(1) }),
  ])
  .meta({
    id: 'ConsentChoice',
    description: 'How far an agreement reaches: some calls, the session, or so many seconds.',
  });

type ChoiceBody = z.output<typeof choiceSchema>;

export const answerSchema = z
  .strictObject({
    answer: z.enum(['agree', 'refuse']),
    choice: choiceSchema.optional().meta({ description: 'Left out: the first of the choices, which reaches least.' }),
    shown: z
      .string()
      .regex(/^[0-9a-f]{64}$/, 'a SHA-256 in lower-case hexadecimal')
      .meta({ description: '`shown_digest` of the request: what is answered is what was shown.' }),
    break_glass: z.string().min(10).max(2000).optional().meta({ description: 'Why, where the glass is broken.' }),
  })
  .meta({ id: 'ConsentAnswer' });

export type AnswerBody = z.output<typeof answerSchema>;

const statusSchema = z.enum(['pending', 'approved', 'denied', 'expired', 'cancelled']);

export const answeredSchema = z.object({ status: statusSchema }).meta({ id: 'ConsentAnswered' });
export type AnsweredBody = z.output<typeof answeredSchema>;

export const requestSchema = z
  .object({
    id: z.string(),
    status: statusSchema,
    as: z.enum(['entitled', 'break_glass', 'none']),
    in_place_of: z.string().nullable().meta({ description: 'Who is asked, where they have named you to answer.' }),
    created_at: z.string(),
    expires_at: z.string(),
    shown: z
      .looseObject({ title: z.string() })
      .meta({ description: 'What people are shown; dangerous characters stand as code points.' }),
    shown_digest: z.string(),
    choices: z.array(choiceSchema),
    answers: z.array(z.object({ person: z.string(), answer: z.enum(['agreed', 'refused']), at: z.string() })),
  })
  .meta({ id: 'ConsentRequest', description: 'Something that somebody is asked to agree to.' });

export type RequestBody = z.output<typeof requestSchema>;

export const requestPageSchema = pageSchema(requestSchema).meta({ id: 'ConsentRequestPage' });

/** A choice as the library knows it. */
export const choiceOf = (choice: ChoiceBody): ConsentChoice =>
  choice.for === 'until' ? { for: 'until', ms: choice.seconds * 1000 } : choice;

const choiceBody = (choice: ConsentChoice): ChoiceBody =>
  choice.for === 'until' ? { for: 'until', seconds: Math.floor(choice.ms / 1000) } : choice;

/** A request as whoever may answer it sees it. */
export function requestBody({ request, as, inPlaceOf, choices }: AnswerableRequest): RequestBody {
  return {
    id: request.id,
    status: request.status,
    as,
    in_place_of: inPlaceOf?.person ?? null,
    created_at: new Date(request.createdAt).toISOString(),
    expires_at: new Date(request.expiresAt).toISOString(),
    shown: JSON.parse(request.shown) as RequestBody['shown'],
    shown_digest: request.shownDigest,
    choices: choices.map(choiceBody),
    answers: request.answers.map(({ person, answer, at }) => ({ person, answer, at: new Date(at).toISOString() })),
  };
}

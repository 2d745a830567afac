import { z } from 'zod';
import type { AnswerableRequest, RequestPart } from '#consent';
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

export const takenBackSchema = z
  .object({
    status: statusSchema,
    revoked: z.int().meta({ description: 'How many consents had come of it and were live.' }),
  })
  .meta({ id: 'ConsentTakenBack' });
export type TakenBackBody = z.output<typeof takenBackSchema>;

const unmetSchema = z
  .object({
    policy: z.string().nullable().meta({ description: 'Null: the default of the tenant.' }),
    rule: z.string().nullable(),
    by: z.array(z.string()).meta({ description: 'Who may agree to it.' }),
    approvals: z
      .int()
      .meta({ description: 'How many of them must; once somebody has broken the glass, how many that takes.' }),
    agreed: z.int().meta({ description: 'How many have.' }),
    assurance: z.string().nullable().meta({ description: 'As what they must have signed in (`acr`).' }),
    yours: z.enum(['agree', 'sign_in', 'nothing']).meta({
      description:
        'What you can do about it: agree as you are signed in; sign in at `sign_in_url` and then agree; or nothing, ' +
        'because you have agreed to it or are not asked.',
    }),
    sign_in_url: z.string().nullable(),
  })
  .meta({ id: 'UnmetRequirement', description: 'Something that is still required of a request.' });

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
    answers: z.array(
      z.object({
        person: z.string(),
        answer: z.enum(['agreed', 'refused']),
        at: z.string(),
        withdrawn_at: z.string().nullable().meta({ description: 'When they took it back.' }),
      }),
    ),
    unmet: z.array(unmetSchema).meta({ description: 'What is still required, while it is open.' }),
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
export function requestBody({ request, as, inPlaceOf, choices, parts }: AnswerableRequest): RequestBody {
  return {
    id: request.id,
    status: request.status,
    as,
    in_place_of: inPlaceOf?.person ?? null,
    created_at: time(request.createdAt),
    expires_at: time(request.expiresAt),
    shown: JSON.parse(request.shown) as RequestBody['shown'],
    shown_digest: request.shownDigest,
    choices: choices.map(choiceBody),
    answers: request.answers.map(({ person, answer, at, withdrawnAt }) => ({
      person,
      answer,
      at: time(at),
      withdrawn_at: withdrawnAt === null ? null : time(withdrawnAt),
    })),
    unmet: request.status === 'pending' ? parts.filter(({ isMet }) => !isMet).map(unmetBody) : [],
  };
}

const unmetBody = ({ requirement, people, wanted, yours, signInAt }: RequestPart): RequestBody['unmet'][number] => ({
  policy: requirement.rule?.policy ?? null,
  rule: requirement.rule?.rule ?? null,
  by: [...requirement.consent.by],
  approvals: wanted,
  agreed: people,
  assurance: requirement.consent.assurance ?? null,
  yours,
  sign_in_url: signInAt ?? null,
});

const time = (ms: number): string => new Date(ms).toISOString();

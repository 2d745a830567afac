import { z } from 'zod';
import { explanationSchema } from '../explanation.js';
import { id, jsonObject } from '../wire.js';

const properties = jsonObject.optional();

/** Where a request says what its host can carry out (obligations profile, draft 1). */
export const SUPPORTED_OBLIGATIONS = 'supported_obligations';

const isListOfTexts = (value: unknown): boolean =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');

/** Anything, in which the obligations profile has a member of its own. */
const contextSchema = jsonObject.refine(
  (context) => !Object.hasOwn(context, SUPPORTED_OBLIGATIONS) || isListOfTexts(context[SUPPORTED_OBLIGATIONS]),
  { path: [SUPPORTED_OBLIGATIONS], error: 'a list of types of obligations, as in ["step-up", "custom"]' },
);
const explain = z.boolean().optional().meta({ description: 'Ours: explain the answer, in context.explanation.' });

/** One access evaluation (Authorization API 1.0, section 6.1). Unknown members are ignored (section 10.1.1). */
export const evaluationRequestSchema = z
  .object({
    subject: z.object({ type: id, id, properties }),
    action: z.object({ name: id, properties }),
    resource: z.object({ type: id, id, properties }),
    context: contextSchema.optional(),
    explain,
  })
  .meta({ id: 'AccessEvaluationRequest' });

export type EvaluationRequestBody = z.output<typeof evaluationRequestSchema>;

const SEMANTICS = ['execute_all', 'deny_on_first_deny', 'permit_on_first_permit'] as const;

/**
 * Access evaluations (section 7.1). The entities at the top are defaults, each replaced as a whole by an item that has
 * it; so they are checked per item, after that, and an incomplete one that every item replaces does no harm.
 */
export const evaluationsRequestSchema = z
  .object({
    subject: z.unknown().optional(),
    action: z.unknown().optional(),
    resource: z.unknown().optional(),
    context: z.unknown().optional(),
    explain,
    evaluations: z.array(jsonObject).max(1000).optional(),
    options: z
      .object({ evaluations_semantic: z.enum(SEMANTICS).default('execute_all') })
      .default({ evaluations_semantic: 'execute_all' }),
  })
  .meta({ id: 'AccessEvaluationsRequest' });

export type EvaluationsRequestBody = z.output<typeof evaluationsRequestSchema>;

export const evaluationAnswerSchema = z
  .object({ decision: z.boolean(), context: z.looseObject({ explanation: explanationSchema.optional() }).optional() })
  .meta({ id: 'AccessEvaluationResponse' });

export type EvaluationAnswerBody = z.output<typeof evaluationAnswerSchema>;

export const evaluationsAnswerSchema = z
  .union([z.object({ evaluations: z.array(evaluationAnswerSchema) }), evaluationAnswerSchema])
  .meta({ id: 'AccessEvaluationsResponse' });

/** Which part of the results is asked for (section 8.2). A limit beyond ours is ours. */
const page = z
  .object({ token: z.string().max(8192).optional(), limit: z.int().min(0).optional(), properties })
  .optional();

export type PageBody = NonNullable<z.output<typeof page>>;

const { subject, action, resource, context } = evaluationRequestSchema.shape;

/** A search for subjects (section 8.4). An id of what is searched for is ignored. */
export const searchSubjectRequestSchema = z
  .object({ subject: z.object({ type: id, properties }), action, resource, context, page })
  .meta({ id: 'SubjectSearchRequest' });

export type SearchSubjectRequestBody = z.output<typeof searchSubjectRequestSchema>;

/** A search for resources (section 8.5). */
export const searchResourceRequestSchema = z
  .object({ subject, action, resource: z.object({ type: id, properties }), context, page })
  .meta({ id: 'ResourceSearchRequest' });

export type SearchResourceRequestBody = z.output<typeof searchResourceRequestSchema>;

/** A search for actions (section 8.6). */
export const searchActionRequestSchema = z
  .object({ subject, resource, context, page })
  .meta({ id: 'ActionSearchRequest' });

export type SearchActionRequestBody = z.output<typeof searchActionRequestSchema>;

/** What was found. Advisory: a use is decided when it happens. */
const answerWith = <Result extends z.ZodType>(result: Result) =>
  z.object({
    page: z.object({
      next_token: z.string().meta({ description: 'Empty where there is no other page.' }),
      count: z.int(),
    }),
    context: z.looseObject({}),
    results: z.array(result),
  });

export const searchSubjectAnswerSchema = answerWith(z.object({ type: z.string(), id: z.string() })).meta({
  id: 'SubjectSearchResponse',
});

export const searchResourceAnswerSchema = answerWith(
  z.object({ type: z.string(), id: z.string(), properties: z.object({ server: z.string() }).optional() }),
).meta({ id: 'ResourceSearchResponse' });

export const searchActionAnswerSchema = answerWith(z.object({ name: z.string() })).meta({
  id: 'ActionSearchResponse',
});

import { z } from 'zod';
import { COLUMN_TYPES, COMPARISONS, SQL_NAME, TEXT_TESTS, type Formula } from '#policy';
import { explanationSchema } from '../explanation.js';
import { id, jsonObject } from '../wire.js';

const properties = jsonObject.optional();

/** Where a request says what its host can carry out (obligations profile, draft 1). */
export const SUPPORTED_OBLIGATIONS = 'supported_obligations';

const isListOfTexts = (value: unknown): boolean =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');

/** Where a request proves its subject: a token of the company's identity provider. */
export const SUBJECT_TOKEN = 'subject_token';

const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';

/** Where a gateway says for which host it asks, as the COAZ-MCP binding says which client does. */
export const AGENT = 'agent';

/** Where a request names an approval that it was given, as it was given (access request and approval profile, draft 1). */
export const APPROVAL = 'approval';

/** Where a request says which definition of a tool it means: `{digest}` or `{definition}`, as beside messages of MCP. */
export const TOOL = 'tool';

const approvalSchema = z.looseObject({ id });

/** Anything, in which the obligations profile has a member of its own, gateways have one, and so have tokens. */
const contextSchema = jsonObject
  .refine(
    (context) => !Object.hasOwn(context, SUPPORTED_OBLIGATIONS) || isListOfTexts(context[SUPPORTED_OBLIGATIONS]),
    { path: [SUPPORTED_OBLIGATIONS], error: 'a list of types of obligations, as in ["step-up", "custom"]' },
  )
  .refine((context) => !Object.hasOwn(context, SUBJECT_TOKEN) || isText(context[SUBJECT_TOKEN]), {
    path: [SUBJECT_TOKEN],
    error: 'a token, as a text',
  })
  .refine((context) => !Object.hasOwn(context, AGENT) || id.safeParse(context[AGENT]).success, {
    path: [AGENT],
    error: 'the name of a registered host, as a text',
  })
  .refine((context) => !Object.hasOwn(context, APPROVAL) || approvalSchema.safeParse(context[APPROVAL]).success, {
    path: [APPROVAL],
    error: 'an approval as it was given, with its id',
  });
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

/** A page of a search can be asked for when a token has long expired. */
const searchContext = contextSchema
  .refine((given) => !Object.hasOwn(given, SUBJECT_TOKEN), {
    path: [SUBJECT_TOKEN],
    error: 'searches take no token: name the subject',
  })
  .optional();

/** A search for subjects (section 8.4). An id of what is searched for is ignored. */
export const searchSubjectRequestSchema = z
  .object({ subject: z.object({ type: id, properties }), action, resource, context: searchContext, page })
  .meta({ id: 'SubjectSearchRequest' });

export type SearchSubjectRequestBody = z.output<typeof searchSubjectRequestSchema>;

/** A search for resources (section 8.5). */
export const searchResourceRequestSchema = z
  .object({ subject, action, resource: z.object({ type: id, properties }), context: searchContext, page })
  .meta({ id: 'ResourceSearchRequest' });

export type SearchResourceRequestBody = z.output<typeof searchResourceRequestSchema>;

/** A search for actions (section 8.6). */
export const searchActionRequestSchema = z
  .object({ subject, resource, context: searchContext, page })
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

const sqlName = z
  .string()
  .regex(
    SQL_NAME,
    'a name has up to 63 letters, digits or "_", starts with no digit, and is written as Postgres has it',
  );

export const filterColumnSchema = z
  .strictObject({ column: sqlName, type: z.enum(COLUMN_TYPES) })
  .meta({ id: 'FilterColumn' });

/** Each by hand, because a zod record would drop `__proto__`. */
const attributeColumns = jsonObject.transform((given, context) => {
  const columns = new Map<string, z.output<typeof filterColumnSchema> | null>();
  for (const [name, value] of Object.entries(given)) {
    const parsed = filterColumnSchema.nullable().safeParse(value);
    if (parsed.success) columns.set(name, parsed.data);
    else
      for (const { message, path } of parsed.error.issues)
        context.issues.push({ code: 'custom', message, path: [name, ...path], input: given });
  }
  return columns;
});

/** The greatest number that a parameter of PostgreSQL's protocol can have. */
const LAST_PARAMETER = 65_535;

/** A question about the rows of a table: an evaluation without the id of the resource, and where the rows have what. */
export const filterRequestSchema = z
  .strictObject({
    subject,
    action,
    resource: z.object({ type: id, properties }),
    context,
    sql: z
      .strictObject({
        table: sqlName.optional().meta({ description: 'The name or alias of the table, to put before each column.' }),
        id: filterColumnSchema.optional(),
        properties: attributeColumns.optional().meta({
          description: 'By attribute: its column, or null where the rows have no such attribute.',
        }),
        first_parameter: z.int().min(1).max(LAST_PARAMETER).optional(),
      })
      .optional(),
  })
  .meta({ id: 'FilterRequest' });

export type FilterRequestBody = z.output<typeof filterRequestSchema>;

const constant = z.union([z.string(), z.number(), z.boolean()]);
export const filterOperandSchema = z
  .union([
    z.strictObject({ id: z.literal(true) }),
    z.strictObject({ attribute: z.string() }),
    z.strictObject({ value: constant }),
  ])
  .meta({ id: 'FilterOperand' });

/** docs/filter.md says what each of them is true of. */
export const filterSchema: z.ZodType<Formula> = z
  .union([
    z.strictObject({ op: z.enum(['true', 'false']) }),
    z.strictObject({
      op: z.enum(['and', 'or']),
      get of() {
        return z.array(filterSchema);
      },
    }),
    z.strictObject({
      op: z.enum([...COMPARISONS, ...TEXT_TESTS, 'includes', 'excludes']),
      left: filterOperandSchema,
      right: filterOperandSchema,
    }),
    z.strictObject({ op: z.enum(['in', 'not_in']), left: filterOperandSchema, values: z.array(constant) }),
    z.strictObject({ op: z.enum(['glob', 'not_glob']), left: filterOperandSchema, pattern: z.string() }),
    z.strictObject({ op: z.enum(['present', 'absent', 'is_null', 'not_null']), left: filterOperandSchema }),
  ])
  .meta({ id: 'Filter' });

/** The rows that would be allowed. Advisory: a use is decided when it happens. */
export const filterAnswerSchema = z
  .object({
    filter: z.enum(['all', 'none', 'conditional']),
    ast: filterSchema,
    cel: z.string().nullable(),
    sql: z.object({ where: z.string(), params: z.array(z.union([constant, z.array(constant)])) }).optional(),
    obligations: z.array(z.looseObject({ id: z.string(), type: z.string() })),
    context: z.looseObject({}),
  })
  .meta({ id: 'FilterResponse' });

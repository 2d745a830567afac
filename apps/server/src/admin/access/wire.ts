import { z } from 'zod';
import { isJsonObject, isSubjectType, MCP_RESOURCE_TYPES, parsePrincipal, type Json, type JsonObject } from '#policy';
import { id } from '../../fronts/wire.js';
import { pageQuery } from '../paging.js';

/** An object of anything: conditions see all that is in it. */
const jsonObject = z
  .unknown()
  .refine((value) => isJsonObject(value as Json | undefined), 'must be an object')
  .meta({ type: 'object' }) as z.ZodType<JsonObject>;

const EFFECTS = ['allow', 'ask', 'deny'] as const;

const subjectType = z.string().refine(isSubjectType, 'the type of a subject, such as user');

const common = {
  host: id.optional().meta({ description: 'The Host through which; without it, each that is registered.' }),
  context: jsonObject.default({}),
  effects: z.array(z.enum(EFFECTS)).min(1).default(['allow', 'ask']).meta({ description: 'Which answers are listed.' }),
  page_size: z.int().min(1).max(500).default(100),
  page_token: z.string().max(8192).optional(),
};

/** The action that is meant where none is named, by the type of the resource. */
const USUAL_ACTION: ReadonlyMap<string, string> = new Map([
  ['tool', 'tools/call'],
  ['resource', 'resources/read'],
  ['prompt', 'prompts/get'],
]);

export const subjectsRequestSchema = z
  .strictObject({
    ...common,
    subject: z.strictObject({ type: subjectType }).default({ type: 'user' }),
    action: z.strictObject({ name: id }).optional(),
    resource: z.strictObject({ type: id.default('tool'), id, properties: jsonObject.default({}) }),
    server: id.optional(),
    arguments: jsonObject
      .optional()
      .meta({ description: 'Without them, the most permissive answer that some arguments reach.' }),
  })
  .superRefine(({ resource, server, action }, context) => {
    const isOfServer = MCP_RESOURCE_TYPES.has(resource.type);
    if (isOfServer && server === undefined)
      context.addIssue({ code: 'custom', path: ['server'], message: `name the Server of the ${resource.type}` });
    if (!isOfServer && server !== undefined)
      context.addIssue({ code: 'custom', path: ['server'], message: `a ${resource.type} belongs to no Server` });
    if (action === undefined && !USUAL_ACTION.has(resource.type))
      context.addIssue({ code: 'custom', path: ['action'], message: `name the action on the ${resource.type}` });
  })
  .meta({ id: 'AccessSubjectsRequest', description: 'Who could do this?' });

export type SubjectsRequestBody = z.output<typeof subjectsRequestSchema>;

/** The action that is asked about. */
export const actionOf = ({ action, resource }: SubjectsRequestBody): string =>
  action?.name ?? USUAL_ACTION.get(resource.type)!;

export const capabilitiesRequestSchema = z
  .strictObject({
    ...common,
    subject: z.strictObject({ type: subjectType.default('user'), id }).optional(),
    server: id.optional().meta({ description: 'Only what belongs to this Server.' }),
  })
  .refine(({ subject, host }) => subject !== undefined || host !== undefined, {
    path: ['subject'],
    error: 'name a subject, a host, or both',
  })
  .meta({ id: 'AccessCapabilitiesRequest', description: 'What could this person do, or anybody through this host?' });

export type CapabilitiesRequestBody = z.output<typeof capabilitiesRequestSchema>;

export const caslQuerySchema = z
  .strictObject({
    format: z.literal('casl'),
    subject: z
      .string()
      .refine(
        (text) => parsePrincipal(text)?.kind === 'subject',
        'a subject is named by its type and id, as in user:ann',
      )
      .meta({ description: 'As in user:ann.' }),
    host: id.optional().meta({ description: 'The Host through which; a host that asks is the one.' }),
    server: id.optional().meta({ description: 'Only what belongs to this Server.' }),
    ...pageQuery,
  })
  .meta({ id: 'CapabilityRulesQuery' });

export type CaslQuery = z.output<typeof caslQuerySchema>;

export const caslAnswerSchema = z
  .object({
    revision: z.int(),
    rules: z.array(z.array(z.unknown())).meta({ description: 'For unpackRules of @casl/ability.' }),
    next_page_token: z.string().optional(),
  })
  .meta({
    id: 'CapabilityRules',
    description: 'What a subject may plainly do through a host. Advice, and no decision.',
  });

export type CaslAnswerBody = z.output<typeof caslAnswerSchema>;

const reach = z
  .object({
    by: z.enum(['any', 'subject', 'group', 'role']),
    group: z.string().optional(),
    role: z.string().optional(),
    binding: z.string().optional(),
    chain: z
      .array(z.string())
      .optional()
      .meta({ description: 'From the role that the Binding gives to the one that the rule names.' }),
  })
  .meta({ id: 'AccessReach', description: 'How a rule names somebody.' });

export type ReachBody = z.output<typeof reach>;

const reference = { policy: z.string(), version: z.int(), rule: z.string() };

const rule = z
  .object({
    ...reference,
    effect: z.enum(EFFECTS),
    outcome: z.enum(['true', 'unknown', 'error']),
    asks: z.boolean().meta({ description: 'Whether it asks for an agreement.' }),
    reached: z.array(reach),
  })
  .meta({ id: 'AccessRule', description: 'A rule that has a say. Unknown: it depends on the arguments.' });

const moreRules = z.int().optional().meta({ description: 'How many rules there are beyond those that are told.' });
const host = z.string();
const conditional = z.boolean().meta({ description: 'Whether it depends on what is not known.' });
const denied = z.string().optional().meta({ description: 'The reason, where it is a deny.' });

const answerOf = <T extends z.ZodType>(item: T) => ({
  revision: z.int(),
  items: z.array(item),
  next_page_token: z.string().optional(),
});

export const subjectsAnswerSchema = z
  .object(
    answerOf(
      z.object({
        subject: z.object({
          type: z.string(),
          id: z.string().nullable().meta({ description: 'Null: whoever no document names.' }),
        }),
        host,
        effect: z.enum(EFFECTS),
        conditional,
        reason: denied,
        rules: z.array(rule),
        more_rules: moreRules,
      }),
    ),
  )
  .meta({ id: 'AccessSubjects' });

export type SubjectsAnswerBody = z.output<typeof subjectsAnswerSchema>;

const furtherRule = z.object({
  ...reference,
  reached: z.array(reach),
  target: z.object({
    servers: z.array(z.string()).optional(),
    actions: z.array(z.string()),
    resources: z.array(z.object({ type: z.string().optional(), id: z.string() })),
  }),
  via: z.array(z.string()).optional(),
});

export const capabilitiesAnswerSchema = z
  .object({
    ...answerOf(
      z.object({
        server: z.string().optional(),
        resource: z.object({ type: z.string(), id: z.string() }),
        action: z.object({ name: z.string() }),
        host,
        effect: z.enum(EFFECTS).optional().meta({ description: 'Absent where only a host was asked about.' }),
        conditional,
        reason: denied,
        rules: z.array(rule).optional(),
        more_rules: moreRules,
      }),
    ),
    default_effect: z.enum(['deny', 'ask']),
    further: z
      .object({ rules: z.array(furtherRule), more: z.boolean() })
      .optional()
      .meta({ description: 'Rules that allow what nothing declares or stores. With the first page.' }),
  })
  .meta({ id: 'AccessCapabilities' });

export type CapabilitiesAnswerBody = z.output<typeof capabilitiesAnswerSchema>;

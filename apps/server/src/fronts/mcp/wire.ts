import { z } from 'zod';
import { explanationSchema } from '../explanation.js';
import { id, jsonObject } from '../wire.js';

const subject = z
  .strictObject({
    type: id,
    id,
    properties: jsonObject.optional(),
  })
  .meta({ id: 'Subject', description: 'The person or service on whose behalf something happens.' });

const subjectToken = z
  .strictObject({
    token: z.string().min(1),
    properties: jsonObject.optional(),
  })
  .meta({
    id: 'SubjectToken',
    description: "A token of the company's identity provider, which proves who the subject is.",
  });

const server = z
  .union([
    id,
    z
      .strictObject({
        name: id.optional(),
        url: id.optional(),
        command: z.array(z.string()).min(1).optional(),
        package: z.strictObject({ registry: id, name: id, version: id, sha256: id }).optional(),
      })
      .refine((reference) => Object.keys(reference).length > 0, 'name the server by name, url, command or package'),
  ])
  .meta({
    id: 'ServerReference',
    description: 'A registered server: its name, or its url, exact command line or package. All must lead to the same.',
  });

const tool = z.union([
  z.strictObject({ definition: jsonObject }),
  z.strictObject({ digest: z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 in lower-case hexadecimal') }),
]);

const common = {
  subject: z.union([subject, subjectToken], 'a subject is {type, id}, as in {"type": "user", "id": "ann"}, or {token}'),
  server: server.optional(),
  agent: id
    .optional()
    .meta({ description: 'The registered host that a gateway acts for; its key must have that right.' }),
  session: z.strictObject({ id }).optional(),
  protocolVersion: z.string().max(32).optional(),
  purpose: z.string().min(1).max(256).optional(),
  context: jsonObject.optional(),
  supported_obligations: z.array(z.string().max(256)).max(100).optional(),
  at_least: z.int().min(0).optional(),
};

export const decisionRequestSchema = z
  .strictObject({
    ...common,
    direction: z.enum(['client_to_server', 'server_to_client']),
    message: z.unknown().refine((message) => message !== undefined, 'the JSON-RPC message that is to be sent'),
    answers: jsonObject.optional(),
    tool: tool.optional(),
    approval: z
      .looseObject({ id })
      .optional()
      .meta({ description: 'What a request for consent answered with: the operation is tried again by it.' }),
    continues: z.strictObject({ evaluation_id: id }).optional().meta({
      description:
        'Of a retry after input_required: the evaluation that allowed the call. What was agreed to for it is not used up anew.',
    }),
    explain: z.boolean().optional().meta({ description: 'Explain the answer, for keys with that right.' }),
  })
  .meta({
    id: 'McpDecisionRequest',
    description: 'One JSON-RPC message that is about to be sent, and whose doing it is.',
  });

export type DecisionRequestBody = z.output<typeof decisionRequestSchema>;

export const listingRequestSchema = z
  .strictObject({
    ...common,
    method: z.enum(['tools/list', 'resources/list', 'resources/templates/list', 'prompts/list']),
    result: jsonObject,
  })
  .meta({ id: 'McpListingRequest', description: 'The result of a list operation, as the server sent it.' });

export type ListingRequestBody = z.output<typeof listingRequestSchema>;

const effect = z.enum(['allow', 'deny', 'ask']);

const rule = z.object({ policy: z.string(), version: z.int(), rule: z.string() }).meta({ id: 'RuleReference' });

const requirement = z
  .object({
    policy: z.string().optional(),
    rule: z.string().optional(),
    by: z.array(z.string()),
    approvals: z.int(),
    not_self: z.boolean(),
    uses: z.int().optional(),
    until: z.string().optional(),
    bind: z.union([z.literal('all'), z.array(z.string())]),
    show: z.array(z.string()).optional(),
    assurance: z.string().optional(),
    bound: z.string(),
  })
  .meta({
    id: 'Requirement',
    description: 'Something that must be agreed to, by whom, and what the agreement is bound to.',
  });

export const decisionAnswerSchema = z
  .object({
    effect,
    evaluation_id: z.string(),
    revision: z.int(),
    reason: z.object({ code: z.string(), message: z.string(), detail: z.string().optional() }),
    rules: z.array(rule),
    obligations: z.array(z.looseObject({ type: z.string() })),
    valid_for: z.int().meta({ description: 'Seconds for which the host may go by this answer without asking again.' }),
    ask: z
      .object({
        requirements: z.array(requirement),
        access_request: jsonObject
          .optional()
          .meta({ description: 'Where to ask people for it; missing where nothing that they agree to could count.' }),
      })
      .optional(),
    approval: jsonObject
      .optional()
      .meta({ description: 'Of an approval that was named and did not help: why, and what to do next.' }),
    continues: z
      .object({
        evaluation_id: z.string(),
        state: z.enum(['met', 'not_needed', 'unknown', 'differs', 'over', 'ended']),
      })
      .optional()
      .meta({
        description: 'Of a retry: whether it goes on with what was allowed, or why it is decided as a new call.',
      }),
    would_be: z
      .object({ effect, reason: z.string(), rules: z.array(rule) })
      .optional()
      .meta({ description: 'What shadow rules would make of it; for keys that may have it explained.' }),
    explanation: explanationSchema.optional(),
    operations: z
      .array(
        z.object({
          action: z.string(),
          resource: z.object({ type: z.string(), id: z.string() }),
          effect,
          evaluation_id: z.string(),
        }),
      )
      .optional()
      .meta({ description: 'Where the message comes to more than one operation: each of them.' }),
  })
  .meta({ id: 'McpDecision' });

export type DecisionAnswerBody = z.output<typeof decisionAnswerSchema>;

export const listingAnswerSchema = z
  .object({
    evaluation_id: z.string(),
    revision: z.int(),
    items: z.array(z.object({ name: z.string(), effect, conditional: z.boolean() })),
  })
  .meta({
    id: 'McpListing',
    description: 'The effect of each entry, in the order of the list. Advisory: a use is decided when it happens.',
  });

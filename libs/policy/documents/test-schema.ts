import { z } from 'zod';
import { REASON_CODES } from '../model.js';
import { foreignId, instant, name, properties, text } from './members.js';
import { isForeignId, NAME } from './names.js';
import { wholeRequest } from './test-request.js';

/** A rule as answers name it, in one text. */
const ruleName = z.string().refine(
  (text) =>
    text.split('/').length === 2 &&
    text
      .replace(/^guardrail:/, '')
      .split('/')
      .every((part) => NAME.test(part)),
  {
    error: 'a rule is named by its policy and its name, as in crm/own-region, or guardrail:no-exports/deny',
  },
);

/** Ids as they come over the wire, where requests need not be about what can be stored. */
const requestId = z.string().max(2048);

/** What a Test asks; in the words of the fronts. Asserted attributes are taken for ones that the caller may assert. */
const testRequestSchema = z.strictObject({
  subject: z
    .strictObject({
      type: z.string().min(1).max(64).default('user'),
      id: foreignId,
      properties: properties.optional(),
      assurance: z.enum(['asserted', 'verified']).optional(),
      groups: z.array(foreignId).max(10_000).optional(),
      token: properties.optional(),
    })
    .refine(
      ({ assurance, groups, token }) => assurance === 'verified' || (groups === undefined && token === undefined),
      'groups and token are those of a verified subject: write assurance: verified',
    )
    .optional(),
  host: name.optional(),
  server: name.optional(),
  action: z.string().min(1).max(256).optional(),
  tool: requestId.min(1).optional(),
  resource: z
    .strictObject({ type: z.string().min(1).max(64), id: requestId, properties: properties.optional() })
    .optional(),
  arguments: properties.optional(),
  context: properties.optional(),
  session: z.strictObject({ id: foreignId }).optional(),
  now: instant.optional(),
});

const testCaseSchema = z.strictObject({
  name: z.string().refine((text) => isForeignId(text) && text.length <= 200, {
    error: 'a case is named in 1 to 200 characters, none of them control characters',
  }),
  description: text.optional(),
  request: testRequestSchema.optional(),
  consents: z
    .array(z.union([z.literal('default'), ruleName], 'write POLICY/RULE, or default for the tenant’s'))
    .min(1)
    .max(50)
    .optional(),
  expect: z.strictObject({
    effect: z.enum(['allow', 'deny', 'ask']),
    rule: z.union([ruleName, z.array(ruleName).max(50)], 'write POLICY/RULE, or a list of them').optional(),
    reason: z.enum(REASON_CODES).optional(),
    obligations: z.array(z.string().min(1).max(64)).max(50).optional(),
  }),
});

/** Most cases of one Test document. */
const MAX_CASES = 500;

/** Cases with the answers that they must get: a change with which one of them gets another is refused. */
export const testSchema = z
  .strictObject({
    kind: z.literal('Test'),
    name,
    description: text.optional(),
    defaults: testRequestSchema.optional(),
    cases: z.array(testCaseSchema).min(1).max(MAX_CASES),
  })
  .superRefine(({ defaults, cases }, context) => {
    const names = new Set<string>();
    cases.forEach((each, index) => {
      const whole = wholeRequest(defaults, each.request);
      if ('wrong' in whole) context.addIssue({ code: 'custom', path: ['cases', index], message: whole.wrong });
      const isTaken = names.has(each.name);
      names.add(each.name);
      if (!isTaken) return;
      const message = 'there is another case of this name';
      context.addIssue({ code: 'custom', path: ['cases', index, 'name'], message });
    });
  });

import { z } from 'zod';
import { isJsonObject, type Json, type JsonObject } from '#policy';
import { id } from '../../fronts/wire.js';

/** An object of anything, `__proto__` among it. */
const object = z
  .unknown()
  .refine((value) => isJsonObject(value as Json | undefined), 'must be an object')
  .meta({ type: 'object' }) as z.ZodType<JsonObject>;

export const tryRequestSchema = z
  .union(
    [z.strictObject({ token: z.string().min(1) }), z.strictObject({ issuer: id, claims: object })],
    'write {token}, or {issuer, claims}',
  )
  .meta({ id: 'MappingTrial', description: 'A token, or claims as a token of an Issuer would say them.' });
export type TryRequestBody = z.output<typeof tryRequestSchema>;

const reference = { mapping: z.string(), version: z.int(), rule: z.string() };

export const tryAnswerSchema = z
  .object({
    revision: z.int(),
    verified: z.boolean().optional().meta({ description: 'Of a token: whether it is believed.' }),
    refused: z
      .object({ check: z.string(), detail: z.string() })
      .optional()
      .meta({ description: 'The first check that the token has failed.' }),
    issuer: z.string().optional(),
    subject: z.object({ type: z.string(), id: z.string() }).nullable().optional(),
    unmet: z.string().optional().meta({ description: 'A claim that is not as the Issuer requires it.' }),
    groups: z
      .object({ names: z.array(z.string()), complete: z.boolean() })
      .nullable()
      .optional()
      .meta({ description: 'Null: not known.' }),
    rules: z
      .array(
        z.object({
          ...reference,
          outcome: z.enum(['fired', 'not', 'error', 'skipped']),
          because: z.array(
            z.object({
              condition: z.int(),
              test: z.string(),
              of: z.string(),
              found: z.string(),
              why: z.string(),
            }),
          ),
          stopped_by: z.object(reference).optional(),
        }),
      )
      .optional(),
    roles: z.object({ held: z.array(z.string()), possible: z.array(z.string()) }).optional(),
    administration: z.array(z.string()).optional(),
    properties: z.looseObject({}).optional(),
    unsure: z.array(z.string()).optional().meta({ description: 'Attributes that a rule in error could set.' }),
  })
  .meta({ id: 'MappingTrialResult' });
export type TryAnswerBody = z.output<typeof tryAnswerSchema>;

import { z } from 'zod';
import { tryAnswerSchema } from '../mappings/wire.js';

export const issuerNameSchema = z.object({ name: z.string().min(1).max(256) });
export type IssuerName = z.output<typeof issuerNameSchema>;

export const testIdSchema = z.object({ id: z.string().min(1).max(100) });
export type TestId = z.output<typeof testIdSchema>;

const stepSchema = z.object({
  step: z.string().meta({ description: 'What was looked at (docs/identity.md).' }),
  outcome: z.enum(['ok', 'failed', 'unknown']),
  found: z.string().meta({ description: 'What was there, and why it is not good.' }),
  mend: z.string().optional().meta({ description: 'What to do about it.' }),
});

export const examinationSchema = z
  .object({ issuer: z.string(), protocol: z.string(), steps: z.array(stepSchema) })
  .meta({ id: 'SignInExamination' });
export type ExaminationBody = z.output<typeof examinationSchema>;

export const begunTestSchema = z
  .object({
    id: z.string(),
    url: z.string().meta({ description: 'To be opened in a browser, once.' }),
    expires_at: z.string(),
  })
  .meta({ id: 'BegunSignInTest' });
export type BegunTestBody = z.output<typeof begunTestSchema>;

export const signInTestBodySchema = z
  .object({
    issuer: z.string(),
    state: z.enum(['waiting', 'sent', 'over']),
    expires_at: z.string(),
    steps: z.array(stepSchema),
    refused: z
      .string()
      .nullable()
      .meta({ description: 'Why nobody would be signed in; null: somebody would be, or it is not over.' }),
    came: z
      .object({
        claims: z.looseObject({}).nullable().meta({ description: 'Null: there are too many to be kept.' }),
        name: z.string().nullable(),
        email: z.string().nullable(),
        ...tryAnswerSchema.pick({
          subject: true,
          unmet: true,
          groups: true,
          rules: true,
          roles: true,
          administration: true,
          properties: true,
          unsure: true,
        }).shape,
      })
      .nullable()
      .meta({
        description: 'Who came back, and what they would get; null: nobody, or the caller may not read people.',
      }),
  })
  .meta({ id: 'SignInTest' });
export type SignInTestBody = z.output<typeof signInTestBodySchema>;

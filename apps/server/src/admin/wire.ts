import { z } from 'zod';
import { AUTHORED_KINDS, KINDS, type Kind } from '#policy';

export const kindSchema = z.enum(KINDS as [Kind, ...Kind[]], { error: `a kind is one of ${KINDS.join(', ')}` });

/** A kind of what is written in files. */
export const authoredKindSchema = z.enum(AUTHORED_KINDS as [Kind, ...Kind[]], {
  error: `a kind is one of ${AUTHORED_KINDS.join(', ')}`,
});

/** Why a change is made, for whoever reads the history. */
export const messageSchema = z
  .string()
  .trim()
  .min(1)
  .max(1000)
  .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'a message is one line, without control characters');

export const messageQuerySchema = z.strictObject({
  message: messageSchema.optional().meta({ description: 'Why, for the history.' }),
});
export type MessageQuery = z.output<typeof messageQuerySchema>;

export const problemSchema = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.string(),
    detail: z.string(),
  })
  .meta({ id: 'Problem', description: 'An error by RFC 9457. The codes are listed in docs/errors.md.' });

export const pageSchema = <T extends z.ZodType>(item: T) =>
  z.object({ items: z.array(item), next_page_token: z.string().optional() });

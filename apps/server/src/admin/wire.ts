import { z } from 'zod';
import { KINDS, type Kind } from '#policy';

export const kindSchema = z.enum(KINDS as [Kind, ...Kind[]], { error: `a kind is one of ${KINDS.join(', ')}` });

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

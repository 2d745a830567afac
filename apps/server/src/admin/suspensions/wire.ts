import { z } from 'zod';
import { SUSPENDABLE } from '#policy';
import { pageQuery } from '../paging.js';
import { pageSchema } from '../wire.js';

export const suspensionParamsSchema = z.object({
  of: z.enum(SUSPENDABLE, { error: `what can be suspended is one of ${SUSPENDABLE.join(', ')}` }),
  name: z.string().min(1).max(1024),
});
export type SuspensionParams = z.output<typeof suspensionParamsSchema>;

export const suspensionReasonSchema = z
  .strictObject({ reason: z.string().max(2000).optional() })
  .meta({ id: 'SuspensionReason', description: 'Why; for administrators.' });
export type SuspensionReasonBody = z.output<typeof suspensionReasonSchema>;

export const suspensionsQuerySchema = z.strictObject(pageQuery);
export type SuspensionsQuery = z.output<typeof suspensionsQuerySchema>;

const suspensionSchema = z
  .object({ of: z.enum(SUSPENDABLE), name: z.string(), reason: z.string().optional(), revision: z.int() })
  .meta({ id: 'Suspension' });
export type SuspensionBody = z.output<typeof suspensionSchema>;

export const suspensionPageSchema = pageSchema(suspensionSchema).meta({ id: 'SuspensionPage' });

export const suspensionChangeSchema = z
  .object({ revision: z.int().meta({ description: 'Since which it is so.' }) })
  .meta({ id: 'SuspensionChange' });
export type SuspensionChangeBody = z.output<typeof suspensionChangeSchema>;

import { z } from 'zod';

export const reviewQuerySchema = z.strictObject({
  format: z.enum(['json', 'csv'], 'format is json or csv').default('json'),
});

export type ReviewQuery = z.output<typeof reviewQuerySchema>;
export type ReviewFormat = ReviewQuery['format'];

import { z } from 'zod';
import { changedDocumentSchema } from '../documents/wire.js';
import { pageQuery } from '../paging.js';
import { kindSchema, messageSchema, pageSchema } from '../wire.js';

export const countsSchema = z
  .object({ created: z.int(), updated: z.int(), deleted: z.int(), unchanged: z.int() })
  .meta({ id: 'ChangeCounts' });
export type CountsBody = z.output<typeof countsSchema>;

export const revisionsQuerySchema = z.strictObject({
  documents: z
    .stringbool({ error: 'must be true or false' })
    .default(false)
    .meta({ description: 'Only those that changed documents.' }),
  ...pageQuery,
});
export type RevisionsQuery = z.output<typeof revisionsQuerySchema>;

const number = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

export const revisionParamsSchema = z.object({ revision: number });
export type RevisionParams = z.output<typeof revisionParamsSchema>;

export const revisionQuerySchema = z.strictObject(pageQuery);
export type RevisionQuery = z.output<typeof revisionQuerySchema>;

const entry = {
  revision: z.int(),
  epoch: z.int(),
  changed_by: z.string().meta({ description: 'key:ID of the key, or system:... for the service itself.' }),
  administrator: z.string().optional().meta({ description: 'Whose key that is.' }),
  changed_at: z.string(),
  message: z.string().optional(),
  draft: z.string().optional().meta({ description: 'The draft that it published.' }),
  rolled_back_to: z.int().optional(),
  seen_by: z
    .union([z.array(z.string()), z.literal('waived')])
    .optional()
    .meta({ description: 'Where two people must have seen it: who had, or that the demand was waived.' }),
  documents: z.int().meta({ description: 'How many documents it changed.' }),
  others: z
    .array(
      z.object({
        op: z.string(),
        id: z.string().optional(),
        principal: z.string().optional(),
        name: z.string().optional(),
      }),
    )
    .meta({ description: 'What else it did: keys and drafts.' }),
};

const revisionSchema = z.object(entry).meta({ id: 'Revision' });
export type RevisionBody = z.output<typeof revisionSchema>;

export const revisionPageSchema = pageSchema(revisionSchema).meta({ id: 'RevisionPage' });

export const revisionChangesSchema = z
  .object({
    ...entry,
    changes: z.array(changedDocumentSchema).meta({ description: 'A page of them, suspensions included.' }),
    next_page_token: z.string().optional(),
  })
  .meta({ id: 'RevisionChanges' });
export type RevisionChangesBody = z.output<typeof revisionChangesSchema>;

export const diffQuerySchema = z.strictObject({
  from: number.meta({ description: '0 is before the first change.' }),
  to: number.optional().meta({ description: 'Left out: the present revision.' }),
  ...pageQuery,
});
export type DiffQuery = z.output<typeof diffQuerySchema>;

export const diffSchema = z
  .object({
    from: z.int(),
    to: z.int(),
    documents: z.array(changedDocumentSchema),
    next_page_token: z.string().optional(),
  })
  .meta({ id: 'RevisionDiff' });
export type DiffBody = z.output<typeof diffSchema>;

export const rollbackSchema = z
  .strictObject({
    to: z.int().min(1).meta({ description: 'The revision whose documents are to hold again.' }),
    message: messageSchema,
  })
  .meta({ id: 'Rollback' });
export type RollbackBody = z.output<typeof rollbackSchema>;

export const madeChangeSchema = z
  .object({
    revision: z.int().meta({ description: 'Since which it is so.' }),
    counts: countsSchema,
    documents: z
      .array(z.object({ kind: kindSchema, name: z.string(), change: z.enum(['created', 'updated', 'deleted']) }))
      .meta({ description: 'What it changed, the first thousand; GET /api/v1/revisions/{revision} has all.' }),
  })
  .meta({ id: 'MadeChange' });
export type MadeChangeBody = z.output<typeof madeChangeSchema>;

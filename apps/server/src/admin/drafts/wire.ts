import { z } from 'zod';
import { NAME } from '#policy';
import { changedDocumentSchema, filesSchema, warningSchema } from '../documents/wire.js';
import { pageQuery } from '../paging.js';
import { countsSchema } from '../revisions/wire.js';
import { authoredKindSchema, messageSchema, pageSchema } from '../wire.js';

export const draftParamsSchema = z.object({
  name: z
    .string()
    .regex(NAME, 'a name has 1 to 128 letters, digits, ".", "_" or "-", and starts with a letter or digit'),
});
export type DraftParams = z.output<typeof draftParamsSchema>;

export const draftsQuerySchema = z.strictObject(pageQuery);
export type DraftsQuery = z.output<typeof draftsQuerySchema>;

const documentNameSchema = z.object({ kind: authoredKindSchema, name: z.string().min(1).max(2048) });

export const draftFilesSchema = z
  .strictObject({
    files: filesSchema.shape.files.default([]),
    deletions: z
      .array(z.strictObject(documentNameSchema.shape))
      .max(10_000)
      .default([])
      .meta({ description: 'Documents that go.' }),
    prune: z.boolean().default(false).meta({ description: 'Whether the documents are to be all that there are.' }),
    description: z
      .string()
      .max(2000)
      .regex(/^[^\0]*$/, 'a description has no NUL')
      .optional(),
    rollback_to: z.int().min(1).optional().meta({
      description: 'In place of files, deletions and prune: what going back to this revision would change.',
    }),
    base_revision: z.int().min(0).optional().meta({
      description:
        'The revision that the documents were written on: what others changed after it is in conflict. Left out: the present one.',
    }),
  })
  .refine(
    ({ rollback_to: to, files, deletions, prune, base_revision: base }) =>
      to === undefined || (files.length === 0 && deletions.length === 0 && !prune && base === undefined),
    { path: ['rollback_to'], error: 'stands alone: without files, deletions, prune and base_revision' },
  )
  .meta({ id: 'DraftFiles' });
export type DraftFilesBody = z.output<typeof draftFilesSchema>;

const listing = {
  name: z.string(),
  version: z.int().meta({ description: 'Its ETag. No other saving of a draft has the same.' }),
  base_revision: z.int(),
  description: z.string().optional(),
  prune: z.boolean(),
  changed_by: z.string(),
  changed_at: z.string(),
  seen_by: z.array(z.object({ person: z.string(), how: z.enum(['saved', 'approved']), at: z.string() })).meta({
    description: 'The person who saved it as it is, and those who have approved of it since; keys are no people.',
  }),
};

const draftListingSchema = z.object(listing).meta({ id: 'DraftListing' });
export type DraftListingBody = z.output<typeof draftListingSchema>;

export const draftPageSchema = pageSchema(draftListingSchema).meta({ id: 'DraftPage' });

const draftProblemSchema = z
  .looseObject({ code: z.string(), message: z.string() })
  .meta({ id: 'DocumentProblem', description: 'A mistake in a document, with its place as far as that is known.' });

const conflictSchema = z.object({ ...documentNameSchema.shape, revision: z.int() }).meta({
  id: 'DraftConflict',
  description: 'A document that was changed after the draft was based, and at which revision.',
});

export const draftSchema = z
  .object({
    ...listing,
    counts: countsSchema.meta({ description: 'What publishing it now would change.' }),
    documents: z
      .array(changedDocumentSchema)
      .meta({ description: 'A page of it, those that stay as they are among it.' }),
    next_page_token: z.string().optional(),
    problems: z.array(draftProblemSchema).meta({ description: 'Why it cannot be published now; the first hundred.' }),
    conflicts: z.array(conflictSchema).meta({ description: 'Save it again to go on; the first hundred.' }),
    warnings: z.array(warningSchema).meta({ description: 'The first hundred.' }),
  })
  .meta({ id: 'Draft' });
export type DraftBody = z.output<typeof draftSchema>;

export const publicationSchema = z
  .strictObject({
    message: messageSchema,
    seen: z.boolean().default(true).meta({
      description:
        'Whether the caller has looked at the version that If-Match names. Only then they count as one of two people, where the tenant wants two.',
    }),
  })
  .meta({ id: 'Publication' });
export type PublicationBody = z.output<typeof publicationSchema>;

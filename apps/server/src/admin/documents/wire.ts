import { z } from 'zod';
import { LINT_CODES } from '#policy';
import { kindSchema, pageSchema } from '../wire.js';
import { pageQuery } from '../paging.js';

/** Texts of policy files, as they are: YAML or JSON, one or many documents each. */
export const filesSchema = z
  .strictObject({
    files: z.array(z.strictObject({ path: z.string().min(1).max(1024), text: z.string() })).max(10_000),
    prune: z
      .boolean()
      .default(false)
      .meta({ description: 'Whether documents that are not among the files are deleted.' }),
    dry_run: z.boolean().default(false).meta({ description: 'Say what would change, and change nothing.' }),
  })
  .meta({ id: 'DocumentFiles' });

export type FilesBody = z.output<typeof filesSchema>;

export const listQuerySchema = z.strictObject({ kind: kindSchema.optional(), ...pageQuery });
export type ListQuery = z.output<typeof listQuerySchema>;

export const versionsQuerySchema = z.strictObject(pageQuery);
export type VersionsQuery = z.output<typeof versionsQuerySchema>;

/** No document has a NUL in its name, and the database takes none. */
const name = z
  .string()
  .min(1)
  .max(2048)
  .regex(/^[^\0]*$/, 'a name has no control characters');

export const documentParamsSchema = z.object({ kind: kindSchema, name });
export type DocumentParams = z.output<typeof documentParamsSchema>;

export const versionParamsSchema = z.object({
  kind: kindSchema,
  name,
  version: z.coerce.number().int().min(1).max(2_147_483_647),
});
export type VersionParams = z.output<typeof versionParamsSchema>;

export const warningSchema = z
  .object({
    code: z.enum(LINT_CODES),
    message: z.string(),
    document: z.object({ kind: z.string(), name: z.string() }),
    rule: z.string().optional(),
    path: z.string().meta({ description: 'Where in the document, as in rules.0.when.' }),
    file: z.string().optional(),
    line: z.int().optional(),
    column: z.int().optional(),
  })
  .meta({ id: 'Warning', description: 'What lint finds in a document (docs/policy.md).' });

const documentSchema = z
  .looseObject({ kind: kindSchema })
  .meta({ id: 'Document', description: 'A document of any kind (docs/policy.md).' });

export const storedDocumentSchema = z
  .object({
    kind: kindSchema,
    name: z.string(),
    version: z.int(),
    revision: z.int(),
    document: documentSchema.nullable(),
    changed_by: z.string().optional(),
    changed_at: z.string().optional(),
  })
  .meta({ id: 'StoredDocument' });

export const documentPageSchema = pageSchema(storedDocumentSchema).meta({ id: 'StoredDocumentPage' });

const testsSchema = z
  .object({
    documents: z.int().meta({ description: 'Test documents.' }),
    cases: z.int().meta({ description: 'Their cases, all of which pass: one that fails is an error.' }),
    coverage: z.object({
      rules: z.int().meta({ description: 'Rules that are enforced.' }),
      covered: z.int().meta({ description: 'Those that decided, or at least applied, in some case.' }),
      percent: z.int(),
      uncovered: z
        .array(z.object({ rule: z.string(), evaluated: z.boolean() }))
        .meta({ description: 'The first hundred others, and whether a case came as far as to look at them.' }),
      shadow: z.object({ rules: z.int(), covered: z.int() }),
    }),
  })
  .meta({ id: 'TestReport', description: 'What came of the Test documents; absent where there are none.' });
export const changedDocumentSchema = z
  .object({
    kind: kindSchema,
    name: z.string(),
    change: z.enum(['created', 'updated', 'deleted', 'unchanged']),
    version: z.int().optional(),
    before: documentSchema.optional(),
    after: documentSchema.optional(),
  })
  .meta({ id: 'ChangedDocument' });
export type ChangedDocumentBody = z.output<typeof changedDocumentSchema>;

export const changeSchema = z
  .object({
    revision: z.int().optional().meta({ description: 'Absent where nothing was changed because it was only asked.' }),
    documents: z.array(changedDocumentSchema),
    warnings: z.array(warningSchema).meta({ description: 'About the documents that were sent; they hinder nothing.' }),
    tests: testsSchema.optional(),
  })
  .meta({ id: 'DocumentChange' });

export type ChangeBody = z.output<typeof changeSchema>;

import { z } from 'zod';
import { LONGEST_NAME, TENANT_NAME } from '#store';
import { pageQuery } from '../paging.js';
import { pageSchema } from '../wire.js';

const NAME = `a name is lower-case letters and digits, in parts joined by '-', ${LONGEST_NAME} characters at most`;

const name = z.string().max(LONGEST_NAME, NAME).regex(TENANT_NAME, NAME);

/** Names that would be taken for something else: in a path, or in what people say. */
const RESERVED: readonly string[] = [
  ...['default', 'home', 'system', 'operator', 'placet', 'admin', 'administrator', 'root', 'service', 'internal'],
  ...['t', 'api', 'mcp', 'access', 'docs', 'oauth', 'well-known', 'sign-in', 'sign-out', 'login', 'logout'],
  ...['healthz', 'readyz', 'metrics', 'static', 'assets', 'null', 'undefined', 'localhost', 'www'],
];

const limit = (description: string) =>
  z.int().min(0).max(Number.MAX_SAFE_INTEGER).nullable().optional().meta({ description });

export const quotasSchema = z
  .strictObject({
    documents: limit('Documents that are there, but for suspensions.'),
    document_bytes: limit('Bytes of JSON in them and in drafts.'),
    history_bytes: limit('Bytes of JSON in every version of documents that there ever was.'),
    credentials: limit('Keys and clients that are not disabled.'),
    persons: limit('People who have ever signed in.'),
    decisions_per_second: z
      .int()
      .min(0)
      .max(1_000_000)
      .nullable()
      .optional()
      .meta({ description: 'On each replica; a call counts as many as it has questions.' }),
  })
  .meta({ id: 'Quotas', description: 'null: as much as it wants. What is left out stays as it is.' });
export type QuotasBody = z.output<typeof quotasSchema>;

export const newTenantSchema = z
  .strictObject({
    name: name
      .refine((text) => !RESERVED.includes(text), 'this name is reserved')
      .meta({ description: 'It stands in URLs, never changes, and is never given again.' }),
    title: z
      .string()
      .trim()
      .min(1)
      .max(200)
      .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'a title is one line, without control characters')
      .optional(),
    quotas: quotasSchema.optional(),
  })
  .meta({ id: 'NewTenant' });
export type NewTenantBody = z.output<typeof newTenantSchema>;

export const madeTenantSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    owner_key: z
      .object({ id: z.string(), key: z.string() })
      .meta({ description: 'The key of its first owner, shown this once.' }),
  })
  .meta({ id: 'MadeTenant' });
export type MadeTenantBody = z.output<typeof madeTenantSchema>;

export const tenantParamsSchema = z.object({ name });
export type TenantParams = z.output<typeof tenantParamsSchema>;

export const tenantsQuerySchema = z.strictObject(pageQuery);
export type TenantsQuery = z.output<typeof tenantsQuerySchema>;

export const deletionQuerySchema = z.strictObject({
  export: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'the SHA-256 in the last line of an export, in hexadecimal')
    .optional()
    .meta({ description: 'The SHA-256 in the last line of an export since which nothing has changed.' }),
});
export type DeletionQuery = z.output<typeof deletionQuerySchema>;

export const tenantReasonSchema = z
  .strictObject({ reason: z.string().min(1).max(1000).optional() })
  .meta({ id: 'TenantSuspension', description: 'Why; the tenant can read it in its history.' });
export type TenantReasonBody = z.output<typeof tenantReasonSchema>;

export const ownerKeyReasonSchema = z
  .strictObject({ reason: z.string().trim().min(1).max(1000) })
  .meta({ id: 'OwnerKeyReason', description: 'Why; the tenant can read it in its history.' });
export type OwnerKeyReasonBody = z.output<typeof ownerKeyReasonSchema>;

export const ownerKeySchema = z
  .object({
    id: z.string(),
    key: z.string().meta({ description: 'Shown this once.' }),
    revision: z.int().meta({ description: 'Of that tenant, since which it is so.' }),
  })
  .meta({ id: 'OwnerKey' });
export type OwnerKeyBody = z.output<typeof ownerKeySchema>;

export const tenantSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    title: z.string().optional(),
    created_at: z.string(),
    suspension: z.object({ since: z.string(), reason: z.string().optional() }).nullable(),
    export: z.object({ at: z.string(), sha256: z.string() }).nullable().meta({ description: 'The last whole one.' }),
    quotas: z.object({
      documents: z.int().nullable(),
      document_bytes: z.int().nullable(),
      history_bytes: z.int().nullable(),
      credentials: z.int().nullable(),
      persons: z.int().nullable(),
      decisions_per_second: z.int().nullable(),
    }),
    usage: z.object({ documents: z.int(), document_bytes: z.int(), history_bytes: z.int(), credentials: z.int() }),
  })
  .meta({ id: 'TenantState' });
export type TenantBody = z.output<typeof tenantSchema>;

export const tenantPageSchema = pageSchema(tenantSchema).meta({ id: 'TenantPage' });

export const tenantChangeSchema = z
  .object({ revision: z.int().meta({ description: 'Of that tenant, since which it is so.' }) })
  .meta({ id: 'TenantChange' });
export type TenantChangeBody = z.output<typeof tenantChangeSchema>;

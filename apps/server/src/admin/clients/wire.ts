import { z } from 'zod';
import { hostRightsSchema } from '#identity';
import { networksSchema } from '../networks.js';
import { pageQuery } from '../paging.js';
import { pageSchema } from '../wire.js';
import { publicKeySetSchema } from './public-keys.js';

const name = z.string().min(1).max(128);

export const newClientSchema = z
  .strictObject({
    host: name.meta({ description: 'The registered host that the client is of.' }),
    rights: hostRightsSchema.optional(),
    cidrs: networksSchema.optional(),
    expires_at: z.iso.datetime({ offset: true }).optional(),
    keys: publicKeySetSchema.optional().meta({
      description: 'Public keys, as a JWK set: the client proves itself by a signed assertion (private_key_jwt).',
    }),
    federated: z
      .strictObject({
        issuer: name.meta({ description: 'The Issuer document whose tokens prove it.' }),
        subject: z.string().min(1).max(1024).meta({ description: 'What its tokens are about: their sub.' }),
      })
      .optional()
      .meta({ description: 'A workload that an identity provider vouches for, with no secret of ours.' }),
  })
  .refine(
    (client) => client.keys === undefined || client.federated === undefined,
    'a client proves itself in one way: write keys or federated, or neither for a secret',
  )
  .meta({ id: 'NewClient' });
export type NewClientBody = z.output<typeof newClientSchema>;

export const clientChangeSchema = z
  .strictObject({
    rights: hostRightsSchema.optional().meta({ description: 'All of them: what is left out has its default.' }),
    cidrs: networksSchema.nullable().optional(),
    expires_at: z.iso.datetime({ offset: true }).nullable().optional(),
  })
  .refine((change) => Object.keys(change).length > 0, 'what is to change: rights, cidrs or expires_at')
  .meta({ id: 'ClientChange', description: 'What is left out stays as it is.' });
export type ClientChangeBody = z.output<typeof clientChangeSchema>;

export const replacedKeysSchema = z
  .strictObject({
    keys: publicKeySetSchema,
    end_tokens: z.boolean().default(true).meta({
      description: 'Whether the tokens that the client has end at once; false where nobody else can have them.',
    }),
  })
  .meta({ id: 'ReplacedClientKeys' });
export type ReplacedKeysBody = z.output<typeof replacedKeysSchema>;

export const clientParamsSchema = z.object({ id: z.string().regex(/^[0-9a-z]{19}$/, 'not the id of a client') });
export type ClientParams = z.output<typeof clientParamsSchema>;

export const clientsQuerySchema = z.strictObject({ host: name.optional(), ...pageQuery });
export type ClientsQuery = z.output<typeof clientsQuerySchema>;

export const clientSchema = z
  .object({
    id: z.string(),
    host: z.string(),
    environment: z.string(),
    authentication: z.enum(['client_secret', 'private_key_jwt', 'federated']),
    rights: z.looseObject({}),
    cidrs: z.array(z.string()).nullable(),
    keys: z.looseObject({}).optional(),
    federated: z.object({ issuer: z.string(), subject: z.string() }).optional(),
    created_by: z.string(),
    created_at: z.string(),
    expires_at: z.string().nullable(),
    disabled_at: z.string().nullable(),
    secrets: z.array(z.object({ expires_at: z.string().nullable() })),
  })
  .meta({ id: 'Client' });
export type ClientBody = z.output<typeof clientSchema>;

export const shownClientSchema = z
  .object({
    id: z.string().meta({ description: 'The client_id.' }),
    secret: z.string().optional().meta({ description: 'The client_secret, shown this once.' }),
  })
  .meta({ id: 'ShownClient' });
export type ShownClientBody = z.output<typeof shownClientSchema>;

export const clientPageSchema = pageSchema(clientSchema).meta({ id: 'ClientPage' });

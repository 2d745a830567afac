import { z } from 'zod';
import { administratorRightsSchema, hostRightsSchema } from '#identity';
import { networksSchema } from '../networks.js';
import { pageSchema } from '../wire.js';
import { pageQuery } from '../paging.js';

const name = z.string().min(1).max(128);

const rights = z.union([administratorRightsSchema, hostRightsSchema]);

export const newKeySchema = z
  .strictObject({
    host: name.optional().meta({ description: 'The registered host that the key is for.' }),
    administrator: name.optional().meta({ description: 'The administrator that the key is for.' }),
    rights: rights.optional(),
    cidrs: networksSchema.optional(),
    expires_at: z.iso.datetime({ offset: true }).optional(),
  })
  .refine(
    (key) => (key.host === undefined) !== (key.administrator === undefined),
    'a key is for one host or for one administrator: write host or administrator',
  )
  .meta({ id: 'NewKey' });

export type NewKeyBody = z.output<typeof newKeySchema>;

export const keyChangeSchema = z
  .strictObject({
    rights: rights.optional().meta({ description: 'All of them: what is left out has its default.' }),
    cidrs: networksSchema.nullable().optional(),
    expires_at: z.iso.datetime({ offset: true }).nullable().optional(),
  })
  .refine((change) => Object.keys(change).length > 0, 'what is to change: rights, cidrs or expires_at')
  .meta({ id: 'KeyChange', description: 'What is left out stays as it is.' });

export type KeyChangeBody = z.output<typeof keyChangeSchema>;

export const rotationSchema = z
  .strictObject({
    overlap_seconds: z
      .int()
      .min(0)
      .max(30 * 86_400)
      .default(86_400),
  })
  .meta({ id: 'KeyRotation', description: 'For how long the secret that is replaced stays good.' });

export type RotationBody = z.output<typeof rotationSchema>;

export const keyParamsSchema = z.object({
  id: z.string().regex(/^[0-9a-z]{19}$/, 'not the id of a key or of a token: lists of them say the ids'),
});
export type KeyParams = z.output<typeof keyParamsSchema>;

export const keysQuerySchema = z.strictObject({ host: name.optional(), ...pageQuery });
export type KeysQuery = z.output<typeof keysQuerySchema>;

export const keySchema = z
  .object({
    id: z.string(),
    host: z.string().optional(),
    administrator: z.string().optional(),
    environment: z.string(),
    rights: z.looseObject({}),
    cidrs: z.array(z.string()).nullable(),
    created_by: z.string(),
    person: z.string().nullable().meta({
      description:
        'Of an administrator: the person with whom it ends, who made it or rotated it last; null: nobody knows.',
    }),
    created_at: z.string(),
    expires_at: z.string().nullable(),
    disabled_at: z.string().nullable(),
    last_used_at: z.string().nullable().meta({ description: 'To within five minutes.' }),
    secrets: z.array(z.object({ expires_at: z.string().nullable() })),
  })
  .meta({ id: 'Key' });

export type KeyBody = z.output<typeof keySchema>;

export const shownKeySchema = z
  .object({ id: z.string(), key: z.string().meta({ description: 'Shown this once.' }) })
  .meta({ id: 'ShownKey' });

export type ShownKeyBody = z.output<typeof shownKeySchema>;

export const keyPageSchema = pageSchema(keySchema).meta({ id: 'KeyPage' });

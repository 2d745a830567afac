import { z } from 'zod';
import { keyParamsSchema, rotationSchema } from '../keys/wire.js';
import { networksSchema } from '../networks.js';
import { pageQuery } from '../paging.js';
import { pageSchema } from '../wire.js';

export { keyParamsSchema as tokenParamsSchema, rotationSchema };
export type { KeyParams as TokenParams, RotationBody } from '../keys/wire.js';

export const newConnectorTokenSchema = z
  .strictObject({
    issuer: z.string().min(1).max(128).meta({ description: 'The Issuer whose people and groups it provisions.' }),
    cidrs: networksSchema.optional(),
    expires_at: z.iso.datetime({ offset: true }).optional(),
  })
  .meta({ id: 'NewConnectorToken' });
export type NewConnectorTokenBody = z.output<typeof newConnectorTokenSchema>;

export const connectorTokensQuerySchema = z.strictObject(pageQuery);
export type ConnectorTokensQuery = z.output<typeof connectorTokensQuerySchema>;

const connectorTokenSchema = z
  .object({
    id: z.string(),
    issuer: z.string(),
    environment: z.string(),
    cidrs: z.array(z.string()).nullable(),
    created_by: z.string(),
    created_at: z.string(),
    expires_at: z.string().nullable(),
    disabled_at: z.string().nullable(),
    last_used_at: z.string().nullable().meta({ description: 'To within five minutes.' }),
    secrets: z.array(z.object({ expires_at: z.string().nullable() })),
  })
  .meta({ id: 'ConnectorToken' });
export type ConnectorTokenBody = z.output<typeof connectorTokenSchema>;

export const connectorTokenPageSchema = pageSchema(connectorTokenSchema).meta({ id: 'ConnectorTokenPage' });

export const shownConnectorTokenSchema = z
  .object({ id: z.string(), token: z.string().meta({ description: 'Shown this once.' }) })
  .meta({ id: 'ShownConnectorToken' });
export type ShownConnectorTokenBody = z.output<typeof shownConnectorTokenSchema>;

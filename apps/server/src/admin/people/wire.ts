import { z } from 'zod';
import { pageQuery } from '../paging.js';
import { pageSchema } from '../wire.js';

export const personParamsSchema = z.object({ id: z.string().min(3).max(1024) });
export type PersonParams = z.output<typeof personParamsSchema>;

export const sessionParamsSchema = z.object({ id: z.string().regex(/^[0-9a-f]{24}$/, 'not the id of a session') });
export type SessionParams = z.output<typeof sessionParamsSchema>;

export const peopleQuerySchema = z.strictObject(pageQuery);
export type PeopleQuery = z.output<typeof peopleQuerySchema>;

const personMembers = {
  id: z.string().meta({ description: 'The subject that they are, as in user:entra/3f2c.' }),
  issuer: z.string(),
  name: z.string().nullable(),
  email: z.string().nullable(),
  first_at: z.string(),
  last_at: z.string(),
  sessions: z.int().meta({ description: 'How many are live.' }),
};

const personSchema = z.object(personMembers).meta({ id: 'Person' });
export type PersonBody = z.output<typeof personSchema>;

export const personDetailSchema = z
  .object({
    ...personMembers,
    claims: z.looseObject({}).meta({ description: 'What the identity provider said at the last sign-in.' }),
  })
  .meta({ id: 'PersonDetail' });
export type PersonDetailBody = z.output<typeof personDetailSchema>;

export const personPageSchema = pageSchema(personSchema).meta({ id: 'PersonPage' });

const sessionSchema = z
  .object({
    id: z.string(),
    created_at: z.string(),
    seen_at: z.string().meta({ description: 'To within a minute.' }),
    ends_at: z.string().meta({ description: 'If nobody does anything.' }),
    acr: z.string().nullable(),
    amr: z.array(z.string()),
    authenticated_at: z.string().nullable(),
    address: z.string().nullable(),
    user_agent: z.string().nullable(),
    current: z.boolean().meta({ description: 'Whether the call was made with it.' }),
  })
  .meta({ id: 'Session' });
export type SessionBody = z.output<typeof sessionSchema>;

export const sessionListSchema = z.object({ items: z.array(sessionSchema) }).meta({ id: 'SessionList' });
export type SessionListBody = z.output<typeof sessionListSchema>;

export const signedOutSchema = z.object({ revision: z.int() }).meta({ id: 'SignedOut' });
export type SignedOutBody = z.output<typeof signedOutSchema>;

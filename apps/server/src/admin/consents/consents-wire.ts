import { z } from 'zod';
import { CONSENT_STATES, type ConsentDetail, type ConsentListing } from '#store';
import { pageQuery } from '../paging.js';
import { messageSchema, pageSchema } from '../wire.js';

export const consentParamsSchema = z.object({
  id: z.string().regex(/^co_[A-Za-z0-9_-]{22}$/, 'not the id of a consent, as in co_ and 22 characters'),
});
export type ConsentParams = z.output<typeof consentParamsSchema>;

const name = z
  .string()
  .min(1)
  .max(1024)
  .regex(/^[^\u0000]*$/, 'no name has such a character');

/** Of a bare id nothing would be found, and whoever takes back would think that there is nothing. */
const subject = name.regex(/^[^:]+:./, 'must be TYPE:ID, as in user:ann');

const live = z.enum(['true', 'false']).optional().meta({ description: 'Only those that are live, or are not.' });

export const ownConsentsQuerySchema = z.strictObject({
  ...pageQuery,
  server: name.optional(),
  agent: name.optional(),
  live,
});
export type OwnConsentsQuery = z.output<typeof ownConsentsQuerySchema>;

export const consentsQuerySchema = z.strictObject({
  ...pageQuery,
  subject: subject.optional(),
  agent: name.optional(),
  server: name.optional(),
  live,
});
export type ConsentsQuery = z.output<typeof consentsQuerySchema>;

export const ownRevocationSchema = z.strictObject({ server: name.optional(), agent: name.optional() });
export type OwnRevocation = z.output<typeof ownRevocationSchema>;

const reason = messageSchema.meta({ description: 'Why, for the history.' });

export const reasonSchema = z.strictObject({ reason });
export type Reason = z.output<typeof reasonSchema>;

export const revocationSchema = z.strictObject({
  subject: subject.optional(),
  agent: name.optional(),
  server: name.optional(),
  reason,
});
export type Revocation = z.output<typeof revocationSchema>;

export const revokedSchema = z
  .object({
    revoked: z.int().meta({ description: 'How many it has ended: none of them counts any more, on any replica.' }),
  })
  .meta({ id: 'RevokedConsents' });
export type RevokedBody = z.output<typeof revokedSchema>;

const consentMembers = {
  id: z.string(),
  request: z.string(),
  state: z.enum(CONSENT_STATES),
  subject: z.string().meta({ description: 'Whom it is about.' }),
  agreed: z.array(z.string()).meta({ description: 'Who has agreed to it.' }),
  host: z.string().meta({ description: 'The application that asked.' }),
  agent: z.string().meta({ description: 'The application that it is for.' }),
  server: z.string().nullable(),
  action: z.string(),
  resource: z.object({ type: z.string(), id: z.string() }),
  policy: z.string().nullable().meta({ description: 'The policy that asked; null: the default of the tenant.' }),
  rule: z.string().nullable(),
  created_at: z.string(),
  expires_at: z.string(),
  ended_at: z.string().nullable(),
  uses_left: z.int().nullable().meta({ description: 'Null: any number.' }),
  for_session: z.boolean().meta({ description: 'Whether it is for one session of the application only.' }),
  last_used_at: z
    .string()
    .nullable()
    .meta({ description: 'To within some minutes, where it may be used any number of times.' }),
};

const consentSchema = z.object(consentMembers).meta({ id: 'Consent', description: 'Something that people agreed to.' });
export type ConsentBody = z.output<typeof consentSchema>;

export const consentPageSchema = pageSchema(consentSchema).meta({ id: 'ConsentPage' });

export const consentDetailSchema = z
  .object({
    ...consentMembers,
    binding: z.string().meta({ description: 'SHA-256 of everything that it was given for.' }),
    shown: z.looseObject({ title: z.string() }).meta({ description: 'What people were shown.' }),
    shown_digest: z.string(),
    answers: z.array(
      z.object({
        person: z.string(),
        for_person: z.string().nullable().meta({ description: 'In whose place they answered.' }),
        answer: z.enum(['agreed', 'refused']),
        at: z.string(),
        acr: z.string().nullable(),
        amr: z.array(z.string()),
        authenticated_at: z.string().nullable(),
        broke_glass: z.string().nullable(),
        withdrawn_at: z
          .string()
          .nullable()
          .meta({ description: 'When they took it back, before anything came of it.' }),
      }),
    ),
    history: z.array(z.object({ event: z.string(), by: z.string(), at: z.string(), content: z.looseObject({}) })),
  })
  .meta({ id: 'ConsentDetail', description: 'A consent, who agreed to it, and what has become of it.' });
export type ConsentDetailBody = z.output<typeof consentDetailSchema>;

const time = (ms: number): string => new Date(ms).toISOString();
const timeOrNull = (ms: number | null): string | null => (ms === null ? null : time(ms));

export const liveOf = (given: 'true' | 'false' | undefined): boolean | undefined =>
  given === undefined ? undefined : given === 'true';

/** A consent as it is listed. */
export const consentBody = (consent: ConsentListing): ConsentBody => ({
  id: consent.id,
  request: consent.request,
  state: consent.state,
  subject: consent.subject,
  agreed: [...consent.agreed],
  host: consent.host,
  agent: consent.agent,
  server: consent.server,
  action: consent.action,
  resource: { type: consent.resourceType, id: consent.resourceId },
  policy: consent.policy,
  rule: consent.rule,
  created_at: time(consent.createdAt),
  expires_at: time(consent.expiresAt),
  ended_at: timeOrNull(consent.endedAt),
  uses_left: consent.usesLeft,
  for_session: consent.session !== null,
  last_used_at: timeOrNull(consent.lastUsedAt),
});

/** A consent with everything that is known of it. */
export const consentDetailBody = ({ consent, request, history }: ConsentDetail): ConsentDetailBody => ({
  ...consentBody(consent),
  binding: consent.binding,
  shown: JSON.parse(request.shown) as ConsentDetailBody['shown'],
  shown_digest: request.shownDigest,
  answers: request.answers.map(
    ({ person, for: other, answer, at, acr, amr, authenticatedAt, brokeGlass, withdrawnAt }) => ({
      person,
      for_person: other?.person ?? null,
      answer,
      at: time(at),
      acr,
      amr: [...amr],
      authenticated_at: timeOrNull(authenticatedAt),
      broke_glass: brokeGlass,
      withdrawn_at: timeOrNull(withdrawnAt),
    }),
  ),
  history: history.map(({ kind, by, at, content }) => ({ event: kind, by, at: time(at), content: { ...content } })),
});

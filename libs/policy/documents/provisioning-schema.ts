import { z } from 'zod';

/** What of a user in SCIM says who they are when they sign in. */
const PROVISIONED_IDENTITIES = ['externalId', 'userName', 'id'] as const;

/** How an Issuer's people and groups are provisioned: by a connector that speaks SCIM 2.0 (RFC 7643, RFC 7644). */
export const provisioningSchema = z.strictObject({
  scim: z.literal(true),
  /** The attribute that equals the identity by which people of this Issuer sign in. */
  identity: z.enum(PROVISIONED_IDENTITIES).default('externalId'),
  /** Whether a person's groups are those that are provisioned, or those that tokens name. */
  groups: z.enum(['scim', 'token']).default('token'),
  /** By what provisioned groups are named in rules. */
  groupName: z.enum(['displayName', 'externalId']).default('displayName'),
  /** Whether only those who are provisioned are let in. */
  required: z.boolean().default(false),
});

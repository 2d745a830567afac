import { z } from 'zod';

const patterns = z.array(z.string().min(1).max(256)).max(100);

/**
 * What a host's key may assert about a request. Nothing by default: a host that may assert no subject cannot ask about
 * anybody. `*` stands for any run of characters.
 */
export const hostRightsSchema = z
  .strictObject({
    /** Subjects, as in `user:*`. */
    subjects: patterns.default([]),
    /** Attributes of subjects, as in `region`. Stored ones win over asserted ones. */
    subjectProperties: patterns.default([]),
    /** Attributes of resources. */
    resourceProperties: patterns.default([]),
    /** Whether answers say in detail what stood in the way. */
    explain: z.boolean().default(false),
  })
  .meta({ id: 'HostRights' });

export type HostRights = z.output<typeof hostRightsSchema>;

/** Names of roles of administrators: built-in ones, or AdministratorRole documents. */
export const administratorRightsSchema = z
  .strictObject({ roles: z.array(z.string().min(1).max(128)).min(1).max(100) })
  .meta({ id: 'AdministratorRights' });

export type AdministratorRights = z.output<typeof administratorRightsSchema>;

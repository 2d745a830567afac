import { z } from 'zod';

const patterns = z.array(z.string().min(1).max(256)).max(100);

/** What a host can ask for: decisions, listings, the searches, and filters. A closed list. */
export const HOST_SCOPES = ['decisions', 'listings', 'search', 'filter'] as const;

export type HostScope = (typeof HOST_SCOPES)[number];

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
    /** What it may ask for. */
    scopes: z
      .array(z.enum(HOST_SCOPES))
      .min(1)
      .max(HOST_SCOPES.length)
      .default([...HOST_SCOPES]),
    /** Registered hosts that it may act for, as a gateway does. Where there are any, each request must name one. */
    agents: patterns.default([]),
  })
  .meta({ id: 'HostRights' });

export type HostRights = z.output<typeof hostRightsSchema>;

/** Names of roles of administrators: built-in ones, or AdministratorRole documents. */
export const administratorRightsSchema = z
  .strictObject({ roles: z.array(z.string().min(1).max(128)).min(1).max(100) })
  .meta({ id: 'AdministratorRights' });

export type AdministratorRights = z.output<typeof administratorRightsSchema>;

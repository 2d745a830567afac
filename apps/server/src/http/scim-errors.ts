import type { Problem } from '#http';
import { ScimError } from '#scim';

/** The media type of SCIM (RFC 7644 §8.1). */
export const SCIM_TYPE = 'application/scim+json';

/** Whether a path is one of those that connectors call. */
export const isScim = (path: string): boolean => /^\/scim(\/|$)/.test(path);

/** The body of an error answer as connectors read it (RFC 7644 §3.12). */
export const scimAnswer =
  (error: unknown) =>
  ({ status, detail }: Problem): object => ({
    schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
    status: String(status),
    ...(error instanceof ScimError ? { scimType: error.scimType } : {}),
    detail,
  });

import { Refusal } from '#http';
import type { RequestConditions } from '../http/nest.js';

/** The version of a resource as its ETag has it (RFC 7644 §3.14). */
export const etagOf = ({ version }: { readonly version: number }): string => `W/"${version}"`;

/** The ETags that a header lists, without their strength: ours say all that there is to a version. */
const listed = (header: string): readonly string[] => header.split(',').map((tag) => tag.trim().replace(/^W\//, ''));

const names = (header: string, resource: { readonly version: number }): boolean =>
  listed(header).some((tag) => tag === '*' || tag === `"${resource.version}"`);

/** Throws Refusal where somebody has changed a resource since the caller read it. */
export function checkMatch({ match }: RequestConditions, resource: { readonly version: number }): void {
  if (match === undefined || names(match, resource)) return;
  throw new Refusal('version_mismatch', `it is at ${etagOf(resource)} now: read it again`);
}

/** Whether the caller has this version already. */
export const isKnown = ({ none }: RequestConditions, resource: { readonly version: number }): boolean =>
  none !== undefined && names(none, resource);

import { z } from 'zod';
import { MAX_RESULTS, type ResourceKind } from '#scim';

/** Whole numbers as queries have them; what is less than the least is taken for it (RFC 7644 §3.4.2.4). */
const number = (least: number) =>
  z
    .string()
    .regex(/^-?\d{1,9}$/, 'a whole number')
    .transform((text) => Math.max(least, Number(text)));

const names = z
  .string()
  .max(2000)
  .transform((text) => text.split(',').map((name) => name.trim().toLowerCase()));

export const shapeQuerySchema = z.object({ attributes: names.optional(), excludedAttributes: names.optional() });
export type ShapeQuery = z.output<typeof shapeQuerySchema>;

export const listQuerySchema = shapeQuerySchema.extend({
  filter: z.string().max(5000).optional(),
  startIndex: number(1).optional(),
  count: number(0)
    .transform((count) => Math.min(count, MAX_RESULTS))
    .optional(),
});
export type ListQuery = z.output<typeof listQuerySchema>;

/** Ids are ours, or as in `/Schemas`; what no id can be is refused before anything looks for it. */
export const idSchema = z.object({
  id: z
    .string()
    .min(1)
    .max(200)
    .regex(/^[\x21-\x7e]*$/, 'an id as it was given'),
});
export type IdParams = z.output<typeof idSchema>;

/** Members, or groups of users, of one page together: where there are more, it ends sooner than was asked for. */
export const MOST_OF_PAGE = 10_000;

/** Any JSON: what is in it is read by the rules of SCIM. */
export const anyBodySchema = z.unknown();

/** A resource of SCIM, or a list of them, on its way out. */
export type ScimBody = Readonly<Record<string, unknown>>;

/** Whether a query wants an attribute of resources. */
export function wants({ attributes, excludedAttributes }: ShapeQuery, name: string): boolean {
  const named = (list: readonly string[]) =>
    list.some((each) => each === name.toLowerCase() || each.startsWith(`${name.toLowerCase()}.`));
  if (attributes !== undefined) return named(attributes);
  return !excludedAttributes?.includes(name.toLowerCase());
}

/** Of every resource, whatever is asked for (RFC 7643 §2.2, `returned: always`). */
const ALWAYS = ['schemas', 'id'];

/** A resource with those of its attributes that a query wants, and no empty ones. */
export function shaped({ schema, attributes }: ResourceKind, resource: ScimBody, query: ShapeQuery): ScimBody {
  const known = new Set([...attributes.map(({ name }) => name), 'meta']);
  // Names of our own schema may have its URN before them.
  const bare = (list: readonly string[] | undefined) =>
    list?.map((name) => (name.startsWith(`${schema.toLowerCase()}:`) ? name.slice(schema.length + 1) : name));
  const { attributes: wanted, excludedAttributes } = query;
  const asked: ShapeQuery = { attributes: bare(wanted), excludedAttributes: bare(excludedAttributes) };
  return Object.fromEntries(
    Object.entries(resource).filter(
      ([name, value]) =>
        value !== undefined && value !== null && (ALWAYS.includes(name) || (known.has(name) && wants(asked, name))),
    ),
  );
}

/** A page of a list (RFC 7644 §3.4.2). */
export const listBody = (resources: readonly ScimBody[], total: number, startIndex: number): ScimBody => ({
  schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
  totalResults: total,
  startIndex,
  itemsPerPage: resources.length,
  Resources: resources,
});

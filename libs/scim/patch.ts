import { attributeNamed, type Attribute, type ResourceKind } from './attributes.js';
import { ScimError } from './error.js';
import { FOREIGN, readPath, withoutSchema, type Path } from './path.js';
import { isObject, valueOf, type Dropped } from './values.js';

/** One step of a PATCH that is spelled out: an attribute that we keep, and where in it. */
export interface Step {
  readonly op: 'add' | 'replace' | 'remove';
  readonly attribute: Attribute;
  readonly filter?: Path['filter'];
  readonly sub?: Attribute;
  readonly value: unknown;
}

const PATCH_SCHEMA = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';

/** Operations that one request may have. */
const MAX_OPERATIONS = 1000;

/**
 * What a PATCH asks for (RFC 7644 §3.5.2), in the spellings of Entra and Okta: `Add`, `Replace` and `Remove` in any case; no
 * path but an object, whose keys may be paths themselves (`name.givenName`, `emails[type eq "work"].value`). Attributes that
 * are not kept are dropped, and those that are ours to say are passed over. Throws ScimError.
 */
export function readPatch(kind: ResourceKind, body: unknown, dropped: Dropped): Step[] {
  const operations = operationsOf(body);
  return operations.flatMap((operation): Step[] => {
    if (!isObject(operation)) throw new ScimError('invalidSyntax', 'Operations: each is an object');
    const { op, path, value } = operation;
    const name = typeof op === 'string' ? op.toLowerCase() : '';
    if (name !== 'add' && name !== 'replace' && name !== 'remove')
      throw new ScimError('invalidSyntax', 'op: it is add, replace or remove');
    if (path !== undefined && path !== null && typeof path !== 'string')
      throw new ScimError('invalidPath', 'path: it is a text');
    if (typeof path === 'string' && path !== '') return stepsAt(kind, name, path, value, dropped);
    if (name === 'remove') throw new ScimError('noTarget', 'remove needs a path');
    if (!isObject(value)) throw new ScimError('invalidValue', 'without a path the value is an object');
    return Object.entries(value).flatMap(([key, each]) => stepsAt(kind, name, key, each, dropped));
  });
}

function operationsOf(body: unknown): readonly unknown[] {
  if (!isObject(body)) throw new ScimError('invalidSyntax', 'the body is an object');
  const { schemas, Operations: operations } = body;
  if (!Array.isArray(schemas) || !schemas.includes(PATCH_SCHEMA))
    throw new ScimError('invalidSyntax', `schemas: a PATCH names ${PATCH_SCHEMA}`);
  if (!Array.isArray(operations) || operations.length === 0)
    throw new ScimError('invalidSyntax', 'Operations: there is at least one');
  if (operations.length > MAX_OPERATIONS)
    throw new ScimError('tooMany', `a PATCH has ${MAX_OPERATIONS} operations at most`);
  return operations as readonly unknown[];
}

/** Of every resource, and ours to say. */
const COMMON = ['schemas', 'id', 'meta'];

function stepsAt(
  { schema, attributes }: ResourceKind,
  op: Step['op'],
  text: string,
  value: unknown,
  dropped: Dropped,
): Step[] {
  if (COMMON.includes(text)) return [];
  // A whole extension, under its URN: nothing of it is kept.
  if (withoutSchema(text, schema) === FOREIGN) {
    dropped(text);
    return [];
  }
  const path = readPath(text, schema);
  const attribute = path === FOREIGN ? undefined : attributeNamed(attributes, path.attribute);
  if (path === FOREIGN || !attribute) {
    dropped(text);
    return [];
  }
  if (attribute.readOnly === true) return [];
  const sub = path.sub === undefined ? undefined : attributeNamed(attribute.subAttributes, path.sub);
  if (path.sub !== undefined && !sub) {
    if (!attribute.subAttributes) throw new ScimError('invalidPath', `${attribute.name} has no parts`);
    dropped(text);
    return [];
  }
  if (path.filter && attribute.multiValued !== true)
    throw new ScimError('invalidPath', `${attribute.name} has one value: it takes no filter`);
  const filtered = path.filter && attributeNamed(attribute.subAttributes, path.filter.attribute);
  if (path.filter && !filtered) throw new ScimError('invalidPath', `${attribute.name} has no ${path.filter.attribute}`);
  return [
    {
      op,
      attribute,
      ...(path.filter && filtered ? { filter: filterOf(filtered, path.filter.value, dropped) } : {}),
      ...(sub ? { sub } : {}),
      value,
    },
  ];
}

/** The values that are meant, by one that the attribute could have. */
function filterOf(attribute: Attribute, given: string | boolean, dropped: Dropped): NonNullable<Step['filter']> {
  const value = valueOf(attribute, given, dropped) as string | boolean | undefined;
  if (value === undefined) throw new ScimError('invalidPath', `${attribute.name}: an empty text names nothing`);
  return { attribute: attribute.name, value };
}

import { stringify } from 'yaml';
import { z } from 'zod';
import { documentSchemas, type AnyDocument } from './schema.js';

/**
 * A document as YAML, the way that people write it. Reading it back gives the same document, and documents that differ in
 * nothing but the order of their members have the same text.
 */
export function documentText(document: AnyDocument): string {
  const ordered = inOrder(document, documentSchemas[document.kind]);
  return stringify(ordered, { lineWidth: 120, version: '1.2', schema: 'core', aliasDuplicateObjects: false });
}

/** Members that a schema names in its order; those that are free, and that it does not know, after them by the alphabet. */
function inOrder(value: unknown, schema: unknown): unknown {
  const known = schemaOf(value, schema);
  if (Array.isArray(value))
    return value.map((item) => inOrder(item, known instanceof z.ZodArray ? known.element : null));
  if (typeof value !== 'object' || value === null) return value;
  const shape: Readonly<Record<string, unknown>> = known instanceof z.ZodObject ? known.shape : {};
  const names = [
    ...Object.keys(shape).filter((name) => Object.hasOwn(value, name)),
    ...Object.keys(value)
      .filter((name) => !Object.hasOwn(shape, name))
      .sort(),
  ];
  const members = known instanceof z.ZodRecord ? known.valueType : null;
  return Object.fromEntries(
    names.map((name) => [
      name,
      inOrder((value as Record<string, unknown>)[name], Object.hasOwn(shape, name) ? shape[name] : members),
    ]),
  );
}

/** The schema that a value is written by: of a choice, the one that it fits. */
function schemaOf(value: unknown, schema: unknown): unknown {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) return schemaOf(value, schema.unwrap());
  if (!(schema instanceof z.ZodUnion)) return schema;
  const choices = schema.options as readonly z.ZodType[];
  return schemaOf(
    value,
    choices.find((choice) => choice.safeParse(value).success),
  );
}

import { z } from 'zod';
import type { JsonObject } from '../model.js';
import { AUTHORED_KINDS, documentSchemas, type Kind } from './schema.js';

/**
 * The JSON Schema (2020-12) of documents in files, for editors. The schema of a kind holds where `kind` names it, so that
 * a mistake is told as one of that kind. What a schema cannot say (conditions, names that must be there, patterns that
 * nothing could meet) is found when documents are validated.
 */
export function documentJsonSchema(): JsonObject {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'A document of Placet',
    type: 'object',
    required: ['kind'],
    properties: { kind: { enum: AUTHORED_KINDS } },
    allOf: AUTHORED_KINDS.map((kind) => ({
      if: { type: 'object', required: ['kind'], properties: { kind: { const: kind } } },
      then: { $ref: `#/$defs/${kind}` },
    })),
    $defs: Object.fromEntries(AUTHORED_KINDS.map((kind) => [kind, schemaOf(kind)])),
  };
}

function schemaOf(kind: Kind): JsonObject {
  const { $schema: _dialect, ...schema } = z.toJSONSchema(documentSchemas[kind], {
    io: 'input',
    unrepresentable: 'any',
  });
  return schema as JsonObject;
}

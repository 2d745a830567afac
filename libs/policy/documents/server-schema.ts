import { z } from 'zod';
import { name, operation, properties, subjectOrGroup, text } from './members.js';

const identitySchema = z
  .strictObject({
    url: z
      .url({ protocol: /^https?$/, error: 'an http or https URL' })
      .max(2048)
      .optional(),
    command: z.array(z.string().max(4096)).min(1).max(100).optional(),
    package: z
      .strictObject({
        registry: name,
        name: z.string().min(1).max(256),
        version: z.string().min(1).max(128),
        sha256: z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 is written in 64 digits and letters a to f'),
      })
      .optional(),
  })
  .refine(
    (identity) => Object.values(identity).filter((value) => value !== undefined).length === 1,
    'write one of url, command or package',
  );

const toolName = z
  .string()
  .regex(/^[A-Za-z0-9_./:-]{1,128}$/, 'a tool name has up to 128 letters, digits, "_", ".", "/", ":" or "-"');

const argumentPlace = z
  .string()
  .regex(/^[^.\s]+(\.[^.\s]+)*$/, 'an argument is named by its dotted place, such as path or files.path');

const toolSchema = z.strictObject({
  description: text.optional(),
  operation: operation.optional(),
  arguments: z.record(argumentPlace, z.enum(['path'])).optional(),
  inputSchema: properties.optional(),
  /** SHA-256 of the whole definition, as canonical JSON (RFC 8785): agreements are given for this one only. */
  definition: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'a SHA-256 in lower-case hexadecimal')
    .optional(),
});

/** A server of MCP: who it is, and its tools. */
export const serverSchema = z.strictObject({
  kind: z.literal('Server'),
  name,
  title: text.optional(),
  description: text.optional(),
  owner: subjectOrGroup.optional(),
  identity: identitySchema.optional(),
  properties: properties.optional(),
  tools: z.record(toolName, toolSchema).optional(),
});

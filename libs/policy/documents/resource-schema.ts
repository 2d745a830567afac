import { z } from 'zod';
import { readUri } from '../paths/uris.js';
import { foreignId, name, properties, text } from './members.js';

const resourceType = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/, 'a type has up to 64 letters, digits, "_" or "-"');

/** What is stored of a resource. */
export const resourceSchema = z
  .strictObject({
    kind: z.literal('Resource'),
    server: name.optional(),
    type: resourceType,
    id: foreignId,
    description: text.optional(),
    properties: properties.optional(),
  })
  .superRefine((resource, context) => {
    const message = spellingProblem(resource);
    if (message !== undefined) context.addIssue({ code: 'custom', path: ['id'], message });
  });

/** The URI of a resource of a server stands in its one spelling, or no request would find the document. */
function spellingProblem({
  server,
  type,
  id,
}: {
  server?: string | undefined;
  type: string;
  id: string;
}): string | undefined {
  if (type !== 'resource' || server === undefined) return undefined;
  const read = readUri(id);
  if ('ambiguous' in read) return `not a URI that means one place: it has ${read.ambiguous}`;
  return read.uri === id ? undefined : `a URI is written in one spelling: ${read.uri}`;
}

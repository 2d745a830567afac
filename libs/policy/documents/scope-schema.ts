import { z } from 'zod';
import { pathPatternProblem } from '../paths/patterns.js';
import { glob, name, operation, resourceGlob, text, withoutProblem } from './members.js';

const allowDeny = <T extends z.ZodType>(item: T) =>
  z
    .strictObject({ allow: z.array(item).max(1000).optional(), deny: z.array(item).max(1000).optional() })
    .refine((lists) => lists.allow !== undefined || lists.deny !== undefined, 'write allow, deny, or both');

const pathPattern = z.string().min(1).max(1024).superRefine(withoutProblem(pathPatternProblem));

/** The clauses of a boundary. An absent clause limits nothing. */
export const clauses = {
  servers: allowDeny(glob).optional(),
  actions: allowDeny(glob).optional(),
  resources: allowDeny(resourceGlob).optional(),
  operations: allowDeny(operation).optional(),
  paths: allowDeny(pathPattern).optional(),
};

/** The boundary of a server, or of a host. */
export const scopeSchema = z
  .strictObject({
    kind: z.literal('Scope'),
    name: name.optional(),
    description: text.optional(),
    server: name.optional(),
    host: name.optional(),
    ...clauses,
  })
  .refine(
    (scope) => (scope.server === undefined) !== (scope.host === undefined),
    'a scope is for one server or for one host: write server or host',
  );

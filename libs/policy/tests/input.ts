import type { PolicySet } from '../compile/policy-set.js';
import { THE_SERVER, type DecisionInput } from '../decide/request.js';
import type { WholeTestRequest } from '../documents/test-request.js';
import type { ToolDocument } from '../documents/schema.js';
import { layer } from '../json.js';
import type { JsonObject } from '../model.js';

/** Stands for a definition that nobody has registered. */
const SOME_DEFINITION = '0'.repeat(64);

/** The moment of a case that names none, in ms since 1970: no result may depend on the day on which tests are run. */
export const TEST_NOW = Date.parse('2026-01-01T12:00:00Z');

/** What an action does in the words of a Scope, as the fronts know it: libs/mcp has the methods. */
export type OperationOf = (action: string) => DecisionInput['operation'];

/** A case's request as a front would understand it, from a caller who may assert all that the case asserts. */
export function inputOf(set: PolicySet, request: WholeTestRequest, operationOf: OperationOf): DecisionInput {
  const { host, server, action, session } = request;
  const resource = resourceOf(request);
  const subject = subjectOf(request.subject);
  const { properties } = subject;
  return {
    subject,
    agent: host,
    action,
    resource,
    server: server === undefined ? null : { name: server },
    arguments: (request.arguments ?? {}) as JsonObject,
    operation: operationOf(action),
    session: session ?? null,
    context: layer(
      { asserted: { subject: properties, resource: resource.properties } },
      (request.context ?? {}) as JsonObject,
    ),
    definition: registeredDefinition(set, request),
    kind: 'ordinary',
  };
}

/** A case is about the rules, so its host has the definition of the tool that is registered, or else some definition. */
const registeredDefinition = (set: PolicySet, { server, tool = '' }: WholeTestRequest): string => {
  const registered = server === undefined ? undefined : set.documents.find('Server', server)?.document.tools;
  const document: ToolDocument | undefined =
    registered && Object.hasOwn(registered, tool) ? registered[tool] : undefined;
  return document?.definition ?? SOME_DEFINITION;
};

/** As a host asserts it, or with what a token of it would say: groups that are left out are not known. */
function subjectOf(subject: WholeTestRequest['subject']): DecisionInput['subject'] {
  const { type, id, assurance = 'asserted', groups, token } = subject;
  const properties = (subject.properties ?? {}) as JsonObject;
  if (assurance === 'asserted') return { type, id, properties, assurance };
  return {
    type,
    id,
    properties,
    assurance,
    groups: groups ? { names: groups, complete: true } : null,
    ...(token ? { token: token as JsonObject } : {}),
  };
}

/** A tool, a resource as it is written, or else the server itself. */
function resourceOf({ tool, resource }: WholeTestRequest): DecisionInput['resource'] {
  if (tool !== undefined) return { type: 'tool', id: tool, properties: {} };
  if (resource === undefined) return { type: 'mcp_server', id: THE_SERVER, properties: {} };
  return { type: resource.type, id: resource.id, properties: (resource.properties ?? {}) as JsonObject };
}

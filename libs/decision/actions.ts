import { methodsOn, operationWord } from '#mcp';
import { MCP_RESOURCE_TYPES, namedActions, type Candidate, type PolicySet } from '#policy';

/**
 * The actions that could be done with resources of a type: MCP's methods for it, and those that policies name without a
 * pattern. In no order; the same one may come twice.
 */
export function* actionsOn(type: string, policies: PolicySet): Iterable<Candidate> {
  const methods = methodsOn(type);
  for (const id of methods) yield { id, server: null };
  for (const candidate of namedActions(policies)) {
    // A method is about resources of its own types and about no others.
    const isMethod = MCP_RESOURCE_TYPES.has(type) && operationWord(candidate.id) !== undefined;
    if (!isMethod || methods.includes(candidate.id.replace(/:result$/, ''))) yield candidate;
  }
}

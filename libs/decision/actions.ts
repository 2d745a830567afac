import { methodsOn, operationWord } from '#mcp';
import { MCP_RESOURCE_TYPES, type Candidate } from '#policy';

/**
 * The actions that could be done with resources of a type: MCP's methods for it, and those of some named ones that are not
 * about other types. In no order; the same one may come twice, and null for what is none.
 */
export function* actionsOn(type: string, named: Iterable<Candidate | null>): Iterable<Candidate | null> {
  const methods = methodsOn(type);
  for (const id of methods) yield { id, server: null };
  for (const candidate of named) {
    // A method is about resources of its own types and about no others.
    const isMethod = candidate && MCP_RESOURCE_TYPES.has(type) && operationWord(candidate.id) !== undefined;
    yield !isMethod || methods.includes(candidate.id.replace(/:result$/, '')) ? candidate : null;
  }
}

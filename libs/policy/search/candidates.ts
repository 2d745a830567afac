import type { PolicySet } from '../compile/policy-set.js';
import type { ServerReference } from '../compile/registry.js';
import { MCP_RESOURCE_TYPES, SERVER_ITSELF } from '../decide/request.js';
import { parsePrincipal } from '../documents/names.js';
import type { ServerDocument } from '../documents/schema.js';

/** Something that a search could find: a subject, a resource or an action, by its id (or name). */
export interface Candidate {
  readonly id: string;
  /** The server that a resource of one of MCP's types belongs to; null for everything else. */
  readonly server: string | null;
}

/**
 * The subjects of a type that are stored, and those that bindings name. In no order; the same one may come twice, and null
 * for what was looked at and is none: so whoever looks through many documents can let others have their turn.
 */
export function* knownSubjects(set: PolicySet, type: string): Iterable<Candidate | null> {
  for (const { document } of set.documents.all('Subject')) {
    yield document.type === type ? { id: document.id, server: null } : null;
  }
  for (const { document } of set.documents.all('Binding')) {
    for (const ref of document.subjects) {
      const id = unstoredSubject(set, type, ref);
      yield id === null ? null : { id, server: null };
    }
  }
}

/** The id of the subject that a name in a document stands for; null if it is none of the type, or one that is stored. */
export function unstoredSubject(set: PolicySet, type: string, ref: string): string | null {
  const principal = parsePrincipal(ref);
  if (principal?.kind !== 'subject' || principal.type !== type) return null;
  // An alias stands for somebody who is stored, and is found by the stored name.
  return set.subject(type, principal.id) ? null : principal.id;
}

/**
 * The resources of a type that are stored; of MCP's types also what the registered servers are or declare. In no order;
 * the same one may come twice, and null for what was looked at and is none.
 * @param only the server that MCP's resources must belong to; null: any
 */
export function* knownResources(
  set: PolicySet,
  type: string,
  only: ServerReference | null,
): Iterable<Candidate | null> {
  const ofMcp = MCP_RESOURCE_TYPES.has(type);
  const belongs = ofMcp ? belongingTo(set, only) : () => true;
  for (const { document } of set.documents.all('Resource')) {
    const isOne = document.type === type && (document.server !== undefined) === ofMcp && belongs(document.server);
    yield isOne ? { id: document.id, server: document.server ?? null } : null;
  }
  if (type !== 'tool' && !SERVER_ITSELF.has(type)) return;
  for (const { document } of set.documents.all('Server')) {
    if (belongs(document.name)) yield* resourcesOf(document, type);
    else yield null;
  }
}

function belongingTo(set: PolicySet, only: ServerReference | null): (server: string | undefined) => boolean {
  if (only === null) return () => true;
  const name = set.server(only)?.name;
  return (server) => name !== undefined && server === name;
}

function* resourcesOf({ name, tools }: ServerDocument, type: string): Iterable<Candidate> {
  if (type !== 'tool') yield { id: name, server: name };
  else for (const tool of Object.keys(tools ?? {})) yield { id: tool, server: name };
}

/** The actions that policies name literally. In no order; the same one may come twice, and null for a pattern. */
export function* namedActions(set: PolicySet): Iterable<Candidate | null> {
  for (const { target } of set.rules()) {
    for (const { exact } of target.actions) yield exact === undefined ? null : { id: exact, server: null };
  }
}

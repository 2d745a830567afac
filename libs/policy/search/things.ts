import type { PolicySet } from '../compile/policy-set.js';
import { SERVER_ITSELF } from '../decide/request.js';
import type { ServerDocument } from '../documents/schema.js';
import { unstoredSubject } from './candidates.js';

/** Something that could be used: a resource, and the server that it belongs to, if it is of one of MCP's types. */
export interface Thing {
  readonly server: string | null;
  readonly type: string;
  readonly id: string;
}

/**
 * Everything that the documents know by name: the servers themselves, what they can ask of clients, the tools that they
 * declare, and the stored resources. In no order; the same one may come twice, and null for what is none.
 * @param only the server that it must belong to; null: any, and none
 */
export function* knownThings(set: PolicySet, only: string | null): Iterable<Thing | null> {
  for (const { document } of set.documents.all('Server')) {
    if (only === null || document.name === only) yield* thingsOf(document);
    else yield null;
  }
  for (const { document } of set.documents.all('Resource')) {
    const { server = null, type, id } = document;
    yield only === null || server === only ? { server, type, id } : null;
  }
}

/** The forms in which a server can ask a person for something (MCP, elicitation/create). */
const ELICITATION_MODES = ['form', 'url'];

function* thingsOf({ name: server, tools }: ServerDocument): Iterable<Thing> {
  for (const type of SERVER_ITSELF) yield { server, type, id: server };
  for (const id of ELICITATION_MODES) yield { server, type: 'elicitation', id };
  for (const id of Object.keys(tools ?? {})) yield { server, type: 'tool', id };
}

/** The subjects of a type that rules name themselves. In no order; the same one may come twice, and null for what is none. */
export function* subjectsOfRules(set: PolicySet, type: string): Iterable<string | null> {
  for (const { document } of set.documents.all('Policy')) {
    for (const { to } of document.rules) {
      for (const ref of to) yield unstoredSubject(set, type, ref);
    }
  }
}

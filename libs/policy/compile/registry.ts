import { identitiesOf } from '../documents/identities.js';
import { subjectKey } from '../documents/names.js';
import type {
  AnyDocument,
  ResourceDocument,
  ServerDocument,
  SubjectDocument,
  ToolDocument,
} from '../documents/schema.js';
import { serverIdentities, type ServerIdentity } from '../documents/server-identity.js';
import type { DocumentSet } from '../documents/set.js';
import { tableOver, type Table } from '../layers.js';
import { readUri } from '../paths/uris.js';
import { registeredTool, type RegisteredTool } from './registered-tool.js';

/** A server as a host may name it. Every member that is given must lead to the same registered server. */
export interface ServerReference extends ServerIdentity {
  readonly name?: string | undefined;
}

/** Subjects, servers, resources and tools that are registered, by each of their names. */
export class Registry {
  readonly #subjects: Table<string, SubjectDocument>;
  readonly #serversByIdentity: Table<string, ServerDocument>;
  readonly #resources: Table<string, ResourceDocument>;
  readonly #tools: WeakMap<ToolDocument, RegisteredTool>;

  /** @param base those that these are a layer over; left out: none */
  constructor(base?: Registry) {
    this.#subjects = tableOver(base && base.#subjects);
    this.#serversByIdentity = tableOver(base && base.#serversByIdentity);
    this.#resources = tableOver(base && base.#resources);
    this.#tools = base ? base.#tools : new WeakMap<ToolDocument, RegisteredTool>();
  }

  replaceSubject(before: SubjectDocument | undefined, after: SubjectDocument | undefined): void {
    replaceEntries(this.#subjects, identitiesOf, before, after);
  }

  replaceServer(before: ServerDocument | undefined, after: ServerDocument | undefined): void {
    replaceEntries(this.#serversByIdentity, identitiesOf, before, after);
  }

  replaceResource(before: ResourceDocument | undefined, after: ResourceDocument | undefined): void {
    replaceEntries(this.#resources, resourceKeys, before, after);
  }

  /** The stored subject that a type and id, or an alias, stands for. */
  subject(type: string, id: string): SubjectDocument | undefined {
    return this.#subjects.get(subjectKey(type, id));
  }

  /** The registered server that every part of a reference leads to; undefined if there is none, or if they disagree. */
  server(documents: DocumentSet, reference: ServerReference): ServerDocument | undefined {
    const found: (ServerDocument | undefined)[] = [];
    if (reference.name !== undefined) found.push(documents.find('Server', reference.name)?.document);
    for (const identity of serverIdentities(reference)) found.push(this.#serversByIdentity.get(identity));
    return found.length > 0 && found.every((server) => server === found[0]) ? found[0] : undefined;
  }

  /** A tool of a server's document, if it is declared there. */
  tool({ tools }: ServerDocument, name: string): RegisteredTool | undefined {
    if (!tools || !Object.hasOwn(tools, name)) return undefined;
    const document = tools[name]!;
    let tool = this.#tools.get(document);
    if (!tool) this.#tools.set(document, (tool = registeredTool(document)));
    return tool;
  }

  /** The stored resource of a server, or (null) of none. */
  resource(server: string | null, type: string, id: string): ResourceDocument | undefined {
    return this.#resources.get(`${server ?? ''}/${type}:${id}`);
  }
}

/** Moves a document's keys. A key that another document has taken over in the same change stays with that one. */
function replaceEntries<T extends AnyDocument>(
  map: Table<string, T>,
  keysOf: (document: T) => readonly string[],
  before: T | undefined,
  after: T | undefined,
): void {
  for (const key of before ? keysOf(before) : []) if (map.get(key) === before) map.delete(key);
  for (const key of after ? keysOf(after) : []) map.set(key, after!);
}

/** A resource by server, type and id; where ids are URIs, by their one spelling, as requests name them. */
function resourceKeys({ server, type, id }: ResourceDocument): readonly string[] {
  const read = type === 'resource' && server !== undefined ? readUri(id) : undefined;
  return [`${server ?? ''}/${type}:${read && 'uri' in read ? read.uri : id}`];
}

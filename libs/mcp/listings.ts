import { isJsonObject, own, type Json, type JsonObject } from '#policy';
import { MappingError, operationWord, type Operation } from './operations.js';

/** One entry of a list, and the operation by which it would be used. */
export interface ListedItem {
  /** The name or URI by which the list knows it. */
  readonly name: string;
  readonly action: string;
  /** `id` null: a template stands for many resources. */
  readonly resource: { readonly type: string; readonly id: string | null };
  readonly operation: Operation['operation'];
}

interface ListKind {
  /** The member of the result that holds the entries, and the member of an entry that names it. */
  readonly entries: string;
  readonly name: string;
  readonly action: string;
  readonly type: string;
  readonly template?: true;
}

const LISTS: Readonly<Record<string, ListKind | undefined>> = {
  'tools/list': { entries: 'tools', name: 'name', action: 'tools/call', type: 'tool' },
  'resources/list': {
    entries: 'resources',
    name: 'uri',
    action: 'resources/read',
    type: 'resource',
  },
  'resources/templates/list': {
    entries: 'resourceTemplates',
    name: 'uriTemplate',
    action: 'resources/read',
    type: 'resource',
    template: true,
  },
  'prompts/list': { entries: 'prompts', name: 'name', action: 'prompts/get', type: 'prompt' },
};

/** The entries of the result of a list operation. Throws MappingError for what is no such result. */
export function listedItems(method: string, result: JsonObject): ListedItem[] {
  const list = Object.hasOwn(LISTS, method) ? LISTS[method] : undefined;
  if (!list) throw new MappingError(`there is nothing to filter in a result of '${method}'`);
  const entries = own(result, list.entries);
  if (!Array.isArray(entries)) throw new MappingError(`result.${list.entries} must be a list`);
  return (entries as readonly Json[]).map((entry, index) => {
    const name = isJsonObject(entry) ? own(entry, list.name) : undefined;
    if (typeof name !== 'string')
      throw new MappingError(`result.${list.entries}[${index}].${list.name} must be a text`);
    return {
      name,
      action: list.action,
      resource: { type: list.type, id: list.template ? null : name },
      operation: operationWord(list.action) ?? null,
    };
  });
}

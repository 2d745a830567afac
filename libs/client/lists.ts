import { denied, type Denied } from './decision.js';
import { invalid, listOf } from './answer.js';
import type { Reply } from './exchange.js';
import { isJsonObject, own, type Json, type JsonObject } from './json.js';
import type { ListMethod } from './request.js';

/** What Placet says of the entries of a list. Advisory: a use is decided when it happens. */
export type Listing = Listed | Unlisted;

export interface Listed {
  /** One for each entry of the result, in its order. */
  readonly items: readonly ListedItem[];
  readonly evaluationId: string;
  readonly revision: number;
}

/** Placet could not be asked, or what it said does not fit the result: then nothing is shown. */
export interface Unlisted {
  readonly items: readonly [];
  readonly failure: Denied;
}

export interface ListedItem {
  /** The name or URI of the entry. */
  readonly name: string;
  /** The most that a use of it could come to. */
  readonly effect: 'allow' | 'deny' | 'ask';
  /** Whether that hangs on the arguments. */
  readonly conditional: boolean;
}

/** Where a result has its entries, and what names each. */
export const LISTS: Readonly<Record<ListMethod, { readonly entries: string; readonly name: string }>> = {
  'tools/list': { entries: 'tools', name: 'name' },
  'resources/list': { entries: 'resources', name: 'uri' },
  'resources/templates/list': { entries: 'resourceTemplates', name: 'uriTemplate' },
  'prompts/list': { entries: 'prompts', name: 'name' },
};

/** A reply of `/mcp/v1/listings`, which must speak of exactly the entries of the result. */
export function readListing(reply: Reply, method: ListMethod, result: JsonObject): Listing {
  if ('failure' in reply) return { items: [], failure: denied(reply.failure.code, reply.failure.message) };
  const { body } = reply;
  const items = isJsonObject(body) ? listOf(own(body, 'items'), itemOf) : undefined;
  const [evaluationId, revision] = isJsonObject(body) ? [own(body, 'evaluation_id'), own(body, 'revision')] : [];
  const names = namesOf(method, result);
  const fits = items && names && items.length === names.length && items.every(({ name }, at) => name === names[at]);
  if (!fits || typeof evaluationId !== 'string' || typeof revision !== 'number') {
    return { items: [], failure: invalid('it does not fit the list') };
  }
  return { items, evaluationId, revision };
}

function namesOf(method: ListMethod, result: JsonObject): readonly string[] | undefined {
  const { entries, name } = LISTS[method];
  return listOf(own(result, entries), (entry) => {
    const named = isJsonObject(entry) ? own(entry, name) : undefined;
    return typeof named === 'string' ? named : undefined;
  });
}

function itemOf(value: Json): ListedItem | undefined {
  if (!isJsonObject(value)) return undefined;
  const [name, effect, conditional] = [own(value, 'name'), own(value, 'effect'), own(value, 'conditional')];
  if (typeof name !== 'string' || typeof conditional !== 'boolean') return undefined;
  return effect === 'allow' || effect === 'deny' || effect === 'ask' ? { name, effect, conditional } : undefined;
}

import type { Bindings } from '../cel/condition.js';
import { placeText, valueAt, type Place } from '../cel/places.js';
import { CelOpenMap, CelSeenList, Fault, toJson, typeOf, type CelMap, type CelType } from '../cel/values.js';
import type { Json } from '../model.js';

/** What a condition saw at a place, without the value: its type and how large it is. */
export interface MaskedValue {
  readonly attribute: string;
  readonly type: Exclude<CelType, 'partial'> | 'missing';
  /** Characters of a text, elements of a list, members of a map. */
  readonly size?: number;
  /** Only of what every record has in clear. */
  readonly value?: Json;
}

/** Names, by which the record says in clear what was asked. Everything else could be personal, or secret. */
const SHOWN: ReadonlySet<string> = new Set([
  'subject.type',
  'agent.id',
  'action.name',
  'resource.type',
  'resource.id',
  'server.id',
  'tool.name',
  'tool.operation',
  'tool.registered',
  'now',
]);

/** Longer names than this are not shown either. */
const MAX_SHOWN = 256;

export function masked(variables: Bindings, place: Place): MaskedValue {
  const attribute = placeText(place);
  const value = valueAt(variables, place);
  if (value instanceof Fault) return { attribute, type: 'missing' };
  // How many there are of what is not known in full says nothing.
  if (value instanceof CelSeenList) return { attribute, type: 'list' };
  if (value instanceof CelOpenMap) return { attribute, type: 'map' };
  const type = typeOf(value) as Exclude<CelType, 'partial'>;
  if (SHOWN.has(attribute)) {
    const shown = toJson(value);
    if (typeof shown !== 'string' || shown.length <= MAX_SHOWN) return { attribute, type, value: shown };
  }
  if (typeof value === 'string') return { attribute, type, size: value.length };
  if (Array.isArray(value)) return { attribute, type, size: value.length };
  return type === 'map' ? { attribute, type, size: Object.keys(value as CelMap).length } : { attribute, type };
}

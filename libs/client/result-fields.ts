import type { Obligation } from './decision.js';
import { isJsonObject, own, type Json, type JsonObject } from './json.js';
import type { ObligationHandler, ObligationHandlers } from './obligations.js';
import { onlyAt, placeOf, withoutAt, type Place } from './places.js';

/** What stands where something was masked. */
const MASK = '***';

/** What stands for content of which nobody can tell what it holds. */
const LEFT_OUT = '[left out: the policy covers only some fields of this result, and here they cannot be told apart]';

/** By the type of the obligation: which member has the places, and what becomes of a value. */
const LIMITS: Readonly<
  Record<string, { readonly member: string; limit(value: Json, places: readonly Place[]): Json | undefined }>
> = {
  fields: { member: 'keep', limit: (value, places) => onlyAt(value, places) },
  redact: { member: 'fields', limit: (value, places) => withoutAt(value, places) },
  mask: { member: 'fields', limit: (value, places) => withoutAt(value, places, MASK) },
};

/** Whether this obligation limits the result, and how; undefined where its places cannot be read. */
const placesOf = (obligation: Obligation): readonly Place[] | undefined => {
  const patterns = own(obligation, LIMITS[obligation.type]!.member) as readonly Json[] | undefined;
  const isReadable = Array.isArray(patterns) && patterns.every((pattern) => typeof pattern === 'string');
  return isReadable ? patterns.map(placeOf) : undefined;
};

const willBeLimited: ObligationHandler = (obligation) => {
  if (!placesOf(obligation)) throw new Error('its fields cannot be read');
};

/** Handlers for a host that passes the result of every allowed tool call through `limitedResult`, as the guard does. */
export const RESULT_OBLIGATIONS: ObligationHandlers = Object.fromEntries(
  Object.keys(LIMITS).map((type) => [type, willBeLimited]),
);

/**
 * The result of a tool call as its obligations leave it (`fields`, `redact`, `mask`; others change nothing): in
 * `structuredContent`, and in content that is text and JSON. Other content is replaced by a notice, and every other member
 * left out, as nobody can tell which fields they hold. Throws where an obligation cannot be read.
 */
export function limitedResult(result: JsonObject, obligations: readonly Obligation[]): JsonObject {
  const limits = obligations.filter(({ type }) => Object.hasOwn(LIMITS, type)).map(limitOf);
  if (limits.length === 0) return result;
  const limited = (value: Json): Json => limits.reduce((left, limit) => limit(left), value);
  const [content, structured, isError] = ['content', 'structuredContent', 'isError'].map((name) => own(result, name));
  return {
    content: Array.isArray(content) ? (content as readonly Json[]).map((item) => limitedContent(item, limited)) : [],
    ...(isJsonObject(structured) ? { structuredContent: limited(structured) } : {}),
    ...(typeof isError === 'boolean' ? { isError } : {}),
  };
}

function limitOf(obligation: Obligation): (value: Json) => Json {
  const places = placesOf(obligation);
  if (!places) throw new Error(`the fields of the obligation '${obligation.type}' cannot be read`);
  return (value) => LIMITS[obligation.type]!.limit(value, places) ?? (Array.isArray(value) ? [] : {});
}

function limitedContent(item: Json, limited: (value: Json) => Json): Json {
  const text = isJsonObject(item) && own(item, 'type') === 'text' ? own(item, 'text') : undefined;
  return { type: 'text', text: (typeof text === 'string' ? limitedText(text, limited) : undefined) ?? LEFT_OUT };
}

/** JSON with fields in it, or at least with elements, limited. A bare text or number could be any field: undefined. */
function limitedText(text: string, limited: (value: Json) => Json): string | undefined {
  try {
    const value = JSON.parse(text) as Json;
    return typeof value === 'object' && value !== null ? JSON.stringify(limited(value)) : undefined;
  } catch {
    return undefined;
  }
}

import { isJsonObject, type Json, type JsonObject } from '#policy';

/**
 * Conditions that together are true of an object alone: of the same members with the same values, and no others. Undefined
 * where the language of conditions (docs/policy.md) cannot say so.
 * @param place where it is, as in `arguments`
 */
export function equalTo(place: string, value: JsonObject): readonly string[] | undefined {
  const members = Object.entries(value);
  return all([
    [`${place}.size() == ${members.length}`],
    ...members.map(([name, member]) => valueIs(`${place}[${JSON.stringify(name)}]`, member)),
  ]);
}

function valueIs(place: string, value: Json): readonly string[] | undefined {
  if (value === null) return [`${place} == null`];
  const literal = literalOf(value);
  if (literal !== undefined) return [`${place} == ${literal}`];
  // A list with something in it that has no literal; of an empty object its type cannot be said.
  if (Array.isArray(value)) {
    return all([
      [`${place}.size() == ${value.length}`],
      ...(value as Json[]).map((each, at) => valueIs(`${place}[${at}]`, each)),
    ]);
  }
  return isJsonObject(value) && Object.keys(value).length > 0 ? equalTo(place, value) : undefined;
}

/** A value as it is written in a condition. Lists compare by their elements; null compares with nothing but itself. */
function literalOf(value: Json): string | undefined {
  if (typeof value === 'number') {
    return Number.isInteger(value) && !Number.isSafeInteger(value) ? undefined : JSON.stringify(value);
  }
  if (Array.isArray(value)) {
    const elements = (value as Json[]).map(literalOf);
    return elements.includes(undefined) ? undefined : `[${elements.join(', ')}]`;
  }
  return typeof value === 'object' ? undefined : JSON.stringify(value);
}

const all = (parts: readonly (readonly string[] | undefined)[]): readonly string[] | undefined =>
  parts.every((part) => part !== undefined) ? parts.flat() : undefined;

import { createHash } from 'node:crypto';
import type { ConsentBlock } from '../documents/schema.js';
import { canonicalJson, digest, isJsonObject, own } from '../json.js';
import type { Json, JsonObject } from '../model.js';

/** Characters of canonical JSON that are hashed in the time of one step of a condition. */
const CHARACTERS_A_STEP = 4;

/** The arguments of one request, to bind agreements to them. Each part is read once, however many rules ask about it. */
export class BoundArguments {
  #whole: string | undefined;
  readonly #parts = new Map<string, Json>();
  readonly #projections = new Map<ConsentBlock['bind'], string>();
  /** What the digests have taken so far, in steps of conditions. */
  steps = 0;

  constructor(private readonly given: JsonObject) {}

  /**
   * The digest that an agreement to these arguments has: to all of them, or to those at some dotted places. Which places
   * are bound enters it with their values, so that no projection passes for another.
   */
  digest(bind: ConsentBlock['bind']): string {
    if (bind === 'all') return (this.#whole ??= digest({ all: this.#hashed(this.given) }));
    let projection = this.#projections.get(bind);
    if (projection === undefined) {
      const parts = Object.fromEntries(bind.map((place): [string, Json] => [place, this.#partAt(place)]));
      this.#projections.set(bind, (projection = this.#hashed({ some: parts })));
    }
    return projection;
  }

  #partAt(place: string): Json {
    let part = this.#parts.get(place);
    if (part === undefined) {
      const value = valueAt(this.given, place.split('.'));
      this.#parts.set(place, (part = value === undefined ? [] : [this.#hashed(value)]));
    }
    return part;
  }

  #hashed(value: Json): string {
    const text = canonicalJson(value);
    this.steps += Math.ceil(text.length / CHARACTERS_A_STEP);
    return createHash('sha256').update(text).digest('hex');
  }
}

/**
 * The value at a dotted place; undefined where there is none (null is a value). What lies within a list is bound with the
 * whole of the list: which of its elements was meant cannot be said.
 */
function valueAt(value: Json | undefined, path: readonly string[]): Json | undefined {
  const [name, ...rest] = path;
  if (name === undefined || Array.isArray(value)) return value;
  return isJsonObject(value) ? valueAt(own(value, name), rest) : undefined;
}

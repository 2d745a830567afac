import { exhausted, type Compiled, type Evaluation } from './evaluation.js';
import { undecided } from './logic.js';
import { Fault, typeOf, type CelMap, type CelValue, type Result } from './values.js';

/** How a comprehension folds the results of its bodies over the elements. */
type Comprehension = (items: readonly CelValue[], bodies: readonly Compiled[], run: Evaluation) => Result;

/** By their names. */
export const COMPREHENSIONS: Readonly<Record<string, Comprehension | undefined>> = Object.assign(
  Object.create(null) as Record<string, Comprehension>,
  {
    all: quantifier(false),
    exists: quantifier(true),
    exists_one: (items, bodies, run) => {
      const kept = keep(items, bodies[0]!, run);
      return kept instanceof Fault ? kept : kept.length === 1;
    },
    filter: (items, bodies, run) => keep(items, bodies[0]!, run),
    map: (items, bodies, run) => {
      const kept = bodies.length === 2 ? keep(items, bodies[0]!, run) : items;
      return kept instanceof Fault ? kept : transform(kept, bodies.at(-1)!, run);
    },
  } satisfies Record<string, Comprehension>,
);

/** `list.all(x, body)` and the like; over a map, its names are the elements. */
export function comprehend(range: Compiled, bodies: readonly Compiled[], fold: Comprehension): Compiled {
  return (run) => {
    if (exhausted(run)) return Fault.ABORT;
    const value = range(run);
    if (value instanceof Fault) return value;
    if (Array.isArray(value)) return fold(value as readonly CelValue[], bodies, run);
    return typeOf(value) === 'map' ? fold(Object.keys(value as CelMap), bodies, run) : Fault.WRONG_TYPE;
  };
}

/** `all` (decisive: false) and `exists` (decisive: true): `&&` and `||` over the elements. */
function quantifier(decisive: boolean): Comprehension {
  return (items, [body], run) => {
    let result: Result = !decisive;
    for (const item of items) {
      const value = bodyAt(body!, item, run);
      if (value === decisive || value === Fault.ABORT) return value;
      if (value !== !decisive) result = undecided(result, value, !decisive);
    }
    return result;
  };
}

function keep(items: readonly CelValue[], body: Compiled, run: Evaluation): CelValue[] | Fault {
  const kept: CelValue[] = [];
  for (const item of items) {
    const value = bodyAt(body, item, run);
    if (value instanceof Fault) return value;
    if (typeof value !== 'boolean') return Fault.WRONG_TYPE;
    if (value) kept.push(item);
  }
  return kept;
}

function transform(items: readonly CelValue[], body: Compiled, run: Evaluation): CelValue[] | Fault {
  const results: CelValue[] = [];
  for (const item of items) {
    const value = bodyAt(body, item, run);
    if (value instanceof Fault) return value;
    results.push(value);
  }
  return results;
}

function bodyAt(body: Compiled, item: CelValue, run: Evaluation): Result {
  if (exhausted(run)) return Fault.ABORT;
  run.item = item;
  return body(run);
}

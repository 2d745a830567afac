import { own } from '../json.js';
import type { Json, JsonObject } from '../model.js';
import type { Formula, Operand } from '../residual/formula.js';

/** A resource as a host would name it. */
export interface Row {
  readonly id: string;
  readonly properties: JsonObject;
}

/** Whether a row passes a filter, read straight from docs/filter.md. The judge of what is written as SQL and as CEL. */
export function referenceFilter(filter: Formula, row: Row): boolean {
  if (filter.op === 'true' || filter.op === 'false') return filter.op === 'true';
  if ('of' in filter) {
    const passes = (part: Formula) => referenceFilter(part, row);
    return filter.op === 'and' ? filter.of.every(passes) : filter.of.some(passes);
  }
  if (!('left' in filter)) return false;
  const left = valueOf(filter.left, row);
  if (filter.op === 'present' || filter.op === 'absent') return (left !== undefined) === (filter.op === 'present');
  if (left === undefined) return false;
  if (filter.op === 'is_null' || filter.op === 'not_null') return (left === null) === (filter.op === 'is_null');
  if ('pattern' in filter) {
    return typeof left === 'string' && like(filter.pattern, left) === (filter.op === 'glob');
  }
  if ('values' in filter) {
    const each = filter.values.map((value) => equal(left, value));
    if (filter.op === 'in') return each.includes(true);
    return each.every((one) => one === false);
  }
  if (!('right' in filter)) return false;
  const right = valueOf(filter.right, row);
  if (right === undefined) return false;
  switch (filter.op) {
    case 'eq':
      return equal(left, right) === true;
    case 'ne':
      return equal(left, right) === false;
    case 'lt':
      return holds(order(left, right), (by) => by < 0);
    case 'le':
      return holds(order(left, right), (by) => by <= 0);
    case 'gt':
      return holds(order(left, right), (by) => by > 0);
    case 'ge':
      return holds(order(left, right), (by) => by >= 0);
    case 'includes':
    case 'excludes':
      return element(left, right) === (filter.op === 'includes');
    default:
      return (
        texts(left, right) &&
        textTest(filter.op.replace('not_', ''), left as string, right as string) !== filter.op.startsWith('not_')
      );
  }
}

function valueOf(operand: Operand, { id, properties }: Row): Json | undefined {
  if ('value' in operand) return operand.value;
  return 'id' in operand ? id : own(properties, operand.attribute);
}

const holds = (by: number | undefined, test: (by: number) => boolean): boolean => by !== undefined && test(by);

const texts = (left: Json, right: Json): boolean => typeof left === 'string' && typeof right === 'string';

/** Undefined where the two cannot be compared. Lists and objects by what is in them: one difference is enough. */
function equal(left: Json, right: Json): boolean | undefined {
  if (left === null || right === null) return undefined;
  if (typeof left !== 'object' || typeof right !== 'object') {
    return typeof left === typeof right ? left === right : undefined;
  }
  if (Array.isArray(left) !== Array.isArray(right)) return undefined;
  const [one, other] = [left as JsonObject, right as JsonObject];
  const keys = Object.keys(one);
  if (keys.length !== Object.keys(other).length || !keys.every((key) => Object.hasOwn(other, key))) return false;
  const each = keys.map((key) => equal(one[key]!, other[key]!));
  return each.includes(false) ? false : each.includes(undefined) ? undefined : true;
}

function order(left: Json, right: Json): number | undefined {
  if (typeof left === 'string' && typeof right === 'string') {
    const [a, b] = [[...left], [...right]].map((text) => text.map((sign) => sign.codePointAt(0)!)) as [
      number[],
      number[],
    ];
    const at = a.findIndex((sign, index) => sign !== b[index]);
    if (at < 0) return a.length - b.length;
    return b[at] === undefined ? 1 : a[at]! - b[at];
  }
  const isNumeric = typeof left === 'number' || typeof left === 'boolean';
  return isNumeric && typeof left === typeof right ? Number(left) - Number(right) : undefined;
}

/** Whether a list has an element or an object a member; undefined where that cannot be said. */
function element(list: Json, wanted: Json): boolean | undefined {
  if (typeof list !== 'object' || list === null) return undefined;
  if (!Array.isArray(list)) return typeof wanted === 'string' ? Object.hasOwn(list, wanted) : undefined;
  const each = (list as Json[]).map((item) => equal(item, wanted));
  return each.includes(true) ? true : each.includes(undefined) ? undefined : false;
}

function textTest(test: string, text: string, part: string): boolean {
  if (test === 'starts_with') return text.startsWith(part);
  return test === 'ends_with' ? text.endsWith(part) : text.includes(part);
}

/** A pattern, sign by sign. */
function like(pattern: string, text: string): boolean {
  if (pattern === '') return text === '';
  if (pattern[0] === '*') return like(pattern.slice(1), text) || (text !== '' && like(pattern, text.slice(1)));
  const isEscape = pattern[0] === '\\' && (pattern[1] === '*' || pattern[1] === '\\');
  const sign = isEscape ? pattern[1] : pattern[0];
  return text !== '' && text[0] === sign && like(pattern.slice(isEscape ? 2 : 1), text.slice(1));
}

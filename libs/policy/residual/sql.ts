import { literalParts } from '../paths/glob.js';
import { SQL_NAME, type Column, type Columns } from './columns.js';
import type { Comparison, Constant, Formula, ListTest, Operand, Predicate, TextTest } from './formula.js';
import { Inexpressible } from './rows.js';

/** A value as a driver binds it. */
type Parameter = Constant | readonly Constant[];

/** A condition for a WHERE clause of PostgreSQL, and the values of its parameters in order. */
export interface SqlCondition {
  readonly where: string;
  readonly params: readonly Parameter[];
}

/**
 * Writes a formula over some columns. Values stand in parameters only, and names only in quotes. Throws Inexpressible for
 * a text that no database can hold.
 *
 * INVARIANT: no part is ever NULL, so that the whole may stand under NOT. That is why each column is asked for NULL first,
 * and why nothing is wrapped in coalesce(), which indexes could not serve.
 * @param first the number of the first parameter
 */
export function sqlOf(formula: Formula, columns: Columns, first: number): SqlCondition {
  const writer = new Writer(columns, first);
  return { where: writer.write(formula), params: writer.params };
}

/** Beyond these a JSON number is no int, and what a column has there cannot be told to the service as a number. */
const SAFE = 'BETWEEN -9007199254740991 AND 9007199254740991';
/** NaN counts as greater than all, so that this leaves it out with the infinities. */
const FINITE = "BETWEEN '-1.7976931348623157e308'::float8 AND '1.7976931348623157e308'::float8";

const OPERATORS: Readonly<Record<Comparison, string>> = { eq: '=', ne: '<>', lt: '<', le: '<=', gt: '>', ge: '>=' };

const CANONICAL_UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

type Field = Exclude<Operand, { readonly value: unknown }>;

class Writer {
  readonly params: Parameter[] = [];
  readonly #numbers = new Map<string, number>();

  constructor(
    private readonly columns: Columns,
    private readonly first: number,
  ) {}

  write(formula: Formula): string {
    switch (formula.op) {
      case 'true':
      case 'false':
        return formula.op.toUpperCase();
      case 'and':
      case 'or':
        return `(${formula.of.map((part) => this.write(part)).join(formula.op === 'and' ? ' AND ' : ' OR ')})`;
      case 'present':
        return `${this.#name(formula.left)} IS NOT NULL`;
      case 'absent':
        return `${this.#name(formula.left)} IS NULL`;
      default:
        return `(${[...this.#there(formula), ...this.#tests(formula)].join(' AND ')})`;
    }
  }

  /** That every column which a predicate reads has a value. */
  #there(predicate: Predicate): string[] {
    const operands = 'right' in predicate ? [predicate.left, predicate.right] : [predicate.left];
    const names = operands.filter((operand) => isField(operand)).map((operand) => this.#name(operand));
    return [...new Set(names)].map((name) => `${name} IS NOT NULL`);
  }

  #tests(predicate: Predicate): readonly string[] {
    switch (predicate.op) {
      case 'eq':
      case 'ne':
      case 'lt':
      case 'le':
      case 'gt':
      case 'ge':
        return this.#comparison(predicate.op, predicate.left, predicate.right);
      case 'in':
      case 'not_in':
        return this.#membership(predicate.op === 'in', predicate.left as Field, predicate.values);
      case 'includes':
      case 'excludes':
        return this.#listTest(predicate.op, predicate.left, predicate.right);
      case 'glob':
      case 'not_glob': {
        const like = predicate.op === 'glob' ? 'LIKE' : 'NOT LIKE';
        return [`${this.#text(predicate.left)} ${like} ${this.#bind(likePattern(predicate.pattern), 'text')}`];
      }
      case 'is_null':
      case 'not_null':
      case 'present':
      case 'absent':
        throw new Error('unreachable: no column has a null, and presence has no test');
      default:
        return [this.#textTest(predicate.op, predicate.left, predicate.right)];
    }
  }

  #comparison(op: Comparison, left: Operand, right: Operand): readonly string[] {
    const types = [left, right].flatMap((operand) => (isField(operand) ? this.#columnOf(operand).type : []));
    const operator = OPERATORS[op];
    if (types[0] === 'text' || types[0] === 'uuid') {
      const index = op === 'eq' && !isField(right) ? this.#byIndex(left as Field, [right.value as string]) : [];
      return [...index, `${this.#text(left)} ${operator} ${this.#text(right)}`];
    }
    if (types[0] === 'boolean') {
      return [`${this.#plain(left, 'boolean')} ${operator} ${this.#plain(right, 'boolean')}`];
    }
    const constants = [left, right].flatMap((operand) => (isField(operand) ? [] : [operand.value]));
    const isWhole = types.every((type) => type === 'integer') && constants.every(Number.isSafeInteger);
    const cast = isWhole ? 'bigint' : 'double precision';
    // What equals a safe integer is one.
    const isSafe = isWhole && op === 'eq' && constants.length > 0;
    const ranges = isSafe ? [] : [left, right].flatMap((operand) => (isField(operand) ? this.#inRange(operand) : []));
    return [...ranges, `${this.#plain(left, cast)} ${operator} ${this.#plain(right, cast)}`];
  }

  #membership(wanted: boolean, field: Field, values: readonly Constant[]): readonly string[] {
    const { type } = this.#columnOf(field);
    const any = wanted ? '= ANY' : '<> ALL';
    if (type === 'text' || type === 'uuid') {
      const index = wanted ? this.#byIndex(field, values as readonly string[]) : [];
      return [...index, `${this.#text(field)} ${any} (${this.#bind(values, 'text[]')})`];
    }
    if (type === 'boolean') return [`${this.#plain(field, 'boolean')} ${any} (${this.#bind(values, 'boolean[]')})`];
    const isWhole = type === 'integer' && values.every(Number.isSafeInteger);
    const cast = isWhole ? 'bigint' : 'double precision';
    const range = isWhole && wanted ? [] : this.#inRange(field);
    return [...range, `${this.#plain(field, cast)} ${any} (${this.#bind(values, `${cast}[]`)})`];
  }

  /**
   * A comparison that an index over the column can serve. It lets at least all through that are equal byte by byte, which
   * stands beside it: under some collations more is equal than that.
   */
  #byIndex(field: Field, values: readonly string[]): string[] {
    const isUuid = this.#columnOf(field).type === 'uuid';
    if (isUuid && !values.every((value) => CANONICAL_UUID.test(value))) return [];
    const cast = isUuid ? '::uuid' : '';
    if (values.length === 1) return [`${this.#name(field)} = ${this.#bind(values[0]!, 'text')}${cast}`];
    return [`${this.#name(field)} = ANY (${this.#bind(values, 'text[]')}${cast && `${cast}[]`})`];
  }

  #textTest(op: TextTest, left: Operand, right: Operand): string {
    const [text, part] = [this.#text(left), this.#text(right)];
    const test = op.replace('not_', '') as 'starts_with' | 'ends_with' | 'contains';
    const is = {
      starts_with: `starts_with(${text}, ${part})`,
      ends_with: `right(${text}, char_length(${part})) = ${part}`,
      contains: `strpos(${text}, ${part}) > 0`,
    }[test];
    return test === op ? is : `NOT (${is})`;
  }

  /** An element that is NULL is like a null in a list: equal to nothing, and no answer where nothing else decides. */
  #listTest(op: ListTest, list: Operand, element: Operand): readonly string[] {
    const name = this.#name(list);
    const test = `${this.#text(element)} ${op === 'includes' ? '= ANY' : '<> ALL'} (${name})`;
    return [`coalesce(array_ndims(${name}), 1) = 1`, `(${test}) IS TRUE`];
  }

  /** A number that a condition can read. */
  #inRange(field: Field): string[] {
    const { type } = this.#columnOf(field);
    return [`${this.#name(field)} ${type === 'integer' ? SAFE : FINITE}`];
  }

  /** A text by its bytes: no collation of the column's, and no type of its own way to compare, plays a part. */
  #text(operand: Operand): string {
    if (!isField(operand)) return this.#bind(operand.value, 'text');
    return `${this.#name(operand)}::text COLLATE "C"`;
  }

  #plain(operand: Operand, cast: string): string {
    if (!isField(operand)) return this.#bind(operand.value, cast);
    return cast === 'double precision' && this.#columnOf(operand).type === 'integer'
      ? `${this.#name(operand)}::double precision`
      : this.#name(operand);
  }

  #columnOf(field: Operand): Column {
    const column = 'attribute' in field ? this.columns.properties.get(field.attribute) : this.columns.id;
    if (!column) throw new Error('unreachable: what has no column is not in the formula');
    return column;
  }

  #name(field: Operand): string {
    const { table } = this.columns;
    return [...(table === null ? [] : [table]), this.#columnOf(field).column].map(quoted).join('.');
  }

  #bind(value: Parameter, type: string): string {
    for (const each of typeof value === 'object' ? value : [value]) checkStorable(each);
    const key = `${type} ${JSON.stringify(value)}`;
    let number = this.#numbers.get(key);
    if (number === undefined) {
      number = this.first + this.params.length;
      this.params.push(value);
      this.#numbers.set(key, number);
    }
    return `$${number}::${type}`;
  }
}

const isField = (operand: Operand): operand is Field => !('value' in operand);

/** Throws for what is no plain name. The wire has refused that before; a name is never a way into a statement. */
function quoted(name: string): string {
  if (!SQL_NAME.test(name)) throw new Error('unreachable: the name was checked');
  return `"${name}"`;
}

function checkStorable(value: Constant): void {
  if (typeof value !== 'string' || (value.isWellFormed() && !value.includes('\0'))) return;
  throw new Inexpressible('it compares with a text that a database cannot hold');
}

/** A pattern of ours as one of LIKE, where a backslash takes the next sign literally. */
const likePattern = (pattern: string): string =>
  literalParts(pattern)
    .map((literal) => literal.replace(/[\\%_]/g, '\\$&'))
    .join('%');

import { Ajv2020, type KeywordCxt, type Options } from 'ajv/dist/2020.js';
import { _ } from 'ajv/dist/compile/codegen/index.js';
import { RE2JS } from 're2js';
import { canonicalJson } from '../json.js';
import type { Json, JsonObject } from '../model.js';

/**
 * Compiles a tool's schema by JSON Schema 2020-12. The result answers whether arguments fit; it never throws, and what
 * takes too many steps does not fit. Formats are annotations, as the standard has them. Nothing is fetched. Throws for a
 * schema that is not valid.
 */
export function compileSchema(schema: JsonObject): (value: Json) => boolean {
  const { validate, meter } = compile(schema);
  return (value) => {
    meter.steps = 0;
    try {
      return validate(value) === true;
    } catch {
      return false;
    }
  };
}

/** Why a schema cannot be used, or undefined. */
export function schemaProblem(schema: JsonObject): string | undefined {
  try {
    const { validate } = compile(schema);
    // A reference that leads back to itself, or doubles at each step, does so with any arguments.
    validate({});
    return undefined;
  } catch (error) {
    const message =
      error instanceof RangeError ? 'it refers to itself without end, or is too large' : (error as Error).message;
    return `not a JSON Schema that can be used: ${message}`;
  }
}

/** Steps that one look at some arguments may take: a fraction of a second's work. Real ones take a few thousand. */
const BUDGET = 2_000_000;

/**
 * Counts what neither the schema's size nor that of the arguments bounds: references, because a schema that refers to
 * itself twice in one place takes exponential time, and matches of patterns, which cost text times pattern.
 */
class Meter {
  steps = 0;

  readonly spend = (steps: number): void => {
    this.steps += steps;
    if (this.steps > BUDGET) throw new Error(`checking arguments against it takes more than ${BUDGET} steps`);
  };
}

const OPTIONS: Options = {
  strict: false,
  validateFormats: false,
  logger: false,
  ownProperties: true,
  inlineRefs: false,
};

/** Knows what a schema looks like, and never any schema of a tool. */
const dialect = new Ajv2020(OPTIONS);

/** Keywords that would make the validator look for another dialect, or answer with a promise. */
const UNUSED = ['$schema', '$async'];

function compile(schema: JsonObject): { validate: (value: Json) => unknown; meter: Meter } {
  const plain = Object.fromEntries(Object.entries(schema).filter(([keyword]) => !UNUSED.includes(keyword)));
  if (namesPrototype(plain)) throw new Error('"__proto__" cannot be the name of an argument');
  if (!dialect.validateSchema(plain)) throw new Error(dialect.errorsText(dialect.errors, { dataVar: 'schema' }));
  const meter = new Meter();
  return { validate: newValidator(meter).compile(plain), meter };
}

/** Whether `__proto__` occurs as a name: the validator passes over it, and would check nothing there. */
function namesPrototype(schema: Json): boolean {
  if (typeof schema !== 'object' || schema === null) return false;
  return Object.hasOwn(schema, '__proto__') || Object.values(schema).some(namesPrototype);
}

/** A validator for one schema: what it keeps under the names in one must not be found from another. */
function newValidator({ spend }: Meter): Ajv2020 {
  const linear = (pattern: string) => {
    const expression = RE2JS.compile(pattern);
    const size = expression.programSize();
    return {
      test: (text: string): boolean => {
        spend((text.length * size) >> 4);
        return expression.test(text);
      },
    };
  };
  const validator = new Ajv2020({
    ...OPTIONS,
    meta: false,
    validateSchema: false,
    code: { regExp: Object.assign(linear, { code: 'linear' }) },
  });
  validator.removeKeyword('uniqueItems');
  validator.addKeyword({
    keyword: 'uniqueItems',
    type: 'array',
    schemaType: 'boolean',
    validate: (wanted: boolean, items: readonly Json[]) =>
      !wanted || new Set(items.map(canonicalJson)).size === items.length,
  });
  for (const keyword of ['$ref', '$dynamicRef', '$recursiveRef']) meterKeyword(validator, keyword, spend);
  return validator;
}

/** What a reference costs for itself and for each member of what it looks at, in the measure of a pattern's step. */
const REFERENCE_STEPS = 4;

/** How the validator keeps a keyword that writes code; each validator has its own. */
interface CodeKeyword {
  code(context: KeywordCxt): void;
}

/** Makes a keyword spend its steps before it does its work. */
function meterKeyword(validator: Ajv2020, keyword: string, spend: (steps: number) => void): void {
  const definition = validator.getKeyword(keyword) as unknown as CodeKeyword;
  const code = definition.code.bind(definition);
  const count = (value: Json): void => {
    const members = typeof value === 'object' && value !== null ? Object.keys(value).length : 0;
    spend(REFERENCE_STEPS * (1 + members));
  };
  definition.code = (context) => {
    context.gen.code(_`${context.gen.scopeValue('func', { ref: count })}(${context.data})`);
    code(context);
  };
}

import { parse } from '../cel/language.js';
import { literalParts } from '../paths/glob.js';
import type { Comparison, Constant, Formula, Operand, Predicate } from './formula.js';

/**
 * A formula as a condition over `resource`. It is true of the same rows; of others it is false or in error. Null where it
 * would be longer, or deeper, than a condition may be.
 */
export function celOf(formula: Formula): string | null {
  const text = write(formula);
  return 'tree' in parse(text) ? text : null;
}

const OPERATORS: Readonly<Record<Comparison, string>> = {
  eq: '==',
  ne: '!=',
  lt: '<',
  le: '<=',
  gt: '>',
  ge: '>=',
};

function write(formula: Formula): string {
  if (!('of' in formula || 'left' in formula)) return formula.op;
  if ('of' in formula) return balanced(formula.of.map(write), formula.op === 'and' ? ' && ' : ' || ');
  return predicateText(formula);
}

/** Joined by halves: a chain would be as deep as it is long. */
function balanced(parts: readonly string[], by: string): string {
  if (parts.length === 1) return parts[0]!;
  const half = Math.ceil(parts.length / 2);
  return `(${balanced(parts.slice(0, half), by)}${by}${balanced(parts.slice(half), by)})`;
}

function predicateText(predicate: Predicate): string {
  const { op } = predicate;
  const left = operandText(predicate.left);
  switch (op) {
    case 'eq':
    case 'ne':
    case 'lt':
    case 'le':
    case 'gt':
    case 'ge':
      return `${left} ${OPERATORS[op]} ${operandText(predicate.right)}`;
    case 'in':
      return `${left} in [${predicate.values.map(constantText).join(', ')}]`;
    case 'not_in':
      return `!(${left} in [${predicate.values.map(constantText).join(', ')}])`;
    case 'includes':
      return `${operandText(predicate.right)} in ${left}`;
    case 'excludes':
      return `!(${operandText(predicate.right)} in ${left})`;
    case 'starts_with':
    case 'not_starts_with':
      return `${op === 'starts_with' ? '' : '!'}${left}.startsWith(${operandText(predicate.right)})`;
    case 'ends_with':
    case 'not_ends_with':
      return `${op === 'ends_with' ? '' : '!'}${left}.endsWith(${operandText(predicate.right)})`;
    case 'contains':
    case 'not_contains':
      return `${op === 'contains' ? '' : '!'}${left}.contains(${operandText(predicate.right)})`;
    case 'glob':
    case 'not_glob':
      return `${op === 'glob' ? '' : '!'}${left}.matches(${JSON.stringify(expressionOf(predicate.pattern))})`;
    case 'present':
      return presenceText(predicate.left);
    case 'absent':
      return `!(${presenceText(predicate.left)})`;
    case 'is_null':
      return `${left} == null`;
    case 'not_null':
      return `${left} != null`;
  }
}

/** Names that can stand behind a dot everywhere. Words of the language cannot. */
const PLAIN_NAME =
  /^(?!(?:true|false|null|in|as|break|const|continue|else|for|function|if|import|let|loop|package|namespace|return|var|void|while)$)[A-Za-z_][A-Za-z0-9_]*$/;

function operandText(operand: Operand): string {
  if ('value' in operand) return constantText(operand.value);
  if ('id' in operand) return 'resource.id';
  const { attribute } = operand;
  return PLAIN_NAME.test(attribute)
    ? `resource.properties.${attribute}`
    : `resource.properties[${JSON.stringify(attribute)}]`;
}

function presenceText(operand: Operand): string {
  const attribute = (operand as { attribute: string }).attribute;
  return PLAIN_NAME.test(attribute)
    ? `has(resource.properties.${attribute})`
    : `${JSON.stringify(attribute)} in resource.properties`;
}

/** A number without a point or an exponent would be an int, and those end at 2^53 - 1. */
function constantText(value: Constant): string {
  if (typeof value !== 'number') return JSON.stringify(value);
  const text = String(value);
  return Number.isSafeInteger(value) || /[.e]/.test(text) ? text : `${text}.0`;
}

/** A pattern of ours as an expression of RE2, over the whole text. */
function expressionOf(pattern: string): string {
  return `^(?s:${literalParts(pattern).map(escaped).join('.*')})\\z`;
}

const escaped = (literal: string): string => literal.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&');

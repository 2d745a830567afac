import { Environment, type ASTNode } from '@marcbachmann/cel-js';
import { RE2JS } from 're2js';
import { isJsonObject, own } from '../json.js';
import type { Json, JsonObject } from '../model.js';
import { FUNCTIONS, isTimeZone } from './functions.js';
import { childrenOf } from './nodes.js';

/** What a condition may read, in the order of the slots in which the evaluator finds it. */
export const VARIABLES = [
  'subject',
  'agent',
  'action',
  'resource',
  'server',
  'arguments',
  'tool',
  'session',
  'context',
  'now',
] as const;

export type Variable = (typeof VARIABLES)[number];

/** A mistake in a condition, with the range of characters in its text that it concerns. */
export interface ConditionProblem {
  readonly message: string;
  readonly start: number;
  readonly end: number;
}

/** Longest text of a condition, in characters. */
const MAX_CONDITION_LENGTH = 4096;

const COMPREHENSIONS = new Set(['all', 'exists', 'exists_one', 'map', 'filter']);

/** Type declarations in the notation of cel-js. Where a member may be absent, reading it is an error at run time. */
const base = new Environment({
  enableOptionalTypes: true,
  homogeneousAggregateLiterals: false,
  limits: { maxDepth: 64, maxAstNodes: 2000, maxListElements: 1000 },
})
  .registerVariable('subject', {
    schema: {
      type: 'string',
      id: 'string',
      properties: 'map<string, dyn>',
      groups: 'list<string>',
      assurance: 'string',
      token: 'map<string, dyn>',
    },
  })
  .registerVariable('agent', { schema: { id: 'string', properties: 'map<string, dyn>' } })
  .registerVariable('action', { schema: { name: 'string' } })
  .registerVariable('resource', { schema: { type: 'string', id: 'string', properties: 'map<string, dyn>' } })
  .registerVariable('server', { schema: { id: 'string', properties: 'map<string, dyn>' } })
  .registerVariable('tool', { schema: { name: 'string', registered: 'bool', operation: 'string' } })
  .registerVariable('session', { schema: { id: 'string' } })
  .registerVariable('context', 'map<string, dyn>')
  .registerVariable('now', 'google.protobuf.Timestamp');

const untyped = base.clone().registerVariable('arguments', 'map<string, dyn>');

/**
 * Parses a condition. The tree is for the compiler; it has passed the subset of the language that we evaluate, but not
 * the type check.
 */
export function parse(text: string): { tree: ASTNode } | { problems: ConditionProblem[] } {
  if (text.length > MAX_CONDITION_LENGTH) {
    return { problems: [whole(text, `longer than ${MAX_CONDITION_LENGTH} characters`)] };
  }
  try {
    const tree = untyped.parse(text).ast;
    const problems: ConditionProblem[] = [];
    checkSubset(tree, problems, false);
    return problems.length > 0 ? { problems } : { tree };
  } catch (error) {
    return { problems: [fromLibrary(error, text)] };
  }
}

/** The types of the arguments that a condition names, in the notation of cel-js. */
export type ArgumentTypes = Readonly<Record<string, string>>;

/**
 * Everything that is wrong with a condition: syntax, the subset, unknown variables, and types; with `types`, also what
 * does not fit a tool's arguments. Empty means that it compiles.
 */
export function checkCondition(text: string, types?: ArgumentTypes): ConditionProblem[] {
  const parsed = parse(text);
  if ('problems' in parsed) return parsed.problems;
  const environment = types ? base.clone().registerVariable('arguments', { schema: { ...types } }) : untyped;
  const checked = environment.check(text);
  if (!checked.valid) return [fromLibrary(checked.error, text)];
  if (checked.type !== 'bool' && checked.type !== 'dyn') {
    return [whole(text, `a condition must be true or false, this one is of type ${checked.type}`)];
  }
  return [];
}

/**
 * The types that a tool's JSON Schema gives to the arguments that a condition names (`dyn` where it gives none), or
 * undefined if the condition names none, or reads `arguments` other than by naming members.
 */
export function argumentTypes(text: string, schema: JsonObject): ArgumentTypes | undefined {
  const parsed = parse(text);
  const named = new Set<string>();
  if ('problems' in parsed || !onlyMembersOfArguments(parsed.tree, named) || named.size === 0) return undefined;
  const properties = own(schema, 'properties');
  const types: Record<string, string> = {};
  for (const name of named) types[name] = celTypeOf(isJsonObject(properties) ? own(properties, name) : undefined);
  return types;
}

const whole = (text: string, message: string): ConditionProblem => ({ message, start: 0, end: text.length });

function fromLibrary(error: unknown, text: string): ConditionProblem {
  const { summary, range } = error as { summary?: string; range?: { start: number; end: number } };
  return {
    message: summary ?? (error instanceof Error ? error.message : String(error)),
    start: range?.start ?? 0,
    end: range?.end ?? text.length,
  };
}

/** Refuses what the parser knows and our evaluator does not, so that nothing is found out at run time. */
function checkSubset(node: ASTNode, problems: ConditionProblem[], insideComprehension: boolean): void {
  const refuse = (message: string) => problems.push({ message, start: node.start, end: node.end });
  const visit = (child: ASTNode, inside = insideComprehension) => checkSubset(child, problems, inside);
  switch (node.op) {
    case 'value':
      if (typeof node.args === 'bigint' && !Number.isSafeInteger(Number(node.args))) {
        refuse('an int must lie between -(2^53 - 1) and 2^53 - 1');
      } else if (typeof node.args === 'object' && node.args !== null) {
        refuse('bytes and unsigned ints are not part of the language');
      }
      return;
    case 'id':
      return;
    case '.':
    case '.?':
      return visit(node.args[0]);
    case '[]':
    case '[?]':
    case '||':
    case '&&':
    case '==':
    case '!=':
    case 'in':
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
    case '<':
    case '<=':
    case '>':
    case '>=':
      visit(node.args[0]);
      return visit(node.args[1]);
    case '!_':
    case '-_':
      return visit(node.args);
    case '?:':
      return node.args.forEach((child) => visit(child));
    case 'list':
      return node.args.forEach((child) => visit(child));
    case 'map':
      refuse('map literals are not part of the language');
      return;
    case 'call': {
      const [name, args] = node.args;
      if (name === 'has' && args.length === 1) return visit(args[0]!);
      if (!Object.hasOwn(FUNCTIONS, `${name}/${args.length}`)) refuse(unknownFunction(name, args.length));
      return args.forEach((child) => visit(child));
    }
    case 'rcall': {
      const [name, receiver, args] = node.args;
      visit(receiver);
      if (COMPREHENSIONS.has(name) && args[0]?.op === 'id') {
        if (insideComprehension) refuse(`${name}() may not stand inside another all(), exists(), map() or filter()`);
        if ((VARIABLES as readonly string[]).includes(args[0].args))
          refuse(`'${args[0].args}' is taken: name it otherwise`);
        return args.slice(1).forEach((child) => visit(child, true));
      }
      if (name === 'matches') checkPattern(args[0], refuse);
      else if (!Object.hasOwn(FUNCTIONS, `${name}/${args.length + 1}`)) refuse(unknownFunction(name, args.length));
      if (name.startsWith('get') && args[0]) checkZone(args[0], refuse);
      return args.forEach((child) => visit(child));
    }
  }
}

const unknownFunction = (name: string, count: number) =>
  `there is no function ${name}() with ${count} argument${count === 1 ? '' : 's'}`;

function checkPattern(pattern: ASTNode | undefined, refuse: (message: string) => void): void {
  if (pattern?.op !== 'value' || typeof pattern.args !== 'string') {
    refuse('matches() takes a pattern written as a text literal');
    return;
  }
  try {
    RE2JS.compile(pattern.args);
  } catch (error) {
    refuse(`the pattern is not valid (RE2 syntax): ${(error as Error).message}`);
  }
}

function checkZone(zone: ASTNode, refuse: (message: string) => void): void {
  if (zone.op !== 'value' || typeof zone.args !== 'string' || !isTimeZone(zone.args)) {
    refuse('a time zone is written as a text literal with a name such as "Europe/Berlin"');
  }
}

/** Collects the members of `arguments` that a tree names; false if it reads `arguments` in any other way. */
function onlyMembersOfArguments(node: ASTNode, named: Set<string>): boolean {
  const { op, args } = node;
  if (op === 'id') return args !== 'arguments';
  if (op === '.' || op === '.?') {
    const [target, name] = args;
    if (target.op !== 'id' || target.args !== 'arguments') return onlyMembersOfArguments(target, named);
    named.add(name);
    return true;
  }
  return childrenOf(node).every((child) => onlyMembersOfArguments(child, named));
}

/** The type in the notation of cel-js of what a JSON Schema describes; `dyn` where it leaves a choice. */
function celTypeOf(schema: Json | undefined): string {
  if (!isJsonObject(schema)) return 'dyn';
  switch (own(schema, 'type')) {
    case 'string':
      return 'string';
    case 'integer':
      return 'int';
    case 'boolean':
      return 'bool';
    case 'array':
      return `list<${celTypeOf(own(schema, 'items'))}>`;
    case 'object':
      return 'map<string, dyn>';
    default:
      return 'dyn';
  }
}

import { isAlias, isCollection, isNode, isScalar, visit, type Document, type Node } from 'yaml';
import { losesPrecision } from './numbers.js';

const MAX_DEPTH = 64;
const TOO_DEEP = `nested deeper than ${MAX_DEPTH} levels`;

/** The parser's own words without the place; where it ran out of stack, what that means. */
export function syntaxMessage(message: string): string {
  return message.includes('call stack') ? TOO_DEEP : message.split(/ at line \d+/)[0]!;
}

/** What YAML can say and our documents may not: links between nodes, tags, depth, numbers that do not survive. */
export function structuralProblem(tree: Document.Parsed): { message: string; offset: number } | undefined {
  let found: { message: string; offset: number } | undefined;
  visit(tree, (key, node, ancestors) => {
    const message = nodeProblem(key, node, ancestors);
    if (message === undefined) return undefined;
    found = { message, offset: (node as Node).range?.[0] ?? 0 };
    return visit.BREAK;
  });
  return found;
}

function nodeProblem(key: unknown, node: unknown, ancestors: readonly unknown[]): string | undefined {
  if (!isNode(node)) return undefined;
  if (isCollection(node) && ancestors.filter(isCollection).length >= MAX_DEPTH) return TOO_DEEP;
  if (isAlias(node)) return 'anchors and aliases are not allowed: write the value out';
  if (node.tag !== undefined) return 'tags are not allowed';
  if (key === 'key' && !(isScalar(node) && typeof node.value === 'string')) return 'a key is a text: put it in quotes';
  if (!isScalar(node)) return undefined;
  if (typeof node.value === 'number' && losesPrecision(node.source ?? String(node.value))) {
    return `the number ${node.source?.slice(0, 40)} cannot be kept exactly: write it as a text`;
  }
  if (typeof node.value === 'string' && (node.value.includes('\0') || !node.value.isWellFormed())) {
    return 'a text has no NUL and no half of a surrogate pair';
  }
  return undefined;
}

/** Nothing between two lines of `---`, comments aside. */
export function isEmpty({ contents, errors }: Document.Parsed): boolean {
  return (
    errors.length === 0 &&
    (contents === null || (isScalar(contents) && contents.value === null && contents.source === ''))
  );
}

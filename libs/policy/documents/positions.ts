import { isMap, isScalar, type Document, type Node } from 'yaml';

/**
 * Where a member stands in the text, as a number of characters, or the nearest thing above it that stands there. With
 * `offset`, where that character of a text stands as nearly as can be told.
 */
export function offsetOfMember(
  tree: Document.Parsed,
  text: string,
  path: readonly PropertyKey[],
  offset: number,
): number {
  let length = path.length;
  while (length > 0 && !nodeAt(tree, path.slice(0, length))?.range) length--;
  const node = nodeAt(tree, path.slice(0, length))!;
  const start = node.range![0];
  if (length < path.length || offset === 0 || !isScalar(node)) return start;
  const first = start + (node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE' ? 1 : 0);
  // Escapes, folded lines and block scalars are written otherwise than they read: then only their start is known.
  const asWritten = text.startsWith(String(node.value).slice(0, offset), first);
  return asWritten ? first + offset : start;
}

/** Where the name of a member of an object stands in the text. */
export function offsetOfName(tree: Document.Parsed, path: readonly PropertyKey[]): number | undefined {
  const parent = nodeAt(tree, path.slice(0, -1));
  const pair = isMap(parent) ? parent.items.find(({ key }) => isScalar(key) && key.value === path.at(-1)) : undefined;
  return (pair?.key as Node | undefined)?.range?.[0];
}

function nodeAt(tree: Document.Parsed, path: readonly PropertyKey[]): Node | null | undefined {
  return tree.getIn(path, true) as Node | null | undefined;
}

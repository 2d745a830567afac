import type { ASTNode } from '@marcbachmann/cel-js';
import { asCases, knownCase, type Case } from './cases.js';
import { valueOf, type Run } from './known-part.js';
import { isAttributes, isVariable, readsRow } from './reads-row.js';
import { presence } from './relations.js';
import { attributeOf, Inexpressible } from './rows.js';

/** The value of an attribute of the row, of the rows that have it. */
export function readable(name: string, { rows, row }: Run): readonly Case[] {
  const term = attributeOf(rows, row, name);
  return term ? [{ where: presence(term), term }] : [];
}

/** The attribute that `resource.properties[key]` names. */
export function attributeCases(key: ASTNode, run: Run): readonly Case[] {
  const name = keyOf(key, run);
  return name === undefined ? [] : readable(name, run);
}

/** `has(resource.properties.a)`, and of the resource itself. */
export function hasCases(node: ASTNode, run: Run): readonly Case[] {
  if (node.op !== '.') throw new Error('unreachable: cel-js refuses has() of anything but a member');
  const [target, name] = node.args;
  if (isVariable(target, 'resource')) return knownCase(['type', 'id', 'properties'].includes(name));
  if (isAttributes(target)) return presenceCases(name, run);
  throw new Inexpressible('it asks for a member of something that depends on the row');
}

/** Whether the row has an attribute. */
export function presenceCases(name: string, { rows, row }: Run): readonly Case[] {
  const term = attributeOf(rows, row, name);
  if (!term || 'known' in term) return knownCase(term !== undefined);
  return asCases({ yes: presence(term), no: { op: 'absent', left: term.field } });
}

/** The name of the attribute that a key stands for; undefined where it is in error, or no text. */
export function keyOf(node: ASTNode, run: Run): string | undefined {
  if (readsRow(node)) throw new Inexpressible('which attribute it reads depends on the row');
  const key = valueOf(node, run);
  return typeof key === 'string' ? key : undefined;
}

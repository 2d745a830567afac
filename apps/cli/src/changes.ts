import { documentText, type AnyDocument } from '#policy';
import { diffLines } from './diff.js';
import type { Output } from './output.js';

/** A document as a change leaves it. */
export interface ChangedDocument {
  readonly kind: string;
  readonly name: string;
  readonly change: 'created' | 'updated' | 'deleted' | 'unchanged';
  readonly before?: AnyDocument;
  readonly after?: AnyDocument;
}

export interface Counts {
  readonly created: number;
  readonly updated: number;
  readonly deleted: number;
}

/** Prints what changes in each document, line by line. */
export function printChanges(output: Output, changes: readonly ChangedDocument[]): void {
  for (const { kind, name, change, before, after } of changes) {
    if (change === 'unchanged') continue;
    output.line(`${kind} ${name} (${change})`);
    const text = (document: AnyDocument | undefined) => (document ? documentText(document) : '');
    for (const line of diffLines(text(before), text(after))) output.line(`    ${line}`);
  }
}

export function countsOf(changes: readonly ChangedDocument[]): Counts {
  const count = (wanted: string) => changes.filter(({ change }) => change === wanted).length;
  return { created: count('created'), updated: count('updated'), deleted: count('deleted') };
}

export const summary = ({ created, updated, deleted }: Counts): string =>
  `${created} created, ${updated} updated, ${deleted} deleted`;

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { call, documents, NOW, policyNamed, scopeNamed, suspension } from '#policy/testing';
import { decide, decideListing } from '../decide/decide.js';
import type { DecisionInput } from '../decide/request.js';
import { documentName, type AnyDocument } from '../documents/schema.js';
import type { DocumentChange } from '../documents/set.js';
import { PolicySet } from './policy-set.js';

const RUNS = Number(process.env.PLACET_LAW_RUNS ?? 2000);

const stored = (document: AnyDocument) => ({ document, version: 1 });
const setOf = (all: readonly AnyDocument[]): PolicySet => PolicySet.of(all.map(stored));
const keyOf = (document: AnyDocument): string => `${document.kind} ${documentName(document)}`;

/** Documents that a request could be about by more than their names, which the common arbitraries leave out. */
const more: fc.Arbitrary<AnyDocument[]> = fc.subarray<AnyDocument>([
  { kind: 'Resource', server: 'files', type: 'tool', id: 'read_file', properties: { region: 'emea' } },
  { kind: 'Server', name: 'files', identity: { url: 'https://files.example.com/mcp' } },
  {
    kind: 'Policy',
    name: 'described',
    target: { actions: ['tools/call'], resources: ['read_file'] },
    rules: [{ name: 'r', effect: 'deny', to: ['any'], when: 'resource.properties.region == "apac"' }],
  },
]);
const tenant = fc
  .tuple(documents, more)
  .map(([all, extras]) => [
    ...all.filter((document) => !extras.some((extra) => keyOf(extra) === keyOf(document))),
    ...extras,
  ]);

/** Documents that are put, and some of those that are there and go. */
const change = fc.record({
  puts: fc
    .tuple(
      tenant,
      fc.array(fc.oneof(policyNamed('p1'), policyNamed('x'), scopeNamed('s1'), suspension), { maxLength: 3 }),
    )
    .chain(([all, others]) => fc.subarray([...all, ...others])),
  deletions: fc.array(fc.nat(), { maxLength: 4 }),
});

const anyCall: fc.Arbitrary<DecisionInput> = fc
  .tuple(call, fc.boolean())
  .map(([input, byUrl]) => (byUrl ? { ...input, server: { url: 'https://files.example.com/mcp' } } : input));

/** The change, which has each document once, and the documents after it. */
function applied(all: readonly AnyDocument[], { puts, deletions }: { puts: AnyDocument[]; deletions: number[] }) {
  const changes = new Map<string, DocumentChange>();
  for (const document of puts) {
    changes.set(keyOf(document), { kind: document.kind, name: documentName(document), stored: stored(document) });
  }
  for (const which of deletions) {
    const gone = all[which % all.length]!;
    changes.set(keyOf(gone), { kind: gone.kind, name: documentName(gone) });
  }
  const kept = all.filter((document) => !changes.has(keyOf(document)));
  const after = [...kept, ...[...changes.values()].flatMap((each) => (each.stored ? [each.stored.document] : []))];
  return { changes: [...changes.values()], after };
}

describe('a fork', () => {
  it('decides as the set of all documents after the change, and the set below as before', () => {
    let different = 0;
    fc.assert(
      fc.property(tenant, change, change, anyCall, (all, first, second, input) => {
        const base = setOf(all);
        const once = applied(all, first);
        const twice = applied(once.after, second);
        const before = decide(setOf(all), input, [], NOW);
        const fork = base.fork(once.changes);
        const above = fork.fork(twice.changes);
        const expected = decide(setOf(once.after), input, [], NOW);
        if (expected.effect !== before.effect) different++;

        expect(decide(fork, input, [], NOW)).toEqual(expected);
        expect(decide(above, input, [], NOW)).toEqual(decide(setOf(twice.after), input, [], NOW));
        expect(decide(base, input, [], NOW)).toEqual(before);
        const listed = { ...input, arguments: 'unknown' as const };
        expect(decideListing(fork, listed, NOW)).toEqual(decideListing(setOf(once.after), listed, NOW));
        expect(namesOf(fork)).toEqual(namesOf(setOf(once.after)));
        expect(namesOf(base)).toEqual(namesOf(setOf(all)));
      }),
      { numRuns: RUNS },
    );
    expect(different).toBeGreaterThan(20);
  });

  it('leaves the set below such that it goes on as if there had been no fork', () => {
    fc.assert(
      fc.property(tenant, change, change, anyCall, (all, forked, real, input) => {
        const base = setOf(all);
        decide(base.fork(applied(all, forked).changes), input, [], NOW);
        const { changes, after } = applied(all, real);
        base.apply(changes);
        expect(decide(base, input, [], NOW)).toEqual(decide(setOf(after), input, [], NOW));
      }),
      { numRuns: RUNS },
    );
  });

  it('is stale once the set below has changed, or one below that', () => {
    const base = setOf([{ kind: 'Role', name: 'a' }]);
    const fork = base.fork([]);
    const above = fork.fork([]);
    expect([base.isStale, fork.isStale, above.isStale]).toEqual([false, false, false]);
    base.apply([]);
    expect([fork.isStale, above.isStale]).toEqual([false, false]);
    base.apply([{ kind: 'Role', name: 'b', stored: stored({ kind: 'Role', name: 'b' }) }]);
    expect([base.isStale, fork.isStale, above.isStale]).toEqual([false, true, true]);
  });
});

function namesOf(set: PolicySet): string[][] {
  const rules = [...set.rules()].map(({ ref }) => `${ref.policy}/${ref.rule}`);
  const kinds = (['Policy', 'Scope', 'Suspension'] as const).map((kind) => {
    const names = [...set.documents.all(kind)].map(({ document }) => documentName(document));
    expect(names.length).toBe(set.documents.count(kind));
    return names;
  });
  return [rules, ...kinds].map((names) => names.sort());
}

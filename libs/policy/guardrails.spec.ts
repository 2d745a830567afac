import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  agreeing,
  assertedRow,
  call,
  compare,
  consentBlock,
  documents,
  filterDocuments,
  filterQuestion,
  guardrailNamed,
  NOW,
  referenceFilter,
  rowId,
  tableRow,
} from '#policy/testing';
import { guardrailOf } from './compile/guardrails.js';
import {
  accessOf,
  BY_TOOL,
  checkChange,
  combine,
  decide,
  decideListing,
  DocumentSet,
  explain,
  filterOf,
  lint,
  parseDocuments,
  PolicySet,
  runTests,
  type AnyDocument,
  type Decision,
  type DecisionInput,
  type StoredDocument,
} from './index.js';

const RUNS = Number(process.env.PLACET_LAW_RUNS ?? 2000);
const holds = <T>(property: fc.IProperty<T>) => fc.assert(property, { numRuns: RUNS });

type Guardrail = Extract<AnyDocument, { kind: 'Guardrail' }>;

const compiled = (all: readonly AnyDocument[]): PolicySet =>
  PolicySet.of(all.map((document) => ({ document, version: 1 })));

const above = (...guardrails: readonly Guardrail[]): StoredDocument<'Guardrail'>[] =>
  guardrails.map((document) => ({ document, version: 1 }));

/** A tenant under guardrails that are no documents of its own. */
function guarded(all: readonly AnyDocument[], ...guardrails: readonly Guardrail[]): PolicySet {
  const set = compiled(all);
  set.guard(above(...guardrails));
  return set;
}

const RANK = { deny: 0, ask: 1, allow: 2 } as const;
const rank = ({ effect }: Pick<Decision, 'effect'>): number => RANK[effect];

const withoutOwn = (all: readonly AnyDocument[]) => all.filter(({ kind }) => kind !== 'Guardrail');

describe('a guardrail', () => {
  it('never turns deny into ask or allow, nor ask into allow, whatever has been agreed to', () => {
    holds(
      fc.property(documents, guardrailNamed('g'), call, (all, guardrail, input) => {
        const before = compiled(withoutOwn(all));
        const consents = agreeing(before, input);
        const after = guarded(withoutOwn(all), guardrail);
        for (const agreed of [[], consents, [...consents, ...agreeing(after, input)]]) {
          expect(rank(decide(after, input, agreed, NOW))).toBeLessThanOrEqual(rank(decide(before, input, agreed, NOW)));
        }
      }),
    );
  });

  it('does from above what it does as a document of the home tenant, and as the reference interpreter says', () => {
    holds(
      fc.property(
        documents,
        guardrailNamed('g'),
        call,
        fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }),
        (all, guardrail, input, kept) => {
          const own = [...withoutOwn(all), guardrail];
          const fromAbove = guarded(withoutOwn(all), guardrail);
          expect(decide(fromAbove, input, [], NOW)).toEqual(decide(compiled(own), input, [], NOW));
          expect(compare(own, fromAbove, input, kept)).toHaveProperty('decision');
        },
      ),
    );
  });

  it('that denies, and is not false, denies as nothing else does, and is all that is named', () => {
    let denied = 0;
    holds(
      fc.property(documents, guardrailNamed('g'), call, (all, guardrail, input) => {
        const set = guarded(withoutOwn(all), guardrail);
        const decision = decide(set, input, agreeing(compiled(withoutOwn(all)), input), NOW);
        const isNamed = decision.outcomes.rules.some(
          ({ ref, effect }) => guardrailOf(ref) === 'g' && effect === 'deny',
        );
        expect(decision.reason === 'guardrail').toBe(isNamed);
        if (!isNamed) return;
        denied++;
        expect(decision).toMatchObject({ effect: 'deny', detail: `the guardrail 'g': ${guardrail.reason}` });
        expect(decision.rules).toEqual([{ policy: 'guardrail:g', version: 1, rule: 'deny' }]);
        expect(combine(decision.outcomes)).toMatchObject({ effect: 'deny', reason: 'guardrail' });
      }),
    );
    expect(denied).toBeGreaterThan(RUNS / 20);
  });

  it('is gone when it goes, and is no rule of the tenant’s', () => {
    holds(
      fc.property(documents, guardrailNamed('g'), guardrailNamed('h'), call, (all, one, other, input) => {
        const before = compiled(all);
        const set = guarded(all, one);
        set.guard(above(other));
        set.guard([]);
        expect(decide(set, input, [], NOW)).toEqual(decide(before, input, [], NOW));
        set.guard(above(one, other));
        expect([...set.rules()].map(({ ref }) => ref).filter((ref) => guardrailOf(ref) !== undefined)).toEqual([]);
        expect(set.documents.count('Guardrail')).toBe(before.documents.count('Guardrail'));
      }),
    );
  });

  it('holds in listings, and in what administrators are told that somebody could do', () => {
    holds(
      fc.property(documents, guardrailNamed('g'), call, (all, guardrail, input) => {
        const set = guarded(all, guardrail);
        const open = { ...input, arguments: 'unknown' as const };
        const listed = decideListing(set, open, NOW);
        expect(rank(decide(set, input, [], NOW))).toBeLessThanOrEqual(rank(listed));
        const access = accessOf(set, open, NOW);
        expect(access).toMatchObject({ effect: listed.effect, denied: listed.denied });
        for (const { ref, reached } of access.rules().rules)
          if (guardrailOf(ref) === 'g') expect(reached).toEqual([{ by: 'any' }]);
      }),
    );
  });

  it('holds in filters: exactly the rows pass that are allowed one by one', () => {
    let settled = 0;
    const row = fc.tuple(rowId, tableRow).map(([id, made]) => assertedRow({ ...made, id }));
    holds(
      fc.property(
        filterDocuments,
        filterQuestion,
        fc.array(row, { minLength: 3, maxLength: 8 }),
        (all, input, rows) => {
          const policies = all.filter((document) => document.kind === 'Policy');
          const [{ target, rules }] = policies.slice(-1) as [(typeof policies)[number]];
          const [{ when, unless }] = rules as [(typeof rules)[number]];
          const guardrail = {
            ...{ kind: 'Guardrail', name: 'g', reason: 'board', effect: 'deny', target },
            ...(when === undefined ? {} : { when }),
            ...(unless === undefined ? {} : { unless }),
          } as Guardrail;
          const set = guarded(all, guardrail);
          const filter = filterOf(set, input, { isOpen: () => true, columns: null, firstParameter: 1 }, NOW);
          if ('refused' in filter) {
            if (filter.refused.rule && guardrailOf(filter.refused.rule) !== undefined)
              expect(filter.refused.clause).toBeNull();
            return;
          }
          if (filter.reason === 'guardrail') settled++;
          for (const one of rows) {
            const decision = decide(set, { ...input, resource: { type: 'todo', ...one } }, [], NOW);
            expect(referenceFilter(filter.ast, one)).toBe(decision.effect === 'allow');
          }
        },
      ),
    );
    expect(settled).toBeGreaterThan(0);
  });

  it('tells by an explanation its name and its reason, and nothing of what it is about', () => {
    holds(
      fc.property(documents, guardrailNamed('g'), consentBlock, call, (all, made, block, input) => {
        const secret = 'context.merger_with_acme == "on" || true';
        const target = { ...made.target, resources: [...made.target.resources, 'secret_*'] };
        const guardrail = { ...made, target, when: secret, ...(made.effect === 'ask' ? { consent: block } : {}) };
        const set = guarded(withoutOwn(all), guardrail);
        const decision = decide(set, input, [], NOW);
        const explanation = explain({ set, input, consents: [], now: NOW, decision });
        expect(JSON.stringify(explanation)).not.toMatch(/merger|secret_|guardrail:/);
        const told = explanation.guardrails.map(({ name, reason, effect }) => ({ name, reason, effect }));
        const expected = decision.outcomes.rules.filter(({ ref }) => guardrailOf(ref) === 'g');
        expect(told).toEqual(expected.map(({ effect }) => ({ name: 'g', reason: guardrail.reason, effect })));
      }),
    );
  });
});

const parsed = (text: string): AnyDocument[] => {
  const { documents: found, problems } = parseDocuments({ text });
  expect(problems).toEqual([]);
  return found.map(({ document }) => document);
};

const COMPANY = `
{ kind: Tenant, name: acme, defaults: { effect: deny, hostScope: {} } }
---
{ kind: Host, name: desk }
---
{ kind: Server, name: crm }
---
kind: Policy
name: crm
target: { servers: [crm], actions: [tools/call], resources: ['*'] }
rules: [{ name: all, effect: allow, to: [any] }]
---
kind: Test
name: crm
defaults: { host: desk, server: crm, subject: { id: ann } }
cases:
  - { name: exports, request: { tool: export_all }, expect: { effect: deny, reason: guardrail, rule: 'guardrail:no-exports/deny' } }
  - { name: asked, request: { tool: pay }, expect: { effect: ask, reason: approval_required } }
  - { name: agreed, request: { tool: pay }, consents: ['guardrail:payments/ask'], expect: { effect: allow } }
  - { name: others, request: { tool: read }, expect: { effect: allow } }
`;

const ABOVE = `
kind: Guardrail
name: no-exports
reason: Nothing leaves in bulk (policy 7)
effect: deny
target: { actions: ['*'], resources: ['export_*'] }
---
kind: Guardrail
name: payments
reason: Two people for payments
effect: ask
target: { actions: [tools/call], resources: [pay] }
consent: { by: ['role:treasurer'], notSelf: true }
`;

const operationOf = (action: string) => (action === 'tools/call' ? BY_TOOL : undefined);

describe('guardrails of a company', () => {
  const tool = (id: string): DecisionInput => ({
    subject: { type: 'user', id: 'ann', properties: {}, assurance: 'asserted' },
    agent: 'desk',
    action: 'tools/call',
    resource: { type: 'tool', id, properties: {} },
    server: { name: 'crm' },
    arguments: {},
    operation: BY_TOOL,
    session: null,
    context: {},
    kind: 'ordinary',
  });

  it('hold in the tests of a tenant, which can name them, and count for no coverage', () => {
    const set = guarded(parsed(COMPANY), ...(parsed(ABOVE) as Guardrail[]));
    const { failures, coverage } = runTests(set, operationOf);
    expect(failures).toEqual([]);
    expect(coverage).toMatchObject({ rules: 1, covered: 1 });
    expect(runTests(compiled(parsed(COMPANY)), operationOf).failures).toHaveLength(3);
  });

  it('can neither be replaced nor taken away by what the tenant writes', () => {
    const set = guarded(parsed(COMPANY), ...(parsed(ABOVE) as Guardrail[]));
    const harmless = { ...(parsed(ABOVE)[0] as Guardrail), target: { actions: ['never'], resources: ['never'] } };
    const fork = set.fork([
      { kind: 'Guardrail', name: 'no-exports' },
      { kind: 'Policy', name: 'guardrail:no-exports' },
      { kind: 'Policy', name: 'crm', stored: { document: parsed(COMPANY)[3]!, version: 2 } },
    ]);
    expect(decide(fork, tool('export_all'), [], NOW).reason).toBe('guardrail');
    set.apply([{ kind: 'Guardrail', name: 'no-exports', stored: { document: harmless, version: 2 } }]);
    expect(decide(set, tool('export_all'), [], NOW).reason).toBe('guardrail');
  });

  it('make a fork stale that was made before them', () => {
    const set = compiled(parsed(COMPANY));
    const fork = set.fork([]);
    expect(fork.isStale).toBe(false);
    set.guard(above(...(parsed(ABOVE) as Guardrail[])));
    expect(fork.isStale).toBe(true);
  });

  it('do not count among the rules of which too many may concern a request', () => {
    const rules = Array.from({ length: 1000 }, (_, at) => ({ name: `r${at}`, effect: 'allow' as const, to: ['any'] }));
    const target = { servers: ['crm'], actions: ['tools/call'], resources: ['*'] };
    const policies = ['p1', 'p2'].map((name): AnyDocument => ({ kind: 'Policy', name, target, rules }));
    const all = [...parsed(COMPANY).filter(({ kind }) => kind !== 'Policy'), ...policies];
    expect(decide(guarded(all, ...(parsed(ABOVE) as Guardrail[])), tool('pay'), [], NOW).reason).toBe(
      'approval_required',
    );
  });

  it.each<[string, string, string]>([
    ['an effect that grants', 'effect: allow', 'a guardrail denies or asks'],
    ['nobody who is asked', 'effect: ask', 'says who is asked'],
    ['a consent of a deny', 'effect: deny\nconsent: { by: [subject] }', 'and only it'],
    ['a glass to break', "effect: ask\nconsent: { by: [subject], breakGlass: ['role:a'] }", 'nobody breaks the glass'],
    ['people', 'effect: deny\nto: [any]', 'to'],
    ['a shadow', 'effect: deny\nenforce: false', 'enforce'],
  ])('cannot have %s', (_what, lines, message) => {
    const { problems } = parseDocuments({
      text: `kind: Guardrail\nname: g\nreason: r\ntarget: { actions: ['*'], resources: ['*'] }\n${lines}`,
    });
    expect(problems.map((problem) => problem.message).join('\n')).toContain(message);
  });

  it('are checked: the condition, and how many there are', () => {
    const text = `{ kind: Guardrail, name: g, reason: r, effect: deny, target: { actions: ['*'], resources: ['*'] }, when: 'nonsense(' }`;
    const { documents: proposed } = parseDocuments({ text });
    const after = DocumentSet.of(proposed.map(({ document }) => ({ document, version: 1 })));
    expect(checkChange(after, { documents: proposed, deletions: [] })).toMatchObject([
      { code: 'condition', path: 'when' },
    ]);
    const { documents: many } = parseDocuments({
      text: Array.from({ length: 201 }, (_, at) =>
        text.replace('name: g', `name: g${at}`).replace('nonsense(', 'true'),
      ).join('\n---\n'),
    });
    const crowd = DocumentSet.of(many.map(({ document }) => ({ document, version: 1 })));
    expect(checkChange(crowd, { documents: many.slice(0, 1), deletions: [] })).toMatchObject([{ code: 'invalid' }]);
    expect(lint(crowd, many.slice(0, 1))).toEqual([]);
  });
});

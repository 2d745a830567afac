import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  assertedRow,
  COLUMNS,
  filterDocuments,
  filterQuestion,
  NOW,
  referenceFilter,
  rowId,
  tableRow,
} from '#policy/testing';
import { Condition } from '../cel/condition.js';
import { VARIABLES } from '../cel/language.js';
import { Fault, type CelValue } from '../cel/values.js';
import { decide, PolicySet, type AnyDocument, type DecisionInput, type Json } from '../index.js';
import type { Columns } from './columns.js';
import { filterOf } from './filter.js';

const RUNS = Number(process.env.PLACET_LAW_RUNS ?? 200);

const compiled = (all: readonly unknown[]): PolicySet =>
  PolicySet.of(all.map((document) => ({ document: document as AnyDocument, version: 1 })));

/** Attributes of any type, as the rows of some other caller may have them. */
const anything = fc.constantFrom<Json[]>(
  null,
  true,
  0,
  2.5,
  '',
  'a',
  [],
  ['a'],
  ['a', null],
  [1],
  {},
  { a: 1 },
  'emea',
);
const anyRow = fc
  .tuple(
    rowId,
    tableRow,
    fc.dictionary(fc.constantFrom(...COLUMNS.properties.keys()), anything, { noNullPrototype: true }),
  )
  .map(([id, row, others]) => {
    const { properties } = assertedRow({ ...row, id });
    return { id, properties: { ...properties, ...others } };
  });

const conditionHolds = (text: string, { id, properties }: { id: string; properties: object }): boolean => {
  const resource = { type: 'todo', id, properties } as unknown as CelValue;
  const variables = VARIABLES.map((name) => (name === 'resource' ? resource : Fault.NO_SUCH_KEY));
  return new Condition(text).evaluate(variables).outcome === 'true';
};

const untyped = { isOpen: () => true, columns: null, firstParameter: 1 };

describe('a filter over attributes of unknown types', () => {
  it('lets exactly the rows through that are allowed one by one, as a tree and as CEL', () => {
    let conditional = 0;
    fc.assert(
      fc.property(
        filterDocuments,
        filterQuestion,
        fc.array(anyRow, { minLength: 5, maxLength: 20 }),
        (all, input, rows) => {
          const set = compiled(all);
          const filter = filterOf(set, input, untyped, NOW);
          if ('refused' in filter) return;
          if (filter.filter === 'conditional') conditional++;
          for (const row of rows) {
            const resource = { type: 'todo', ...row };
            const isAllowed = decide(set, { ...input, resource }, [], NOW).effect === 'allow';
            expect(referenceFilter(filter.ast, row)).toBe(isAllowed);
            if (filter.cel !== null) expect(conditionHolds(filter.cel, row)).toBe(isAllowed);
          }
        },
      ),
      { numRuns: RUNS },
    );
    expect(conditional).toBeGreaterThan(RUNS / 10);
  });
});

const BASE = [
  { kind: 'Tenant', name: 'default', defaults: { effect: 'deny', hostScope: {} } },
  { kind: 'Host', name: 'desk' },
  { kind: 'Subject', type: 'user', id: 'ann', groups: [], properties: { region: 'emea', nul: 'a\0', half: '\ud83d' } },
];

const policy = (rules: readonly object[], resources: readonly unknown[] = ['*']) => ({
  kind: 'Policy',
  name: 'p',
  target: { actions: ['read'], resources },
  rules: rules.map((rule, index) => ({ name: `r${index}`, effect: 'allow', to: ['any'], ...rule })),
});

const question = (resource: Partial<DecisionInput['resource']> = {}): DecisionInput => ({
  subject: { type: 'user', id: 'ann', properties: {}, assurance: 'asserted' },
  agent: 'desk',
  action: 'read',
  resource: { type: 'todo', id: null, properties: {}, ...resource },
  server: null,
  arguments: {},
  operation: undefined,
  session: null,
  context: { asserted: { subject: {}, resource: {} } },
  kind: 'ordinary',
});

const filtered = (documents: readonly unknown[], columns: Columns | null = COLUMNS, input = question()) =>
  filterOf(compiled([...BASE, ...documents]), input, { ...untyped, columns }, NOW);

const consent = { by: ['subject'], approvals: 1, notSelf: false, bind: 'all' };

describe('what a filter says', () => {
  it.each<[string, readonly object[], string, string | null]>([
    ['everything', [{}], 'all', 'allowed'],
    ['everything, where a condition is settled', [{ when: 'subject.properties.region == "emea"' }], 'all', 'allowed'],
    ['nothing without a rule', [], 'none', 'no_rule_allows'],
    ['nothing that is denied', [{}, { effect: 'deny' }], 'none', 'denied_by_rule'],
    [
      'nothing that a rule in error could deny',
      [{}, { effect: 'deny', when: 'context.missing' }],
      'none',
      'rule_in_error',
    ],
    [
      'nothing where groups are asked for that are not the subject’s',
      [{ to: ['group:staff'] }],
      'none',
      'no_rule_allows',
    ],
    ['nothing that is asked about', [{}, { effect: 'ask', consent }], 'none', 'consent_required'],
    ['nothing that is asked about by an allow', [{ consent }], 'none', 'no_rule_allows'],
    ['nothing by another host', [{ via: ['ide'] }], 'none', 'no_rule_allows'],
    ['some', [{ when: 'resource.properties.public' }], 'conditional', null],
    [
      'everything but what a rule denies',
      [{}, { effect: 'deny', when: 'has(resource.properties.region)' }],
      'conditional',
      null,
    ],
    [
      'nothing that is not comparable with all of a list',
      [{ unless: 'resource.properties.region in ["a", "b", 1]', when: 'resource.properties.region != "a"' }],
      'none',
      'no_rule_allows',
    ],
    ['whatever a shadow rule says', [{}, { effect: 'deny', enforce: false }], 'all', 'allowed'],
  ])('%s', (_what, rules, filter, reason) => {
    expect(filtered(rules.length > 0 ? [policy(rules)] : [])).toMatchObject({ filter, reason });
  });

  it('lets no row through by a group, or an attribute, of which nobody knows', () => {
    const known = {
      type: 'user',
      id: 'company/7',
      properties: { region: 'emea' },
      assurance: 'verified',
      groups: { names: ['a', 'b'], complete: false },
      unsure: ['level'],
    } as const;
    const asked = { ...question(), subject: known };
    const by = (rule: object) => filtered([policy([rule])], null, asked);
    const team = { attribute: 'team' };
    expect(by({ when: 'resource.properties.team in subject.groups' })).toMatchObject({
      ast: { op: 'in', left: team, values: ['a', 'b'] },
    });
    const none = { filter: 'none', reason: 'no_rule_allows' };
    expect(by({ unless: 'resource.properties.team in subject.groups' })).toMatchObject(none);
    expect(by({ when: 'resource.properties.team == subject.properties.level' })).toMatchObject(none);
    expect(by({ unless: 'has(subject.properties.level) && resource.properties.public' })).toMatchObject({
      ast: { op: 'eq', left: { attribute: 'public' }, right: { value: false } },
    });
    expect(by({ when: 'resource.properties.team in subject.properties' })).toMatchObject({
      refused: { why: 'it looks for something that depends on the row in an object' },
    });
  });

  it('is nothing for a host that is suspended, or has no boundary', () => {
    expect(filtered([policy([{}]), { kind: 'Suspension', of: 'Host', name: 'desk' }])).toMatchObject({
      filter: 'none',
      reason: 'suspended',
    });
    expect(filtered([policy([{}]), { kind: 'Tenant', name: 'default', defaults: { effect: 'deny' } }])).toMatchObject({
      filter: 'none',
      reason: 'outside_boundary',
    });
  });

  it('leaves attributes out that the host may not assert', () => {
    const set = compiled([...BASE, policy([{ when: 'resource.properties.public' }])]);
    expect(filterOf(set, question(), { ...untyped, isOpen: (name) => name !== 'public' }, NOW)).toMatchObject({
      filter: 'none',
    });
  });

  it('has the obligations that any of its rows could carry', () => {
    const redact = (field: string) => ({ obligations: [{ type: 'redact', fields: [field] }] });
    const rules = [
      { when: 'resource.properties.public', ...redact('a') },
      redact('b'),
      { consent, ...redact('c') },
      { when: 'false', ...redact('d') },
    ];
    expect(filtered([policy(rules)])).toMatchObject({ obligations: [{ type: 'redact', fields: ['a', 'b', 'c'] }] });
  });

  it('limits the fields of the result by each rule that could allow a row', () => {
    const rules = [{ when: 'resource.properties.public', fields: { result: ['a'] } }, { fields: { result: ['b'] } }];
    expect(filtered([policy(rules)])).toMatchObject({
      obligations: [
        { type: 'fields', keep: ['a'] },
        { type: 'fields', keep: ['b'] },
      ],
    });
  });

  it.each([
    [{ n: 1 }, 'all'],
    [{ n: 1, m: 1 }, 'none'],
  ])('goes by whether the rule is for the arguments %j: %s', (given, expected) => {
    const set = compiled([...BASE, policy([{ fields: { arguments: ['n'] } }])]);
    expect(filterOf(set, { ...question(), arguments: given }, untyped, NOW)).toMatchObject({ filter: expected });
  });

  it('is refused where the host does not say that it can do what some row obliges to', () => {
    const rules = [{}, { when: 'resource.properties.public', obligations: [{ type: 'redact', fields: ['a'] }] }];
    const set = compiled([...BASE, policy(rules)]);
    const answer = (supportedObligations?: readonly string[]) =>
      filterOf(set, { ...question(), ...(supportedObligations ? { supportedObligations } : {}) }, untyped, NOW);
    expect(answer()).toMatchObject({ filter: 'all' });
    expect(answer(['redact'])).toMatchObject({ filter: 'all' });
    expect(answer(['mask'])).toMatchObject({ refused: { why: expect.stringContaining('redact') as string } });
  });

  it('tells stored resources apart, whose attributes win', () => {
    const stored = (id: string, properties: object) => ({ kind: 'Resource', type: 'todo', id, properties });
    const documents = [
      policy([{ when: 'resource.properties.public' }]),
      stored('t1', { public: true }),
      stored('t2', { public: false }),
      stored('t3', { other: 1 }),
    ];
    expect(filtered(documents)).toMatchObject({
      sql: {
        where:
          '((("r"."public" IS NOT NULL AND "r"."public" = $1::boolean) AND ' +
          '("r"."id" IS NOT NULL AND "r"."id"::text COLLATE "C" <> ALL ($2::text[]))) OR ' +
          '("r"."id" IS NOT NULL AND "r"."id" = $3::text AND "r"."id"::text COLLATE "C" = $3::text))',
        params: [true, ['t1', 't2'], 't1'],
      },
    });
  });
});

describe('there is no filter', () => {
  const many = Array.from({ length: 101 }, (_, index) => ({ kind: 'Resource', type: 'todo', id: `t${index}` }));
  const steps = (acr: string) => ({ obligations: [{ type: 'step-up', acr }] });
  it.each<[string, readonly unknown[], string, string | null]>([
    [
      'for matches',
      [policy([{ when: 'has(context.x) || resource.properties.region.matches("^a")' }])],
      'a filter has nothing for matches()',
      'resource.properties.region.matches("^a")',
    ],
    [
      'for size',
      [policy([{ when: 'size(resource.properties.region) > 1' }])],
      'a filter has nothing for this',
      'size(resource.properties.region)',
    ],
    [
      'for arithmetic',
      [policy([{ when: 'resource.properties.level + 1 > 2' }])],
      'a filter has nothing for this',
      'resource.properties.level + 1',
    ],
    [
      'for timestamps',
      [policy([{ when: 'timestamp(resource.properties.region) < now' }])],
      'a filter has nothing for this',
      'timestamp(resource.properties.region)',
    ],
    [
      'for a list of the row',
      [policy([{ when: 'resource.properties.tags.exists(x, x == "a")' }])],
      'it looks through a list',
      'resource.properties.tags.exists(x, x == "a")',
    ],
    [
      'for the row as a whole',
      [policy([{ when: 'size(resource.properties) > 1' }])],
      'a filter has nothing for this',
      'size(resource.properties)',
    ],
    [
      'for what is asserted',
      [policy([{ when: 'context.asserted.resource.region == "a"' }])],
      'it reads what the host asserts',
      'context.asserted.resource',
    ],
    [
      'in a deny rule either',
      [policy([{}, { effect: 'deny', when: 'resource.properties.region.lowerAscii() == "a"' }])],
      'a filter has nothing for lowerAscii()',
      'resource.properties.region.lowerAscii()',
    ],
    [
      'for an attribute without a column',
      [policy([{ when: 'resource.properties.other == 1' }])],
      "no column is given for the attribute 'other'",
      'resource.properties.other',
    ],
    [
      'for a needle that could take too long',
      [policy([{ when: `resource.properties.region.contains("${'x'.repeat(300)}")` }])],
      'with some rows it could take more steps',
      null,
    ],
    [
      'for a text that no database holds',
      [policy([{ when: 'resource.properties.region == subject.properties.nul' }])],
      'a text that a database cannot hold',
      null,
    ],
    [
      'for half a character',
      [policy([{ when: 'resource.properties.region.startsWith(subject.properties.half)' }])],
      'a text that a database cannot hold',
      null,
    ],
    ['for many stored resources', [policy([{}]), ...many], 'more than 100 resources', null],
    [
      'for many rules',
      [
        ...Array.from({ length: 21 }, (_, at) => ({
          ...policy(Array.from({ length: 100 }, () => ({}))),
          name: `p${at}`,
        })),
      ],
      'more than 2000 rules',
      null,
    ],
    [
      'for obligations that contradict each other',
      [policy([steps('gold'), { when: 'resource.properties.public', ...steps('iron') }])],
      "contradict each other on 'step-up'",
      null,
    ],
  ])('%s', (_what, documents, why, clause) => {
    const filter = filtered(documents);
    expect(filter).toMatchObject({ refused: { why: expect.stringContaining(why) as string } });
    if (clause !== null) expect(filter).toMatchObject({ refused: { rule: { policy: 'p' }, clause } });
  });

  it('that all stored resources together take too many steps for', () => {
    const list = Array.from({ length: 3000 }, (_, at) => `x${at}`);
    const rules = Array.from({ length: 10 }, (_, at) => ({
      when: `context.list.exists(e, e == "y${at}") || resource.properties.region == "r${at}"`,
    }));
    const stored = Array.from({ length: 60 }, (_, at) => ({ kind: 'Resource', type: 'todo', id: `t${at}` }));
    const input = { ...question(), context: { ...question().context, list } };
    expect(filtered([policy(rules), ...stored.slice(0, 1)], null, input)).toMatchObject({ filter: 'conditional' });
    expect(filtered([policy(rules), ...stored], null, input)).toMatchObject({
      refused: { why: expect.stringContaining('too many steps') as string },
    });
  });

  it('that all rules together could take too many steps for', () => {
    const long = (at: number) => `resource.properties.region.contains("${'x'.repeat(150)}${at}")`;
    const rules = Array.from({ length: 15 }, (_, at) => ({ when: long(at) }));
    expect(filtered([policy(rules)])).toMatchObject({
      refused: { why: expect.stringContaining('too many steps') as string },
    });
    expect(filtered([policy(rules.slice(0, 12))])).toMatchObject({ filter: 'conditional' });
  });

  it('that would be too long', () => {
    const list = Array.from({ length: 10_000 }, (_, at) => `somebody-of-somewhere-${at}`);
    const input = { ...question(), arguments: { list } };
    expect(filtered([policy([{ when: 'resource.properties.owner in arguments.list' }])], COLUMNS, input)).toMatchObject(
      {
        refused: { why: 'it would become too long' },
      },
    );
  });

  it("for MCP's own types", () => {
    expect(filtered([policy([{}])], null, question({ type: 'tool' }))).toMatchObject({
      refused: { why: "resources of the type 'tool' are MCP's own" },
    });
  });

  it('where the id counts and has no column', () => {
    expect(filtered([policy([{}], ['t*'])], { ...COLUMNS, id: null })).toMatchObject({
      refused: { why: expect.stringContaining('id') as string },
    });
  });
});

import fc from 'fast-check';
import type { DecisionInput } from '../decide/request.js';
import type { AnyDocument } from '../documents/schema.js';
import type { Json } from '../model.js';
import type { Columns } from '../residual/columns.js';

/** The columns of the table that generated filters are for; `gone` is an attribute that its rows do not have. */
export const COLUMNS: Columns = {
  table: 'r',
  id: { column: 'id', type: 'text' },
  properties: new Map([
    ['region', { column: 'region', type: 'text' }],
    ['owner', { column: 'Owner', type: 'text' }],
    ['ref', { column: 'ref', type: 'uuid' }],
    ['level', { column: 'level', type: 'integer' }],
    ['most', { column: 'most', type: 'integer' }],
    ['score', { column: 'score', type: 'double' }],
    ['public', { column: 'public', type: 'boolean' }],
    ['we ird"', { column: 'weird', type: 'boolean' }],
    ['tags', { column: 'tags', type: 'text[]' }],
    ['gone', null],
  ]),
};

const UUIDS = ['6f1c1f1e-0000-4000-8000-000000000001', 'ffffffff-ffff-4fff-bfff-ffffffffffff'];

/** Texts that are near each other, and that something in between could take for something else. */
const TEXTS = [
  '',
  'a',
  'A',
  'ab',
  'b',
  'ä',
  'a\u0308',
  'ann',
  'bob',
  'emea',
  'apac',
  '%',
  '_',
  'a%b',
  'a_b',
  'a\\b',
  '\\',
  "'",
  "o'k",
  '"',
  '$1',
  '*',
  'a*b',
  'ab\n',
  'a\nb',
  ' ',
  'a ',
  '\uffff',
  '\ue000',
  '😀',
  '😀b',
  'x😀',
  'null',
  '1',
  'true',
  'ß',
  'ss',
  'İ',
  'i',
  ...UUIDS,
];
const text = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...TEXTS) },
  {
    weight: 1,
    arbitrary: fc.string({ unit: fc.constantFrom('a', 'b', '%', '_', '\\', '😀', '\uffff', "'"), maxLength: 4 }),
  },
);
const SAFE = Number.MAX_SAFE_INTEGER;
const number = fc.constantFrom<number>(
  0,
  1,
  2,
  3,
  -1,
  0.1,
  0.5,
  2.5,
  -2.5,
  1e21,
  1e308,
  -1e308,
  5e-324,
  SAFE,
  -SAFE,
  SAFE + 1,
  1e-7,
  0.30000000000000004,
);

/** What a row of the table has: null for what it has not. Some numbers are such that no JSON could hold them. */
export interface TableRow {
  readonly id: string;
  readonly region: string | null;
  readonly owner: string | null;
  readonly ref: string | null;
  readonly level: string | null;
  readonly most: string | null;
  readonly score: string | null;
  readonly public: boolean | null;
  readonly weird: boolean | null;
  readonly tags: readonly (string | null)[] | null;
}

const perhaps = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { freq: 4 });
const integer = fc.constantFrom(
  '0',
  '1',
  '2',
  '3',
  '-1',
  '9007199254740991',
  '-9007199254740991',
  '9007199254740992',
  '9007199254740993',
  '9223372036854775807',
  '-9223372036854775808',
);

export const tableRow: fc.Arbitrary<Omit<TableRow, 'id'>> = fc.record({
  region: perhaps(text),
  owner: perhaps(text),
  ref: perhaps(fc.constantFrom(...UUIDS)),
  level: perhaps(integer),
  most: perhaps(integer),
  score: perhaps(
    fc.oneof(
      { weight: 4, arbitrary: number.map(String) },
      { weight: 1, arbitrary: fc.constantFrom('NaN', 'Infinity', '-Infinity', '-0') },
    ),
  ),
  public: perhaps(fc.boolean()),
  weird: perhaps(fc.boolean()),
  tags: perhaps(fc.array(fc.option(text, { freq: 6 }), { maxLength: 3 })),
});

/** Ids that patterns of generated policies name, or nearly. */
export const rowId = fc.oneof(
  fc.constantFrom(
    't1',
    't2',
    't10',
    'T1',
    'doc-1',
    'doc-%',
    'doc_1',
    'a*b',
    'a\\b',
    'xay',
    '😀',
    'doc-😀-end',
    'line\nend',
    "q'--",
  ),
  text.filter((id) => id !== ''),
);

/** A number that a condition cannot read: it is there, and comparing it with anything is an error. */
const UNREADABLE: Json = [null];

/** A row as a host would assert it. */
export function assertedRow(row: TableRow): {
  readonly id: string;
  readonly properties: Readonly<Record<string, Json>>;
} {
  const whole = (digits: string): Json => (Number.isSafeInteger(Number(digits)) ? Number(digits) : UNREADABLE);
  const finite = (digits: string): Json => (Number.isFinite(Number(digits)) ? Number(digits) : UNREADABLE);
  const { id, weird, level, most, score, ...rest } = row;
  const made = {
    ...rest,
    level: level === null ? null : whole(level),
    most: most === null ? null : whole(most),
    score: score === null ? null : finite(score),
    'we ird"': weird,
  };
  return { id, properties: Object.fromEntries(Object.entries(made).filter(([, value]) => value !== null)) };
}

const quoted = (value: Json): string => JSON.stringify(value);
const numeral = (value: number): string =>
  Number.isSafeInteger(value) || /[.e]/.test(String(value)) ? String(value) : `${value}.0`;

const TEXT_FIELDS = [
  'resource.properties.region',
  'resource.properties.owner',
  'resource.properties["ref"]',
  'resource.id',
];
const NUMBER_FIELDS = ['resource.properties.level', 'resource.properties.most', 'resource.properties.score'];
const BOOLEAN_FIELDS = ['resource.properties.public', 'resource.properties["we ird\\""]'];
const NAMES = ['region', 'owner', 'level', 'score', 'public', 'tags', 'gone', 'ref'];

const textTerm: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...TEXT_FIELDS) },
  { weight: 3, arbitrary: text.map(quoted) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      'subject.id',
      'subject.properties.region',

      'arguments.owner',
      'arguments.n',
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'resource.properties.gone',
      'subject.properties.missing',
      'arguments.owner',
      'arguments.n',
      'resource.properties[subject.properties.field]',
      'resource.properties.tags',
      'resource.type',
    ),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom('region', 'owner', 'gone'), text)
      .map(([name, other]) => `resource.properties.?${name}.orValue(${quoted(other)})`),
  },
);
const numberTerm: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...NUMBER_FIELDS) },
  { weight: 4, arbitrary: number.map(numeral) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'subject.properties.level',
      'arguments.n',
      '1 + 1',
      '2.0',
      '-0.0',
      'resource.properties.?level.orValue(2)',
    ),
  },
);
const anyTerm = fc.oneof(
  { weight: 4, arbitrary: textTerm },
  { weight: 4, arbitrary: numberTerm },
  { weight: 1, arbitrary: fc.constantFrom(...BOOLEAN_FIELDS, 'true', 'null', 'now') },
);
const relation = fc.constantFrom('==', '!=', '<', '<=', '>', '>=');

const simple: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(textTerm, relation, textTerm).map((parts) => parts.join(' ')) },
  { weight: 4, arbitrary: fc.tuple(numberTerm, relation, numberTerm).map((parts) => parts.join(' ')) },
  { weight: 1, arbitrary: fc.tuple(anyTerm, relation, anyTerm).map((parts) => parts.join(' ')) },
  { weight: 2, arbitrary: fc.constantFrom(...BOOLEAN_FIELDS, 'true', 'false') },
  { weight: 2, arbitrary: fc.constantFrom(...NAMES).map((name) => `has(resource.properties.${name})`) },
  { weight: 1, arbitrary: fc.constantFrom(...NAMES).map((name) => `${quoted(name)} in resource.properties`) },
  { weight: 1, arbitrary: fc.constantFrom(...NAMES).map((name) => `resource.properties.?${name}.hasValue()`) },
  { weight: 2, arbitrary: fc.tuple(anyTerm, fc.constantFrom('==', '!=')).map(([term, op]) => `${term} ${op} null`) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(
        textTerm,
        fc.constantFrom('startsWith', 'endsWith', 'contains'),
        textTerm.filter((term) => term.startsWith('"') || term === 'subject.id'),
      )
      .map(([term, name, other]) => `${term}.${name}(${other})`),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(textTerm, fc.constantFrom('startsWith', 'endsWith'), textTerm)
      .map(([term, name, other]) => `${term}.${name}(${other})`),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(
        anyTerm,
        fc.array(fc.oneof({ weight: 3, arbitrary: text.map(quoted) }, { weight: 1, arbitrary: number.map(numeral) }), {
          maxLength: 3,
        }),
      )
      .map(([term, list]) => `${term} in [${list.join(', ')}]`),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(anyTerm, fc.array(number.map(numeral), { maxLength: 3 }))
      .map(([term, list]) => `${term} in [${list.join(', ')}]`),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(textTerm, fc.array(textTerm, { minLength: 1, maxLength: 3 }))
      .map(([term, list]) => `${term} in [${list.join(', ')}]`),
  },
  { weight: 1, arbitrary: textTerm.map((term) => `${term} in subject.properties.regions`) },
  { weight: 1, arbitrary: textTerm.map((term) => `${term} in subject.groups`) },
  { weight: 3, arbitrary: textTerm.map((term) => `${term} in resource.properties.tags`) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom('all', 'exists'), relation, textTerm)
      .map(([name, op, term]) => `subject.properties.regions.${name}(x, x ${op} ${term})`),
  },
);

/** Conditions over rows, most of them such that a filter can say them. */
const condition: fc.Arbitrary<string> = fc.letrec<{ any: string }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'condition' },
    { weight: 3, arbitrary: simple },
    { weight: 1, arbitrary: tie('any').map((one) => `!(${one})`) },
    { weight: 1, arbitrary: fc.tuple(tie('any'), tie('any')).map(([one, other]) => `(${one}) && (${other})`) },
    { weight: 1, arbitrary: fc.tuple(tie('any'), tie('any')).map(([one, other]) => `(${one}) || (${other})`) },
    {
      weight: 1,
      arbitrary: fc.tuple(tie('any'), tie('any'), tie('any')).map(([one, yes, no]) => `(${one}) ? (${yes}) : (${no})`),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(tie('any'), fc.constantFrom('==', '!='), tie('any'))
        .map(([one, op, other]) => `(${one}) ${op} (${other})`),
    },
  ),
})).any;

/** In one of so many cases. */
const seldom = <T>(arbitrary: fc.Arbitrary<T>, of: number): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: of - 1, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });

const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const without = <T extends object>(made: T) =>
  Object.fromEntries(Object.entries(made).filter(([, value]) => value !== undefined));

const idPattern = fc.oneof(
  { weight: 3, arbitrary: fc.constant('*') },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      't*',
      '*1',
      't1',
      'doc-*',
      'doc-*-end',
      'a\\*b',
      'a\\\\b',
      '*a*',
      'doc_*',
      'doc-%*',
      "q'*",
      '*\n*',
      '😀*',
    ),
  },
);
const consent = { by: ['subject'], approvals: 1, notSelf: false, bind: 'all' };
const rule = (name: string) =>
  fc
    .record({
      name: fc.constant(name),
      effect: name === 'r0' ? fc.constant('allow') : fc.constantFrom('allow', 'allow', 'deny', 'ask'),
      to: fc.array(fc.constantFrom('any', 'any', 'any', 'any', 'user:ann', 'group:staff', 'role:reader'), {
        minLength: 1,
        maxLength: 2,
      }),
      via: seldom(fc.constantFrom(['desk'], ['desk', 'ide'], ['ide']), 5),
      when: maybe(condition),
      unless: seldom(condition, 3),
      enforce: seldom(fc.constant(false), 12),
      asks: fc.boolean(),
      obligations: seldom(
        fc.constantFrom(
          [{ type: 'redact', fields: ['ssn'] }],
          [{ type: 'step-up', acr: 'gold' }],
          [{ type: 'step-up', acr: 'iron' }],
        ),
        6,
      ),
    })
    .map(({ asks, obligations, ...made }) =>
      without({
        ...made,
        consent: made.effect === 'ask' || (made.effect === 'allow' && asks && name === 'r2') ? consent : undefined,
        obligations: made.effect === 'allow' ? obligations : undefined,
      }),
    );

const policy = (name: string) =>
  fc.record({
    kind: fc.constant('Policy'),
    name: fc.constant(name),
    target: fc.record({
      actions: fc.constantFrom(['read'], ['*']),
      resources: fc.array(
        fc.oneof(
          idPattern,
          idPattern.map((id) => ({ type: 'todo', id })),
          fc.constant({ type: 'other', id: '*' }),
        ),
        { minLength: 1, maxLength: 2 },
      ),
    }),
    rules: fc
      .integer({ min: 1, max: 3 })
      .chain((count) => fc.tuple(...Array.from({ length: count }, (_, index) => rule(`r${index}`)))),
  });

const names = fc
  .record({
    allow: maybe(fc.array(idPattern, { minLength: 1, maxLength: 2 })),
    deny: maybe(
      fc.array(
        idPattern.filter((id) => id !== '*'),
        { minLength: 1, maxLength: 2 },
      ),
    ),
  })
  .map(without);
const storedProperties = fc
  .record({
    region: maybe(text),
    public: maybe(fc.boolean()),
    level: maybe(fc.constantFrom<Json[]>(1, 'x', null)),
    tags: maybe(fc.constant(['a'])),
  })
  .map(without);

/** A small tenant whose policies are about rows. */
export const filterDocuments: fc.Arbitrary<AnyDocument[]> = fc
  .record({
    tenant: fc.record({
      kind: fc.constant('Tenant'),
      name: fc.constant('default'),
      defaults: fc.oneof(
        { weight: 6, arbitrary: fc.constant({ effect: 'deny', hostScope: {} }) },
        { weight: 2, arbitrary: names.map((resources) => ({ effect: 'deny', hostScope: { resources } })) },
        { weight: 1, arbitrary: fc.constant({ effect: 'ask', consent, hostScope: {} }) },
        { weight: 1, arbitrary: fc.constant({ effect: 'deny' }) },
      ),
    }),
    subject: maybe(
      fc
        .record({
          groups: maybe(fc.constantFrom<string[][]>([], ['staff'])),
          properties: fc
            .record({
              region: maybe(text),
              level: maybe(fc.constantFrom(0, 1, 2.5)),
              regions: maybe(fc.array(text, { maxLength: 3 })),
              field: maybe(fc.constantFrom('region', 'owner', 'gone')),
            })
            .map(without),
        })
        .map((made) => without({ kind: 'Subject', type: 'user', id: 'ann', ...made })),
    ),
    policies: fc.oneof(
      policy('p1').map((one) => [one]),
      fc.tuple(policy('p1'), policy('p2')),
    ),
    scope: seldom(
      names.map((resources) => ({ kind: 'Scope', name: 's', host: 'desk', resources })),
      5,
    ),
    stored: seldom(
      fc.uniqueArray(fc.record({ id: rowId, properties: storedProperties }), {
        selector: ({ id }) => id,
        maxLength: 2,
      }),
      5,
    ),
  })
  .map(({ tenant, subject, policies, scope, stored }) =>
    [
      tenant,
      { kind: 'Host', name: 'desk' },
      { kind: 'Role', name: 'reader' },
      { kind: 'Binding', name: 'b', subjects: ['group:staff'], roles: ['reader'] },
      ...(subject ? [subject] : []),
      ...policies,
      ...(scope ? [scope] : []),
      ...(stored ?? []).map((made) => ({ kind: 'Resource', type: 'todo', ...made })),
    ].map((document) => document as unknown as AnyDocument),
  );

/** A question about the rows of a table. */
export const filterQuestion: fc.Arbitrary<DecisionInput> = fc
  .record({
    subject: fc.oneof(
      {
        weight: 3,
        arbitrary: fc
          .constantFrom({}, { groups: ['staff'] }, { groups: [], region: 'emea' })
          .map((properties) => ({ properties, assurance: 'asserted' as const })),
      },
      {
        weight: 1,
        arbitrary: fc.record({
          properties: fc.constant({ region: 'emea' }),
          assurance: fc.constant('verified' as const),
          groups: fc.constantFrom(null, { names: ['staff', 'ann'], complete: false }, { names: ['b'], complete: true }),
          roles: fc.constantFrom(undefined, { held: [], possible: ['reader'], ways: [] }),
          unsure: fc.constantFrom([], ['region', 'missing']),
          token: fc.constantFrom(undefined, { acr: 'mfa' }),
        }),
      },
    ),
    given: fc.constantFrom({}, { owner: 'ann', n: 1 }, { owner: '%', n: '1' }),
  })
  .map(({ subject, given }): DecisionInput => ({
    subject: { type: 'user', id: 'ann', ...subject },
    agent: 'desk',
    action: 'read',
    resource: { type: 'todo', id: null, properties: {} },
    server: null,
    arguments: given,
    operation: undefined,
    session: null,
    context: {},
    kind: 'ordinary',
  }));

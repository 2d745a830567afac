import fc from 'fast-check';
import type { DecisionInput } from '../decide/request.js';
import type { AnyDocument } from '../documents/schema.js';
import type { Json } from '../model.js';
import { maybe, without } from './left-out.js';
import { rowCondition } from './row-conditions.js';
import { rowId } from './rows.js';
import { text } from './values.js';

/** In one of so many cases. */
const seldom = <T>(arbitrary: fc.Arbitrary<T>, of: number): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: of - 1, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });

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
      when: maybe(rowCondition),
      unless: seldom(rowCondition, 3),
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

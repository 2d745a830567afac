import fc from 'fast-check';
import type { AnyDocument, DocumentOf } from '../documents/schema.js';
import { maybe, shape } from './left-out.js';

/** The moment at which generated requests are decided. */
export const NOW = Date.parse('2026-11-20T12:00:00Z');

/** Names that documents and calls have in common. */
export const ROLES = ['reader', 'writer', 'admin', 'auditor'];
const role = fc.constantFrom(...ROLES);
const person = fc.constantFrom('user:ann', 'user:bob', 'user:cid');
const group = fc.constantFrom('emea', 'apac');
export const host = fc.constantFrom('desk', 'ide');
export const server = fc.constantFrom('files', 'crm');
export const tool = fc.constantFrom('read_file', 'read_all', 'write_file', 'drop');
const principal = fc.oneof(
  fc.constant('any'),
  person,
  role.map((name) => `role:${name}`),
  group.map((name) => `group:${name}`),
);

/** Conditions that between them come out true, false and in error, by every operator that the reference knows. */
const condition = fc.constantFrom(
  'true',
  'false',
  'arguments.n > 10',
  'arguments.region == subject.properties.region',
  'arguments.region != subject.properties.region',
  'arguments.path.startsWith("/work/")',
  'arguments.n in [1, 20]',
  '"x" in arguments.tags',
  'arguments.tags.size() > 1',
  'has(arguments.n) && arguments.n > 10',
  '!has(arguments.n)',
  'arguments.n > 10 || arguments.region == "emea"',
  'arguments.n > 10 && arguments.region == "emea"',
  '!(arguments.n == 20)',
  '"emea" in subject.groups',
  'subject.properties.level > 2',
  'context.purpose == "support"',
  'resource.id == "read_file"',
  'agent.properties.managed == true',
  'subject.assurance == "verified"',
  'has(subject.token) && subject.token.acr == "mfa"',
  'subject.token.scope.size() > 1',
  'has(subject.properties.region)',
);

export const consentBlock = shape<NonNullable<Extract<AnyDocument, { kind: 'Policy' }>['rules'][number]['consent']>>({
  by: fc.constantFrom<[string, ...string[]][]>(['subject'], ['role:admin'], ['subject', 'user:bob']),
  approvals: fc.constantFrom(1, 2),
  notSelf: fc.constant(false),
  bind: fc.constantFrom<['all', string[]][number][]>('all', ['n'], ['region', 'path']),
});

const obligation = fc.constantFrom(
  { type: 'redact' as const, fields: ['ssn'] },
  { type: 'redact' as const, fields: ['payment.*', 'ssn'] },
  { type: 'log' as const, level: 'full' as const },
  { type: 'log' as const, level: 'metadata' as const },
  { type: 'step-up' as const, acr: 'gold' },
  { type: 'session_termination' as const },
  { type: 'session_termination' as const, subject: 'user:bob' },
);

const argumentFields = fc.constantFrom(['n'], ['n', 'region', 'tags'], ['*'], ['r*', 'path'], ['tags.x']);
const resultFields = fc.constantFrom(['name'], ['payment', 'ssn'], ['payment.card', 'name'], ['*.card'], ['*']);
const fields = fc.oneof(
  fc.record({ arguments: argumentFields }),
  fc.record({ result: resultFields }),
  fc.record({ arguments: argumentFields, result: resultFields }),
);

type Rule = Extract<AnyDocument, { kind: 'Policy' }>['rules'][number];

const common = {
  to: fc.array(principal, { minLength: 1, maxLength: 2 }),
  via: maybe(fc.array(host, { minLength: 1, maxLength: 1 })),
  when: maybe(condition),
  unless: maybe(condition),
  enforce: fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.constant(false) }),
};
const ruleNamed = (name: string): fc.Arbitrary<Rule> => {
  const named = { name: fc.constant(name), ...common };
  return fc.oneof(
    {
      weight: 4,
      arbitrary: shape<Rule>({
        ...named,
        effect: fc.constant('allow' as const),
        consent: maybe(consentBlock),
        fields: maybe(fields),
        obligations: maybe(fc.array(obligation, { minLength: 1, maxLength: 2 })),
      }),
    },
    { weight: 1, arbitrary: shape<Rule>({ ...named, effect: fc.constant('deny' as const) }) },
    {
      weight: 1,
      arbitrary: shape<Rule>({
        ...named,
        effect: fc.constant('ask' as const),
        consent: consentBlock,
        obligations: fc.option(fc.array(obligation, { minLength: 1, maxLength: 1 }), { nil: undefined, freq: 1 }),
      }),
    },
  );
};

const pattern = fc.oneof(tool, fc.constantFrom('*', 'read_*', '*_file', 'wr*e'));
const target = shape<Extract<AnyDocument, { kind: 'Policy' }>['target']>({
  servers: maybe(fc.array(fc.oneof(server, fc.constantFrom('*', 'f*')), { minLength: 1, maxLength: 2 })),
  actions: fc.array(fc.constantFrom('tools/call', 'tools/*', '*', 'tools/list'), { minLength: 1, maxLength: 2 }),
  resources: fc.array(
    fc.oneof(
      pattern,
      pattern.map((id) => ({ type: 'tool', id })),
    ),
    { minLength: 1, maxLength: 2 },
  ),
});

export const policyNamed = (name: string): fc.Arbitrary<AnyDocument> =>
  fc
    .tuple(target, fc.integer({ min: 1, max: 3 }))
    .chain(([made, count]) =>
      fc
        .tuple(...Array.from({ length: count }, (_, index) => ruleNamed(`r${index}`)))
        .map((rules) => ({ kind: 'Policy' as const, name, target: made, rules })),
    );

/** One that concerns many requests, or few; in the tenant itself, or only in another. */
export const guardrailNamed = (name: string): fc.Arbitrary<DocumentOf<'Guardrail'>> => {
  const members = {
    kind: fc.constant('Guardrail'),
    name: fc.constant(name),
    reason: fc.constant('so says the board'),
    target,
    when: maybe(condition),
    unless: maybe(condition),
  };
  return fc.oneof(
    shape<DocumentOf<'Guardrail'>>({ ...members, effect: fc.constant('deny') }),
    shape<DocumentOf<'Guardrail'>>({ ...members, effect: fc.constant('ask'), consent: consentBlock }),
  );
};

const lists = <T>(item: fc.Arbitrary<T>) =>
  fc.oneof(
    fc.record({ allow: fc.array(item, { minLength: 1, maxLength: 3 }) }),
    fc.record({ deny: fc.array(item, { minLength: 1, maxLength: 1 }) }),
  );

const clauses = {
  servers: maybe(lists(fc.oneof(server, fc.constant('*')))),
  actions: maybe(lists(fc.constantFrom('tools/call', '*'))),
  resources: maybe(lists(pattern)),
  operations: maybe(lists(fc.constantFrom('read', 'write'))),
  paths: maybe(lists(fc.constantFrom('/work/**', '/work/secret/**', '~/docs/**'))),
};

export const scopeNamed = (name: string): fc.Arbitrary<AnyDocument> =>
  fc.oneof(
    shape<AnyDocument>({ kind: fc.constant('Scope'), name: fc.constant(name), server, ...clauses }),
    shape<AnyDocument>({ kind: fc.constant('Scope'), name: fc.constant(name), host, ...clauses }),
  );

const tenantWith = (defaults: DocumentOf<'Tenant'>['defaults']): AnyDocument => ({
  kind: 'Tenant',
  name: 'default',
  defaults,
});

const tenant = fc.oneof(
  { weight: 4, arbitrary: fc.constant(tenantWith({ effect: 'deny', hostScope: {} })) },
  { weight: 1, arbitrary: fc.constant(tenantWith({ effect: 'deny' })) },
  {
    weight: 2,
    arbitrary: consentBlock.map((consent) => tenantWith({ effect: 'ask', consent, hostScope: {} })),
  },
);

const subjectNamed = (id: string): fc.Arbitrary<AnyDocument> =>
  shape<AnyDocument>({
    kind: fc.constant('Subject'),
    type: fc.constant('user'),
    id: fc.constant(id),
    aliases: maybe(fc.constant([{ type: 'identity', id: `${id}@example.com` }])),
    groups: maybe(fc.array(group, { maxLength: 2 })),
    properties: maybe(
      shape<Record<string, unknown>>({
        region: maybe(fc.constantFrom('emea', 'apac')),
        level: maybe(fc.integer({ min: 1, max: 4 })),
        home: maybe(fc.constant(`/home/${id}`)),
      }),
    ),
  });

const bindingNamed = (name: string): fc.Arbitrary<AnyDocument> =>
  shape<AnyDocument>({
    kind: fc.constant('Binding'),
    name: fc.constant(name),
    subjects: fc.array(
      fc.oneof(
        person,
        group.map((id) => `group:${id}`),
      ),
      { minLength: 1, maxLength: 2 },
    ),
    roles: fc.array(role, { minLength: 1, maxLength: 2 }),
    expires: maybe(fc.constantFrom('2026-11-20T11:59:59Z', '2026-11-20T12:00:00Z', '2026-11-20T12:00:01Z')),
  });

/** Roles inherit only from those before them, so there is no cycle. */
const roles = fc.tuple(
  ...ROLES.map((name, index) =>
    fc.subarray(ROLES.slice(0, index)).map((inherits): AnyDocument => ({ kind: 'Role', name, inherits })),
  ),
);

const serverNamed = (name: string): fc.Arbitrary<AnyDocument> =>
  fc
    .dictionary(
      tool,
      shape({
        operation: maybe(fc.constantFrom('read', 'write')),
        arguments: maybe(fc.constant({ path: 'path' as const })),
      }),
      { maxKeys: 3, noNullPrototype: true },
    )
    .map((tools) => ({ kind: 'Server', name, tools }) as AnyDocument);

const hostNamed = (name: string): fc.Arbitrary<AnyDocument> =>
  maybe(fc.boolean()).map((managed): AnyDocument => {
    return { kind: 'Host', name, ...(managed === undefined ? {} : { properties: { managed } }) };
  });

/** One that concerns many requests, or few. */
export const suspension: fc.Arbitrary<DocumentOf<'Suspension'>> = fc
  .constantFrom(
    { of: 'Server', name: 'files' } as const,
    { of: 'Server', name: 'crm' } as const,
    { of: 'Host', name: 'desk' } as const,
    { of: 'Host', name: 'ide' } as const,
    { of: 'Subject', name: 'user:ann' } as const,
    { of: 'Subject', name: 'user:cid' } as const,
    { of: 'Tenant', name: 'default' } as const,
  )
  .map((of) => ({ kind: 'Suspension', ...of }));

const guardrail = fc
  .tuple(guardrailNamed('g1'), fc.constantFrom<(string[] | undefined)[]>(undefined, ['default'], ['other']))
  .map(([made, tenants]): AnyDocument => ({ ...made, ...(tenants ? { tenants } : {}) }));

/** A whole small tenant. */
export const documents: fc.Arbitrary<AnyDocument[]> = fc
  .tuple(
    roles,
    tenant,
    fc.tuple(hostNamed('desk'), hostNamed('ide')),
    fc.tuple(serverNamed('files'), serverNamed('crm')),
    fc.tuple(maybe(subjectNamed('ann')), maybe(subjectNamed('bob'))),
    fc.tuple(maybe(bindingNamed('b1')), maybe(bindingNamed('b2')), maybe(bindingNamed('b3'))),
    fc.tuple(policyNamed('p1'), maybe(policyNamed('p2')), maybe(policyNamed('p3')), maybe(policyNamed('p4'))),
    fc.tuple(maybe(scopeNamed('s1')), maybe(scopeNamed('s2'))),
    fc.tuple(fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: guardrail })),
    fc.tuple(fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: suspension })),
  )
  .map(([first, made, ...rest]) => [...first, made, ...rest.flat()].filter((document) => document !== undefined));

import { describe, expect, it } from 'vitest';
import { parseDocuments } from './parse.js';

const problemsOf = (text: string) => parseDocuments({ text }).problems;

const policy = (rule: string, target = '{ actions: [tools/call], resources: ["*"] }') =>
  `{ kind: Policy, name: p, target: ${target}, rules: [${rule}] }`;
const rule = (members: string) => policy(`{ name: r, effect: allow, to: [any], ${members} }`);
const scope = (clauses: string) => `{ kind: Scope, server: s, ${clauses} }`;
const server = (members: string) => `{ kind: Server, name: s, ${members} }`;
const consent = (members: string) =>
  policy(`{ name: r, effect: ask, to: [any], consent: { by: [subject], ${members} } }`);

describe('a mistake in a document', () => {
  it('is reported in full, and without what is not known', () => {
    const document = { kind: 'Role', name: 'r' };
    const wrong = { code: 'invalid', message: 'must be a list', path: 'inherits' };
    expect(problemsOf('{ kind: Role, name: r, inherits: 7 }')).toStrictEqual([
      { document, ...wrong, line: 1, column: 34 },
    ]);
    const unknown = { code: 'unknown_field', message: "there is no member 'colour' here", path: 'colour' };
    expect(problemsOf('{ kind: Role, name: r, colour: red }')).toStrictEqual([
      { document, ...unknown, line: 1, column: 24 },
    ]);
    const rest = { document: { kind: 'Host', name: 'h' }, path: 'suspended', line: 1, column: 24 };
    const message =
      "'suspended' is not written in documents: run 'placet suspend Host NAME', or PUT /api/v1/suspensions/Host/NAME";
    expect(problemsOf('{ kind: Host, name: h, suspended: true }')).toStrictEqual([
      { code: 'not_supported_yet', message, ...rest },
    ]);
  });

  it.each([
    // what is missing
    [policy('{ name: r, effect: allow }'), 'invalid', 'rules.0.to', "'to' is missing"],
    [policy('{ name: r, to: [any] }'), 'invalid', 'rules.0.effect', "'effect' is missing"],
    [policy('{ effect: allow, to: [any] }'), 'invalid', 'rules.0.name', "'name' is missing"],
    [policy('', '{ actions: [a], resources: [a] }'), 'invalid', 'rules', 'has at least 1 entry'],
    [
      policy('{ name: r, effect: deny, to: [any] }', '{ actions: [a] }'),
      'invalid',
      'target.resources',
      "'resources' is missing",
    ],
    [
      policy('{ name: r, effect: deny, to: [any] }', '{ resources: [a] }'),
      'invalid',
      'target.actions',
      "'actions' is missing",
    ],
    ['{ kind: Policy, name: p, rules: [] }', 'invalid', 'target', "'target' is missing"],
    ['{ kind: Role }', 'invalid', 'name', "'name' is missing"],
    ['{ kind: Tenant, name: t }', 'invalid', 'defaults', "'defaults' is missing"],
    ['{ kind: Binding, name: b, roles: [r] }', 'invalid', 'subjects', "'subjects' is missing"],
    [
      policy('{ name: r, effect: ask, to: [any] }'),
      'invalid',
      'rules.0.consent',
      'an ask rule says who is asked: add a consent block',
    ],
    [consent('by: []'), 'syntax', undefined, 'Map keys must be unique'],
    [
      policy('{ name: r, effect: ask, to: [any], consent: { by: [] } }'),
      'invalid',
      'rules.0.consent.by',
      'has at least 1 entry',
    ],
    ['{ kind: Tenant, name: t, defaults: { effect: ask } }', 'invalid', 'defaults.consent', 'needs a consent block'],
    [
      '{ kind: Tenant, name: t, defaults: { consent: { by: [subject] } } }',
      'invalid',
      'defaults.consent',
      'and only it',
    ],
    ['{ kind: Scope, paths: { allow: [] } }', 'invalid', '', 'write server or host'],
    ['{ kind: Scope, server: s, host: h }', 'invalid', '', 'write server or host'],
    [scope('paths: {}'), 'invalid', 'paths', 'write allow, deny, or both'],

    // what is too much
    [rule('consnet: { by: [subject] }'), 'unknown_field', 'rules.0.consnet', "there is no member 'consnet' here"],
    ['{ kind: Role, name: r, colour: red }', 'unknown_field', 'colour', "'colour'"],
    [
      policy('{ name: r, effect: deny, to: [any], consent: { by: [subject] } }'),
      'invalid',
      'rules.0.consent',
      'remove the consent block',
    ],
    [
      policy('{ name: r, effect: deny, to: [any], obligations: [{ type: log, level: full }] }'),
      'invalid',
      'rules.0.obligations',
      'remove the obligations',
    ],
    [
      policy('{ name: r, effect: deny, to: [any] }', '{ actions: [a], resources: [{ type: t, id: x, typ: y }] }'),
      'unknown_field',
      'target.resources.0.typ',
      "'typ'",
    ],
    [server('tools: { t: { annotations: {} } }'), 'unknown_field', 'tools.t.annotations', "'annotations'"],
    [
      policy('{ name: r, effect: deny, to: [any] }', '{ actions: [a], resources: [{ type: tool }] }'),
      'invalid',
      'target.resources.0.id',
      "'id' is missing",
    ],
    [
      policy('{ name: r, effect: deny, to: [any] }', '{ actions: [a], resources: [7] }'),
      'invalid',
      'target.resources.0',
      'must be a text, or must be an object',
    ],

    // names
    ['{ kind: Role, name: "a b" }', 'invalid', 'name', 'a name has 1 to 128 letters'],
    ['{ kind: Role, name: -a }', 'invalid', 'name', 'starts with a letter or digit'],
    [`{ kind: Role, name: ${'a'.repeat(129)} }`, 'invalid', 'name', '1 to 128'],
    ['{ kind: Role, name: 7 }', 'invalid', 'name', 'must be a text'],
    ['{ kind: Role, name: r, inherits: [":"] }', 'invalid', 'inherits.0', 'a name has'],
    ['{ kind: Subject, id: "" }', 'invalid', 'id', 'an id has 1 to 1024 characters'],
    ['{ kind: Subject, id: "a\\nb" }', 'invalid', 'id', 'control characters'],
    ['{ kind: Subject, type: role, id: admin }', 'invalid', 'type', 'neither role nor group'],
    ['{ kind: Subject, type: group, id: emea }', 'invalid', 'type', 'neither role nor group'],
    [
      '{ kind: Subject, id: ann, aliases: [{ type: role, id: admin }] }',
      'invalid',
      'aliases.0.type',
      'neither role nor group',
    ],
    ['{ kind: Subject, type: "a:b", id: c }', 'invalid', 'type', 'up to 64 letters'],
    ['{ kind: Resource, type: "a b", id: c }', 'invalid', 'type', 'up to 64 letters'],
    ['{ kind: Subject, id: ann, properties: [1] }', 'invalid', 'properties', 'written as an object'],
    [server('tools: { "read file": {} }'), 'invalid', 'tools.read file', 'a tool name has up to 128 letters'],
    [server('tools: { rеad_file: {} }'), 'invalid', 'tools.rеad_file', 'a tool name has up to 128 letters'],
    [
      server('tools: { t: { arguments: { "a b": path } } }'),
      'invalid',
      'tools.t.arguments.a b',
      'named by its dotted place',
    ],
    [server('tools: { t: { arguments: { a: text } } }'), 'invalid', 'tools.t.arguments.a', 'path'],
    [server('tools: { t: { operation: Read } }'), 'invalid', 'tools.t.operation', 'a word in lower case'],

    // who
    [
      policy('{ name: r, effect: deny, to: [all] }'),
      'invalid',
      'rules.0.to.0',
      'write any, role:NAME, group:NAME or a subject',
    ],
    [policy('{ name: r, effect: deny, to: ["role:"] }'), 'invalid', 'rules.0.to.0', 'write any'],
    [policy('{ name: r, effect: deny, to: ["role:a b"] }'), 'invalid', 'rules.0.to.0', 'write any'],
    [policy('{ name: r, effect: deny, to: ["group:"] }'), 'invalid', 'rules.0.to.0', 'write any'],
    [policy('{ name: r, effect: deny, to: [":x"] }'), 'invalid', 'rules.0.to.0', 'write any'],
    [policy('{ name: r, effect: deny, to: [] }'), 'invalid', 'rules.0.to', 'has at least 1 entry'],
    ['{ kind: Binding, name: b, subjects: [any], roles: [r] }', 'invalid', 'subjects.0', 'for subjects and groups'],
    [
      '{ kind: Binding, name: b, subjects: ["role:x"], roles: [r] }',
      'invalid',
      'subjects.0',
      'for subjects and groups',
    ],
    [server('owner: any'), 'invalid', 'owner', 'for subjects and groups'],
    [
      policy('{ name: r, effect: ask, to: [any], consent: { by: [any] } }'),
      'invalid',
      'rules.0.consent.by.0',
      'not everybody may approve',
    ],
    [consent('notSelf: true'), 'invalid', 'rules.0.consent.notSelf', 'somebody other than the subject'],

    // values
    [policy('{ name: r, effect: maybe, to: [any] }'), 'invalid', 'rules.0.effect', 'is one of allow, deny, ask'],
    [rule('when: ""'), 'invalid', 'rules.0.when', 'must not be empty'],
    [rule('when: true'), 'invalid', 'rules.0.when', 'must be a text'],
    [rule('obligations: [{ type: dance }]'), 'invalid', 'rules.0.obligations.0.type', 'is one of redact, mask, log'],
    [rule('obligations: [{ type: redact }]'), 'invalid', 'rules.0.obligations.0.fields', "'fields' is missing"],
    ...['', 'a..b', '.a', 'a.', '$.a', 'a[0]', 'a\\\\*'].map((field): [string, string, string, string] => [
      rule(`obligations: [{ type: redact, fields: ["${field}"] }]`),
      'invalid',
      'rules.0.obligations.0.fields.0',
      'a field is named by its dotted place',
    ]),
    [
      rule('obligations: [{ type: session_termination, subject: "role:a" }]'),
      'invalid',
      'rules.0.obligations.0.subject',
      'sessions are those of a subject',
    ],
    [rule('fields: [a]'), 'invalid', 'rules.0.fields', 'must be an object'],
    [rule('fields: {}'), 'invalid', 'rules.0.fields', 'write arguments, result, or both'],
    [rule('fields: { result: [] }'), 'invalid', 'rules.0.fields.result', 'has at least 1 entry'],
    [rule('fields: { results: [a] }'), 'unknown_field', 'rules.0.fields.results', 'results'],
    ...['{ name: r, effect: deny, to: [any]', '{ name: r, effect: ask, to: [any], consent: { by: [subject] }'].map(
      (start): [string, string, string, string] => [
        policy(`${start}, fields: { result: [a] } }`),
        'invalid',
        'rules.0.fields',
        'only an allow rule covers fields',
      ],
    ),
    [consent('until: 8'), 'invalid', 'rules.0.consent.until', 'must be a text'],
    [consent('until: 8 hours'), 'invalid', 'rules.0.consent.until', 'written as in 30m, 8h or 90d'],
    [consent('approvals: 0'), 'invalid', 'rules.0.consent.approvals', 'must be at least 1'],
    [consent('uses: 1.5'), 'invalid', 'rules.0.consent.uses', 'must be a whole number'],
    [consent('bind: 7'), 'invalid', 'rules.0.consent.bind', 'must be all, or must be a list'],
    [consent('bind: []'), 'invalid', 'rules.0.consent.bind', 'has at least 1 entry'],
    [consent('uses: 10001'), 'invalid', 'rules.0.consent.uses', 'must be at most 10000'],
    [
      `{ kind: Role, name: r, description: ${'x'.repeat(2001)} }`,
      'invalid',
      'description',
      'has at most 2000 characters',
    ],
    [consent('bind: some'), 'invalid', 'rules.0.consent.bind', 'must be all'],
    [
      '{ kind: Binding, name: b, subjects: ["user:a"], roles: [r], expires: 2027-01-01 }',
      'invalid',
      'expires',
      '2026-12-31T23:59:59Z',
    ],
    [
      '{ kind: Binding, name: b, subjects: ["user:a"], roles: [r], expires: 2027-02-30T00:00:00Z }',
      'invalid',
      'expires',
      '2026-12-31T23:59:59Z',
    ],
    [server('identity: { url: "ftp://x" }'), 'invalid', 'identity.url', 'an http or https URL'],
    [
      server('identity: { url: "https://x", command: [x] }'),
      'invalid',
      'identity',
      'write one of url, command or package',
    ],
    [server('identity: {}'), 'invalid', 'identity', 'write one of url, command or package'],
    [
      server('identity: { package: { registry: npm, name: x, version: "1", sha256: AB } }'),
      'invalid',
      'identity.package.sha256',
      '64 digits',
    ],
    [scope('paths: { allow: ["work/**"] }'), 'invalid', 'paths.allow.0', 'starts with "/" or "~/"'],
    [scope('paths: { deny: ["~/.{ssh,aws}"] }'), 'invalid', 'paths.deny.0', 'wildcards'],
    [scope('resources: { deny: ["FILE:///work/a"] }'), 'invalid', 'resources.deny.0', 'write it as in file:///work/a'],
    [
      policy('{ name: r, effect: deny, to: [any] }', '{ actions: [a], resources: ["file:/a"] }'),
      'invalid',
      'target.resources.0',
      'write it as in file:///a',
    ],
    [
      policy(
        '{ name: r, effect: deny, to: [any] }',
        '{ actions: [a], resources: [{ type: resource, id: "file:/a" }] }',
      ),
      'invalid',
      'target.resources.0.id',
      'write it as in file:///a',
    ],
    [
      '{ kind: Resource, server: s, type: resource, id: "file:/a" }',
      'invalid',
      'id',
      'a URI is written in one spelling: file:///a',
    ],
    ['{ kind: Resource, server: s, type: resource, id: "a/../b" }', 'invalid', 'id', 'not a URI that means one place'],
  ])('%s is %s at %s: %s', (text, code, path, message) => {
    const problems = problemsOf(text);
    expect(problems[0]).toMatchObject({ code, ...(path === undefined ? {} : { path }) });
    expect(problems[0]?.message).toContain(message);
  });

  it.each([
    ['{ kind: Resource, server: s, type: tool, id: "file:/a" }'],
    ['{ kind: Resource, type: resource, id: "file:/a" }'],
    [
      policy(
        '{ name: r, effect: deny, to: [any] }',
        '{ actions: [a], resources: [{ type: document, id: "file:/a" }] }',
      ),
    ],
  ])('is not that a URI has another spelling where ids are not brought to one: %s', (text) => {
    expect(problemsOf(text)).toEqual([]);
  });

  it.each([
    [rule('filter: { a: 1 }'), 'rules.0.filter'],
    [rule('labels: [a]'), 'rules.0.labels'],
    [rule('rateLimit: {}'), 'rules.0.rateLimit'],
    [scope('rateLimit: { requests: 10, perSeconds: 60, by: [subject] }'), 'rateLimit'],
    [scope('labels: {}'), 'labels'],
    [scope('sampling: {}'), 'sampling'],
    ['{ kind: Tenant, name: t, defaults: { rateLimit: {} } }', 'defaults.rateLimit'],
    ['{ kind: Tenant, name: t, defaults: { unregisteredServers: ask } }', 'defaults.unregisteredServers'],
    ['{ kind: Tenant, name: t, defaults: { hostScope: { rateLimit: {} } } }', 'defaults.hostScope.rateLimit'],
    ['{ kind: Tenant, name: t, defaults: {}, quotas: {} }', 'quotas'],
    ['{ kind: Subject, id: a, suspended: true }', 'suspended'],
    ['{ kind: Resource, type: t, id: a, labels: [] }', 'labels'],
    [server('trust: high'), 'trust'],
    [server('pins: {}'), 'pins'],
    [server('labels: []'), 'labels'],
    [server('resources: []'), 'resources'],
    [server('prompts: []'), 'prompts'],
    [server('suspended: true'), 'suspended'],
    [server('tools: { t: { pin: x } }'), 'tools.t.pin'],
    [server('tools: { t: { risk: x } }'), 'tools.t.risk'],
    [server('tools: { t: { labels: [] } }'), 'tools.t.labels'],
    ['{ kind: Host, name: h, suspended: true }', 'suspended'],
  ])('is a clause that nothing enforces yet: %s', (text, path) => {
    const name = path.split('.').at(-1)!;
    const message =
      name === 'suspended'
        ? (expect.stringMatching(
            /^'suspended' is not written in documents: run 'placet suspend (Server|Host|Subject) /,
          ) as string)
        : `'${name}' is not enforced by this version and is therefore refused`;
    expect(problemsOf(text)).toMatchObject([{ code: 'not_supported_yet', path, message }]);
  });

  it('is not excused by a name that is not supported elsewhere', () => {
    expect(problemsOf(rule('trust: high'))).toMatchObject([{ code: 'unknown_field' }]);
    expect(problemsOf(server('tools: { t: { trust: high } }'))).toMatchObject([{ code: 'unknown_field' }]);
  });

  it('shows little of what was written, and nothing that acts on a terminal', () => {
    const problems = problemsOf(
      JSON.stringify({ kind: 'Role', name: `\u001b[2J${'n'.repeat(999)}`, ['\u202e'.repeat(99)]: 1 }),
    );
    expect(problems).toHaveLength(2);
    for (const { message, path, document } of problems) {
      expect(`${message}${path}${document?.name}`).toMatch(/^[ -~…]{1,1000}$/);
    }
  });

  it.each([
    ['kind: Policy', '?', undefined],
    ['{ kind: Role, name: a, x: 1 }', 'a', undefined],
    ['{ kind: Subject, id: ann, x: 1 }', 'ann', undefined],
    ['{ kind: Scope, server: s, x: 1 }', 's', undefined],
    ['{ kind: Binding, name: b, subjects: [any], roles: [r] }', 'b', undefined],
    ['{ kind: Scope, host: h, x: 1 }', 'h', undefined],
    ['{ kind: Role, name: [a], x: 1 }', '?', undefined],
    [policy('{ name: r, effect: allow }'), 'p', 'r'],
    [policy('{ name: a, effect: deny, to: [any] }, { effect: allow, to: [any] }'), 'p', '#2'],
    [policy('{ name: [], effect: deny, to: [any] }'), 'p', '#1'],
    ['{ kind: Policy, name: p, rules: 7 }', 'p', undefined],
  ])('names the document and the rule: %s', (text, name, ruleName) => {
    for (const problem of problemsOf(text).filter(({ path }) => path !== 'target')) {
      expect(problem.document?.name).toBe(name);
      expect(problem.rule).toBe(ruleName);
    }
    expect(problemsOf(text)).not.toEqual([]);
  });
});

describe('a document of no known kind', () => {
  it.each([
    'name: a',
    'kind: role',
    'kind: toString',
    'kind: [Role]',
    'kind: null',
    '- kind: Role',
    'Role',
    '7',
    'null',
    '""',
  ])('is refused: %s', (text) => {
    const [problem, ...more] = problemsOf(text);
    expect(more).toEqual([]);
    expect(problem).toMatchObject({ code: 'unknown_kind', line: 1 });
    expect(problem?.message).toContain('Role, Binding, Policy, Scope, Tenant, Subject, Resource, Server, Host');
  });
});

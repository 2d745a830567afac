import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseDocuments, type SourceDocument } from '../documents/parse.js';
import { documentName } from '../documents/schema.js';
import { DocumentSet } from '../documents/set.js';
import { lint, type LintFinding } from './index.js';

function read(...texts: readonly string[]): SourceDocument[] {
  const parsed = texts.map((text, at) => parseDocuments({ file: `${at}.yaml`, text }));
  expect(parsed.flatMap(({ problems }) => problems)).toEqual([]);
  return parsed.flatMap(({ documents }) => documents);
}

const setOf = (documents: readonly SourceDocument[]): DocumentSet =>
  DocumentSet.of(documents.map(({ document }) => ({ document, version: 1 })));

/** What lint finds in `text`, with `beside` already there, as `code rule path`. */
function found(text: string, beside = WORLD): string[] {
  const documents = read(text);
  return lint(setOf([...read(beside), ...documents]), documents).map(
    ({ code, rule, path }) => `${code} ${rule ?? '-'} ${path}`,
  );
}

/** A file server with a boundary, a database without one, a server that says nothing, a host, people and roles. */
const WORLD = `
{ kind: Server, name: files, tools: { read: { operation: read }, write: { operation: write }, drop: { operation: delete }, move: {} } }
---
{ kind: Scope, server: files, operations: { allow: [read, write] }, actions: { deny: [prompts/*] } }
---
{ kind: Server, name: db, tools: {
    query: { operation: query }, purge: { operation: delete }, wipe: { operation: delete }, run: { operation: execute }, idle: {},
    pay: { operation: send, inputSchema: { type: object, properties: { to: {}, amount: {}, note: {} }, required: [to] } },
    odd: { operation: send, inputSchema: { type: object, properties: { to: {} }, anyOf: [{ required: [to] }] } },
    loose: { operation: send, inputSchema: { type: [object, 'null'], properties: { to: {} } } } } }
---
{ kind: Server, name: plain }
---
{ kind: Host, name: desk }
---
{ kind: Host, name: bare }
---
{ kind: Scope, host: desk, servers: { deny: [plain] } }
---
{ kind: Role, name: clerk }
---
{ kind: Role, name: chief, inherits: [clerk] }
---
{ kind: Role, name: ghost, inherits: [chief] }
---
{ kind: Binding, name: chiefs, subjects: ["group:chiefs"], roles: [chief] }
---
{ kind: Policy, name: nobody-wipes, target: { servers: [db], actions: [tools/call], resources: [wipe] }, rules: [{ name: no, effect: deny, to: [any] }] }
`;

const policy = (target: string, ...rules: readonly string[]): string =>
  `{ kind: Policy, name: p, target: { ${target} }, rules: [${rules.map((rule) => `{ ${rule} }`).join(', ')}] }`;
const CALL = 'servers: [files], actions: [tools/call], resources: [read]';
const ALLOW = 'name: r, effect: allow, to: [any]';
const DENY = 'name: r, effect: deny, to: [any]';
const ASK = 'name: r, effect: ask, to: [any], consent: { by: [subject] }';

/** Rows of a document and what is found in it: a row where it fires, and near misses where it does not. */
const rows = (cases: readonly (readonly [string, ...string[]])[]): void =>
  it.each(cases.map(([text, ...expected]) => [text, expected] as const))('%s', (text, expected) => {
    expect(found(text)).toEqual(expected);
  });

describe('a condition that is never met', () => {
  const NEVER = 'never_matches r rules.0.when';
  const on = (target: string, condition: string, effect = ALLOW) => policy(target, `${effect}, ${condition}`);
  const DB = 'servers: [db], actions: [tools/call], resources';
  rows([
    [on(CALL, 'when: "false"'), NEVER],
    [on(CALL, 'when: "true"')],
    [on(CALL, 'when: "subject.id == \'ann\' && 1 > 2"'), NEVER],
    [on(CALL, 'when: "subject.id == \'ann\' || 1 > 2"')],
    [on(CALL, 'unless: "1 < 2 || subject.id == \'ann\'"'), 'never_matches r rules.0.unless'],
    [on(CALL, 'unless: "1 < 2 && subject.id == \'ann\'"')],
    [on(CALL, 'when: "has(arguments.x) && !has(arguments.x)"')],
    [on(CALL, 'when: "action.name == \'tools/list\'"'), NEVER],
    [
      on(
        'servers: [files], actions: [tools/call, tools/list], resources: [read]',
        'when: "action.name == \'tools/list\'"',
      ),
    ],
    [on('servers: [files], actions: ["tools/*"], resources: [read]', 'when: "action.name == \'tools/list\'"')],
    [on(CALL, 'when: "server.id == \'db\'"'), NEVER],
    [on('actions: [tools/call], resources: [read]', 'when: "server.id == \'db\'"')],
    [on(CALL, 'when: "resource.id == \'write\'"'), NEVER],
    [on(CALL, 'when: "resource.type == \'prompt\'"')],
    [on(CALL, 'when: "server.properties.tier == \'x\'"')],
    // what the tools of the target do
    [on(CALL, 'when: "tool.operation == \'delete\'"'), NEVER],
    [on(CALL, 'when: "tool.operation == \'read\'"')],
    [on(`${DB}: ["*"]`, 'when: "tool.operation == \'qeury\'"'), NEVER],
    [on(`${DB}: ["*"]`, 'when: "tool.operation == \'query\'"')],
    [on(`${DB}: ["*"]`, 'when: "!tool.registered"')],
    [on(`${DB}: [query]`, 'when: "!tool.registered"'), NEVER],
    [on('servers: ["d*"], actions: [tools/call], resources: [query]', 'when: "tool.operation == \'read\'"')],
    // an error is no match of an allow, and restricts as a deny or an ask, or by what the allow obliges to
    [on(`${DB}: [idle]`, 'when: "tool.operation == \'write\'"'), NEVER],
    [on(`${DB}: [idle]`, 'when: "tool.operation == \'write\'"', DENY)],
    [on(`${DB}: [idle]`, 'when: "tool.operation == \'write\'"', ASK)],
    [on(`${DB}: [idle]`, 'when: "tool.operation == \'write\'", obligations: [{ type: log, level: full }]')],
    [on(`${DB}: [query]`, 'when: "tool.operation == \'qeury\'"', DENY), NEVER],
    [on(`${DB}: ["*"]`, 'when: "tool.operation == \'qeury\'"', DENY)],
  ]);
});

describe('a target that nothing meets', () => {
  const to = (target: string) => policy(target, ALLOW);
  rows([
    [to('servers: ["x-*"], actions: [tools/call], resources: ["*"]'), 'never_matches - target.servers.0'],
    [to('servers: ["f*s"], actions: [tools/list], resources: ["*"]')],
    [to('servers: ["*es"], actions: [tools/list], resources: ["*"]')],
    [to('servers: [files], actions: [tool/list], resources: [a]'), 'never_matches - target.actions.0'],
    [to('servers: [files], actions: [todos/list], resources: [a]')],
    [to('actions: [can_read, tool_call, "tool/*"], resources: [a]')],
  ]);

  it('by any server is no mistake, though there is none', () => {
    expect(found(to('servers: ["*"], actions: [tools/list], resources: [a]'), '')).toEqual([]);
  });

  it('says which method is near', () => {
    const [finding] = lint(setOf([]), read(to('actions: [tool/call], resources: [a]')));
    expect(finding?.message).toBe("MCP has no method 'tool/call': 'tools/call' is near");
  });
});

describe('a name that nobody knows', () => {
  const to = (target: string, rule = ALLOW) => policy(target, rule);
  const UNKNOWN = 'unknown_server -';
  rows([
    [to('servers: [db, dbs], actions: [tools/list], resources: [a]'), `${UNKNOWN} target.servers.1`],
    [to('servers: [db], actions: [tools/list], resources: [a]')],
    ['{ kind: Scope, server: dbs, operations: { allow: [read] } }', `${UNKNOWN} server`],
    ['{ kind: Scope, server: db, operations: { allow: [read] } }'],
    ['{ kind: Scope, host: desk, servers: { allow: [dbs], deny: [not-yet] } }', `${UNKNOWN} servers.allow.0`],
    [
      '{ kind: Tenant, name: t, defaults: { hostScope: { servers: { allow: ["*", dbs] } } } }',
      `${UNKNOWN} defaults.hostScope.servers.allow.1`,
    ],
    ['{ kind: Resource, server: dbs, type: task, id: x }', `${UNKNOWN} server`],
    ['{ kind: Resource, type: todo, id: x }'],

    [to('servers: [files], actions: [tools/call], resources: [raed]', DENY), 'unknown_tool - target.resources.0'],
    [
      to('servers: [files], actions: [tools/call], resources: [{ type: tool, id: raed }]', DENY),
      'unknown_tool - target.resources.0',
    ],
    [
      to('servers: [files], actions: ["*"], resources: [{ type: tool, id: raed }]', DENY),
      'unknown_tool - target.resources.0',
    ],
    [to('servers: [files, db], actions: [tools/call], resources: [read, query]', DENY)],
    [to('servers: [files], actions: [tools/call], resources: ["rae*"]', DENY)],
    [to('servers: [files], actions: [tools/call], resources: [{ type: prompt, id: raed }]', DENY)],
    [to('servers: [files], actions: [tools/call, prompts/get], resources: [raed]', DENY)],
    [to('servers: [files, plain], actions: [tools/call], resources: [raed]', DENY)],
    [to('servers: ["fil*"], actions: [tools/call], resources: [raed]', DENY)],
    [to('actions: [tools/call], resources: [raed]', DENY)],

    [to(CALL, `${ALLOW}, via: [desk, dekstop]`), 'unknown_host r rules.0.via.1'],
    [to(CALL, `${ALLOW}, via: [desk]`)],
    ['{ kind: Scope, host: dekstop, servers: { allow: [db] } }', 'unknown_host - host'],
    ['{ kind: Scope, host: desk, servers: { allow: [db] } }'],
  ]);
});

describe('a rule that a deny makes idle', () => {
  const DB = 'servers: [db], actions: [tools/call], resources';
  const SHADOWED = 'shadowed_by_deny r rules.0';
  const WIPE = policy(`${DB}: [wipe]`, `${ALLOW}, when: "subject.id == 'x'"`);
  rows([
    [WIPE, SHADOWED],
    [policy(`${DB}: [{ type: tool, id: wipe }]`, ASK), SHADOWED],
    [policy(`${DB}: [wipe]`, DENY)],
    [policy(`${DB}: [wipe, query]`, ALLOW)],
    [policy(`${DB}: ["w*"]`, ASK)],
    [policy('servers: [db, files], actions: [tools/call], resources: [wipe, read]', ASK)],
    [policy('servers: [db], actions: [tools/call, tools/list], resources: [wipe]', ASK)],
    [policy('actions: [tools/call], resources: [wipe]', ASK)],
    [policy(`${DB}: [query]`, DENY.replace('r,', 'd,'), ASK), 'shadowed_by_deny r rules.1'],
    [policy(`${DB}: [query]`, `${DENY.replace('r,', 'd,')}, via: [desk]`, ASK)],
    [policy(`${DB}: [query]`, `${DENY.replace('r,', 'd,')}, when: "subject.id == 'x'"`, ASK)],
    [policy(`${DB}: [query]`, `${DENY.replace('r,', 'd,')}, unless: "subject.id == 'x'"`, ASK)],
    [policy(`${DB}: [query]`, 'name: d, effect: deny, to: ["role:clerk"]', ASK)],
    [policy(`${DB}: [query]`, `${DENY.replace('r,', 'd,')}, enforce: false`, ASK)],
  ]);

  it.each<[string, string, boolean]>([
    ['actions: [tools/call], resources: ["a*"]', 'servers: [db], actions: [tools/call], resources: ["ab*c", a]', true],
    ['actions: [tools/call], resources: ["a*c"]', 'actions: [tools/call], resources: ["ab*bc"]', true],
    ['actions: ["tools/*"], resources: ["*"]', 'actions: [tools/call, "tools/l*"], resources: ["x*"]', true],
    ['servers: ["*"], actions: ["*"], resources: ["*"]', 'servers: [db], actions: ["*"], resources: ["*"]', true],
    ['servers: ["*"], actions: ["*"], resources: ["*"]', 'actions: ["*"], resources: ["x"]', false],
    ['actions: [tools/call], resources: ["a*"]', 'actions: [tools/call], resources: ["*a"]', false],
    ['servers: [db], actions: [x], resources: [a]', 'servers: [db, "*"], actions: [x], resources: [a]', false],
    ['actions: [x], resources: [{ type: t, id: a }]', 'actions: [x], resources: [{ type: t, id: a }, a]', false],
    ['actions: [x], resources: ["a\\\\*"]', 'actions: [x], resources: ["a\\\\*"]', true],
    ['actions: [tools/call], resources: ["a*b*c"]', 'actions: [tools/call], resources: ["a*c"]', false],
    ['actions: [tools/call], resources: ["ab*"]', 'actions: [tools/call], resources: ["a*"]', false],
    ['actions: [tools/call], resources: [{ type: tool, id: "*" }]', 'actions: [tools/call], resources: [x]', false],
    ['actions: [tools/call], resources: ["\\uffff"]', 'actions: [tools/call], resources: ["?*"]', false],
    ['actions: [tools/call], resources: ["*\\uffff*"]', 'actions: [tools/call], resources: ["?*"]', false],
    ['actions: [tools/call], resources: ["*b"]', 'actions: [tools/call], resources: ["a\\\\*"]', false],
  ])('by the patterns %s over %s: %s', (deny, other, shadowed) => {
    const wide = policy(deny, DENY).replace('name: p', 'name: wide');
    const [server] = read('{ kind: Server, name: db }');
    const documents = read(policy(other, ASK));
    const codes = lint(setOf([server!, ...read(wide), ...documents]), documents).map(({ code }) => code);
    expect(codes).toEqual(shadowed ? ['shadowed_by_deny'] : []);
  });

  it('is told with the rule that denies', () => {
    const [finding] = lint(setOf([...read(WORLD)]), read(WIPE));
    expect(finding?.message).toBe(
      "the rule 'no' of the policy 'nobody-wipes' denies to anybody all that this one is for",
    );
  });
});

describe('an allow outside of a boundary', () => {
  const when = `${ALLOW}, when: "subject.id == 'x'"`;
  const FILES = 'servers: [files], actions: [tools/call], resources';
  rows([
    [policy(`${FILES}: [drop]`, when), 'outside_boundary r rules.0'],
    [policy(`${FILES}: [write]`, when)],
    [policy(`${FILES}: [drop]`, ASK)],
    [policy(`${FILES}: [drop]`, when, ASK.replace('r,', 'gate,')), 'outside_boundary r rules.0'],
    [
      policy('servers: [plain], actions: [tools/list], resources: ["*"]', `${when}, via: [desk, nobody]`),
      'unknown_host r rules.0.via.1',
    ],
    [policy(`${FILES}: [read, drop]`, when), 'outside_boundary r target.resources.1'],
    [policy(`${FILES}: [move]`, when), 'outside_boundary r rules.0'],
    [policy(`${FILES}: ["d*"]`, when), 'outside_boundary r rules.0'],
    [policy(`${FILES}: ["*"]`, when)],
    [policy('servers: [db], actions: [tools/call], resources: [purge]', when)],
    [
      policy('servers: [files], actions: [tools/list, prompts/get], resources: ["*"]', when),
      'outside_boundary r target.actions.1',
    ],
    [policy('servers: [files, db], actions: [tools/list, prompts/get], resources: ["*"]', when)],
    [policy('servers: [files], actions: ["prompts/*"], resources: ["*"]', when), 'outside_boundary r rules.0'],
    [policy('servers: [files], actions: ["p*"], resources: ["*"]', when)],
    // of hosts: that of every one, or of those that the rule is for
    [policy('servers: [plain], actions: [tools/list], resources: ["*"]', when), 'outside_boundary r rules.0'],
    [
      policy('servers: [plain, db], actions: [tools/list], resources: ["*"]', when),
      'outside_boundary r target.servers.0',
    ],
    [policy('servers: ["pl*"], actions: [tools/list], resources: ["*"]', when)],
    [policy('actions: [tools/list], resources: ["*"]', when)],
    [
      policy('servers: [plain], actions: [tools/list], resources: ["*"]', `${when}, via: [desk]`),
      'outside_boundary r rules.0',
    ],
    [policy('servers: [plain], actions: [tools/list], resources: ["*"]', `${when}, via: [bare]`)],
    [
      policy('servers: [plain], actions: [tools/list], resources: ["*"]', `${when}, via: [nobody]`),
      'unknown_host r rules.0.via.0',
    ],
  ]);

  it.each<[string, boolean]>([
    ['', true],
    ['{ kind: Scope, host: bare, actions: { allow: ["tools/*"] } }', false],
    ['{ kind: Scope, host: bare, actions: { allow: ["prompts/*"] } }', true],
    ['{ kind: Scope, host: bare, resources: { allow: [] } }', true],
    ['{ kind: Tenant, name: t, defaults: { hostScope: { actions: { allow: ["tools/*"] } } } }', false],
    ['{ kind: Tenant, name: t, defaults: { hostScope: { servers: { allow: [db] } } } }', true],
  ])('of every host, beside %j: %s', (more, isOutside) => {
    const text = policy('servers: [plain], actions: [tools/list], resources: ["*"]', when);
    expect(found(text, more === '' ? WORLD : `${WORLD}---\n${more}`)).toEqual(
      isOutside ? ['outside_boundary r rules.0'] : [],
    );
  });

  it('is not told where no host has a boundary, or where there is none', () => {
    const text = policy('servers: [s], actions: [tools/list], resources: ["*"]', when);
    expect(found(text, '{ kind: Server, name: s }')).toEqual([]);
    expect(found(text, '{ kind: Server, name: s }\n---\n{ kind: Host, name: h }')).toEqual([]);
  });
});

describe('an allow that gives much', () => {
  const DB = 'servers: [db], actions: [tools/call], resources';
  const DESTRUCTIVE = 'unconditional_allow_on_destructive_tool r rules.0';
  rows([
    [policy(`${DB}: [purge]`, ALLOW), DESTRUCTIVE],
    [policy(`${DB}: [run]`, ALLOW), DESTRUCTIVE],
    [policy('servers: ["d*"], actions: ["tools/*"], resources: ["p*"]', ALLOW), DESTRUCTIVE],
    [policy('actions: [tools/call], resources: [{ type: tool, id: "*" }]', ALLOW), DESTRUCTIVE],
    [policy(`${DB}: [query]`, ALLOW)],
    [policy('servers: [files], actions: [tools/call], resources: [write]', ALLOW)],
    [policy(`${DB}: [purge]`, `${ALLOW}, when: "subject.id == 'x'"`)],
    [policy(`${DB}: [purge]`, `${ALLOW}, unless: "subject.id == 'x'"`)],
    [policy(`${DB}: [purge]`, `${ALLOW}, consent: { by: [subject] }`)],
    [policy(`${DB}: [purge]`, `${ALLOW}, obligations: [{ type: step-up, acr: x }]`)],
    [policy(`${DB}: [purge]`, `${ALLOW}, obligations: [{ type: log, level: full }]`), DESTRUCTIVE],
    [policy(`${DB}: [purge]`, DENY)],
    [policy(`${DB}: [purge]`, ALLOW, ASK.replace('r,', 'gate,'))],
    [policy(`${DB}: [purge]`, ALLOW, `${ASK.replace('r,', 'gate,')}, enforce: false`), DESTRUCTIVE],
    [policy(`${DB}: [purge]`, `${ALLOW}, enforce: false`)],
    [policy(`${DB}: [{ type: prompt, id: purge }]`, ALLOW)],
    [policy('servers: [db], actions: [tools/list], resources: ["*"]', ALLOW)],
    // what a boundary or a deny keeps from everybody
    [policy('servers: [files], actions: [tools/call], resources: ["*"]', ALLOW)],
    [policy(`${DB}: ["w*"]`, ALLOW)],

    [
      policy('servers: ["*"], actions: ["*"], resources: ["*"]', `${ALLOW}, when: "subject.id == 'x'"`),
      'matches_everything r rules.0',
    ],
    [
      policy('actions: ["*"], resources: [a, "*"]', `${ALLOW}, when: "subject.id == 'x'"`),
      'matches_everything r rules.0',
    ],
    [policy('actions: ["*"], resources: ["*"]', DENY)],
    [policy('actions: ["tools/*"], resources: ["*"]', `${ALLOW}, when: "subject.id == 'x'"`)],
    [policy('actions: ["*"], resources: [{ type: tool, id: "*" }]', `${ALLOW}, when: "subject.id == 'x'"`)],
    [policy('servers: [db], actions: ["*"], resources: ["*"]', `${ALLOW}, when: "subject.id == 'x'"`)],
  ]);

  it('names three tools, and says that there are more', () => {
    const server = `{ kind: Server, name: s, tools: { ${['a', 'b', 'c', 'd'].map((tool) => `${tool}: { operation: admin }`).join(', ')} } }`;
    const documents = read(policy('servers: [s], actions: [tools/call], resources: ["*"]', ALLOW));
    const [finding] = lint(setOf([...read(server), ...documents]), documents);
    expect(finding?.message).toContain('allows s/a (admin), s/b (admin), s/c (admin) and others without');
  });
});

describe('a role that nobody has', () => {
  const to = (roles: string, more = '') => policy(CALL, `name: r, effect: allow, to: [${roles}]${more}`);
  rows([
    [to('"role:ghost"'), 'role_nobody_has r rules.0.to.0'],
    [to('any, "role:ghost"'), 'role_nobody_has r rules.0.to.1'],
    [to('"role:chief"')],
    [to('"role:clerk"')],
    [to('"group:ghost", "user:ghost"')],
    [to('any', ', consent: { by: [subject, "role:ghost"] }'), 'role_nobody_has r rules.0.consent.by.1'],
    [
      '{ kind: Tenant, name: t, defaults: { effect: ask, consent: { by: ["role:ghost"] } } }',
      'role_nobody_has - defaults.consent.by.0',
    ],
    ['{ kind: Tenant, name: t, defaults: { effect: ask, consent: { by: ["role:clerk"] } } }'],
  ]);
});

describe('a rule in error without an argument', () => {
  const DB = 'servers: [db], actions: [tools/call], resources';
  const on = (condition: string, effect = DENY, resources = '[pay]') =>
    policy(`${DB}: ${resources}`, `${effect}, when: "${condition}"`);
  const ERROR = 'error_without_argument r rules.0.when';
  rows([
    [on('arguments.amount > 10'), ERROR],
    [on('arguments.amount > 10', ASK), ERROR],
    [on('arguments.amount > 10', ALLOW)],
    [on('arguments.amount > 10', `${DENY}, enforce: false`)],
    [on("arguments.to == 'x'")],
    [on('has(arguments.amount) && arguments.amount > 10')],
    [on('!has(arguments.amount) || arguments.amount > 10')],
    [on('arguments.?amount.orValue(0) > 10')],
    [on("'amount' in arguments && arguments.amount > 10")],
    [on('has(arguments.amount) ? arguments.amount > 10 : false')],
    [on('has(arguments.note) && arguments.amount > 10')],
    [on('!has(arguments.note) && arguments.amount > 10'), ERROR],
    [on("arguments.to == 'x' && arguments.amount > 10"), ERROR],
    [on("subject.id == 'x' && arguments.amount > 10"), ERROR],
    [on("tool.name == 'query' && arguments.amount > 10", DENY, '[pay, query]')],
    [on("tool.name == 'pay' && arguments.amount > 10", DENY, '[pay, query]'), ERROR],
    // In error on one side only: the rule itself is not.
    [on("arguments.amount > 10 || tool.name == 'pay'")],
    [on('arguments.amount > 10', DENY, '["*"]'), ERROR],
    [on('arguments.amount > 10', DENY, '[query]')],
    [on("arguments.to == 'x'", DENY, '[odd]')],
    [on("arguments.to == 'x'", DENY, '[loose]')],
    [policy(`${DB}: [pay]`, `${DENY}, unless: "arguments.note == 'x'"`)],
    [policy(`${DB}: [pay]`, `${DENY}, when: "arguments.amount > 10", unless: "!has(arguments.amount)"`)],
    [policy('servers: [db], actions: [tools/list], resources: [pay]', `${DENY}, when: "arguments.amount > 10"`)],
    [policy('actions: ["tools/*"], resources: [pay]', `${DENY}, when: "arguments.amount > 10"`), ERROR],
  ]);

  it('names the argument that may be left out, also behind one that may not', () => {
    const documents = read(on("arguments.to == 'x' && arguments.amount > 10"));
    const [found] = lint(setOf([...read(WORLD), ...documents]), documents);
    expect(found?.message).toContain("may leave out 'amount'");
  });

  it('says how to write it, and stands where the argument is read', () => {
    const documents = read(`kind: Policy
name: p
target: { ${DB}: [pay] }
rules:
  - name: r
    effect: deny
    to: [any]
    when: subject.id == "x" && arguments.amount > 10
`);
    expect(lint(setOf([...read(WORLD), ...documents]), documents)).toEqual<LintFinding[]>([
      {
        code: 'error_without_argument',
        message:
          "a call of db/pay may leave out 'amount', which puts this rule in error: it is denied; write has(arguments.amount) && ... if it should not be",
        document: { kind: 'Policy', name: 'p' },
        rule: 'r',
        path: 'rules.0.when',
        file: '0.yaml',
        line: 8,
        column: 32,
      },
    ]);
  });
});

describe('lint', () => {
  it.each(readdirSync('examples'))('finds nothing in examples/%s', (example) => {
    const folder = join('examples', example);
    const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
    const documents = read(...files.map((name) => readFileSync(join(folder, name), 'utf8')));
    expect(lint(setOf(documents), documents)).toEqual([]);
    expect(documents.length).toBeGreaterThan(5);
  });

  it('looks at everything where it is not told what to look at, and then knows no places', () => {
    const documents = read(WORLD, policy(CALL, `${ALLOW}, via: [nobody]`));
    expect(lint(setOf(documents))).toEqual([
      {
        code: 'unknown_host',
        message: "there is no host 'nobody': register it, or mend the name",
        document: { kind: 'Policy', name: 'p' },
        rule: 'r',
        path: 'rules.0.via.0',
      },
    ]);
    expect(lint(setOf(documents), [])).toEqual([]);
    expect(documents.map(({ document }) => documentName(document))).toContain('p');
  });

  it('shows nothing on which a terminal would act', () => {
    const documents = read(policy('servers: ["\\e[31mx"], actions: [tools/list], resources: [a]', DENY));
    expect(lint(setOf(documents))[0]?.message).toContain("'\\u{1b}[31mx'");
  });

  it('passes over a condition that does not compile', () => {
    expect(found(policy(CALL, `${ALLOW}, when: "nope.x == 1"`))).toEqual([]);
  });
});

describe('an identity provider and its mappings', () => {
  const issuer = (members: string) => `{ kind: Issuer, name: i, issuer: 'https://idp.example.com', ${members} }`;
  const mapping = (name: string, ...rules: string[]) =>
    `{ kind: Mapping, name: ${name}, issuer: i, rules: [${rules.map((rule) => `{ ${rule} }`).join(', ')}] }`;
  const STOP = 'name: s, when: always, stop: true';
  const GIVE = 'name: r, when: [{ claim: /a, present: true }], roles: [clerk]';
  const IN = (group: string) => `name: r, when: [{ group: '${group}' }], roles: [clerk]`;
  rows([
    [issuer('profile: okta'), 'issuer_for_nothing - name'],
    [issuer('subjectTokens: { audiences: [a] }')],
    [issuer('workloads: {}')],
    [issuer('signIn: { clientId: c }')],
    [issuer('subjectTokens: { audiences: [a], type: any }'), 'any_token_type - subjectTokens.type'],
    [issuer('profile: entra, subjectTokens: { audiences: [a], type: any }')],
    [mapping('m', GIVE, STOP)],
    [mapping('m', STOP, GIVE), 'never_fires r rules.1'],
    [mapping('m', 'name: s, when: [{ claim: /a, present: true }], stop: true', GIVE)],
    [`${mapping('a', STOP)}\n---\n${mapping('b', GIVE)}`, 'never_fires r rules.0'],
    [`${mapping('b', STOP)}\n---\n${mapping('a', GIVE)}`],
    [
      mapping('m', 'name: r, when: always, administration: [auditor]'),
      'administration_for_all r rules.0.administration',
    ],
    [mapping('m', 'name: r, when: [{ claim: /a, present: true }], administration: [auditor]')],
    [
      `${issuer('workloads: {}, groups: { prefix: x/ }')}\n---\n${mapping('m', IN('a'))}`,
      'never_fires r rules.0.when.0.group',
    ],
    [`${issuer('workloads: {}, groups: { prefix: x/ }')}\n---\n${mapping('m', IN('x/a'))}`],
    [
      `${issuer('workloads: {}, profile: google')}\n---\n${mapping('m', IN('a'))}`,
      'never_fires r rules.0.when.0.group',
    ],
    [`${issuer('workloads: {}, profile: google, groups: { claim: /groups }')}\n---\n${mapping('m', IN('a'))}`],
  ]);

  it('gives roles to somebody, by inheritance as well', () => {
    const rule = policy(CALL, 'name: r, effect: allow, to: ["role:ghost"]');
    const given = mapping('m', 'name: r, when: [{ claim: /a, present: true }], roles: [ghost]');
    expect(found(rule)).toEqual(['role_nobody_has r rules.0.to.0']);
    expect(found(rule, `${WORLD}\n---\n${given}`)).toEqual([]);
  });
});

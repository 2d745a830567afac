import { describe, expect, it } from 'vitest';
import { BY_TOOL } from '../decide/request.js';
import { parseDocuments } from '../documents/parse.js';
import { documentName, type AnyDocument } from '../documents/schema.js';
import { PolicySet } from '../compile/policy-set.js';
import { forkForTests, hasTests, runTests, testSteps, type TestReport } from './run.js';

const COMPANY = `
kind: Tenant
name: default
defaults: { effect: deny, hostScope: {} }
---
{ kind: Host, name: desk }
---
kind: Server
name: crm
tools: { query: { operation: read }, erase: { operation: delete } }
---
{ kind: Scope, server: crm, operations: { deny: [admin] } }
---
{ kind: Role, name: sales }
---
{ kind: Binding, name: b, subjects: ['user:ann'], roles: [sales] }
---
{ kind: Binding, name: late, subjects: ['user:bob'], roles: [sales], expires: 2026-06-01T00:00:00Z }
---
{ kind: Subject, id: ann, groups: [], properties: { region: emea } }
---
kind: Policy
name: crm
target: { servers: [crm], actions: [tools/call], resources: ['*'] }
rules:
  - name: own-region
    effect: allow
    to: [role:sales]
    when: tool.operation == "read" && arguments.region == subject.properties.region
    obligations: [{ type: redact, fields: [ssn] }]
  - { name: erasing, effect: allow, to: [role:sales], when: tool.operation == "delete", consent: { by: [subject], uses: 1 } }
  - { name: never, effect: deny, to: [any], when: 'has(arguments.never)' }
  - { name: others, effect: deny, to: ['user:eve'] }
  - { name: trial, effect: deny, to: [any], enforce: false, when: arguments.region == "emea" }
  - { name: other-trial, effect: deny, to: ['user:eve'], enforce: false }
---
kind: Policy
name: notes
target: { actions: [read], resources: [{ type: note, id: '*' }] }
rules:
  - { name: own, effect: allow, to: [any], when: resource.properties.owner == subject.id && context.purpose == "work" }
  - { name: night, effect: deny, to: [any], when: now.getHours() > 20 }
  - { name: session, effect: deny, to: [any], when: 'session.id == "bad"' }
  - { name: asserted, effect: deny, to: [any], when: 'has(context.asserted.subject.spoofed)' }
`;

/** As libs/mcp has it, as far as it matters here. */
const operationOf = (action: string) => (action === 'tools/call' ? BY_TOOL : undefined);

function parsed(text: string): AnyDocument[] {
  const { documents, problems } = parseDocuments({ text });
  expect(problems).toEqual([]);
  return documents.map(({ document }) => document);
}

const setOf = (...texts: string[]): PolicySet =>
  PolicySet.of(texts.flatMap(parsed).map((document) => ({ document, version: 1 })));

const testWith = (...cases: string[]): string =>
  `kind: Test\nname: t\ndefaults: { subject: { id: ann }, host: desk, server: crm, tool: query, arguments: { region: emea } }\n` +
  `cases:\n${cases.map((each, at) => `  - { name: c${at}, ${each} }\n`).join('')}`;

const reportOf = (...cases: string[]): TestReport => runTests(setOf(COMPANY, testWith(...cases)), operationOf);
const NOTE = 'action: read, resource: { type: note, id: n, properties: { owner: ann } }, context: { purpose: work }';

describe('a case', () => {
  it.each(
    [
      'expect: { effect: allow }',
      'expect: { effect: allow, rule: crm/own-region, reason: allowed, obligations: [redact] }',
      'expect: { effect: allow, rule: [crm/own-region], obligations: [redact, redact] }',
      'request: { arguments: { region: apac } }, expect: { effect: deny, reason: no_rule_allows, obligations: [], rule: [] }',
      'request: { tool: erase }, expect: { effect: ask, rule: crm/erasing, reason: consent_required }',
      'request: { tool: erase }, consents: [crm/erasing], expect: { effect: allow, reason: allowed_by_consent }',
      'request: { arguments: { never: 1 } }, consents: [crm/erasing], expect: { effect: deny, rule: crm/never }',
      'request: { host: other }, expect: { effect: deny, reason: agent_unknown }',
      'request: { server: other }, expect: { effect: deny, reason: server_unknown }',
      'request: { tool: a b }, expect: { effect: deny, reason: resource_ambiguous }',
      'request: { tool: unheard-of }, expect: { effect: deny, reason: outside_boundary }',
      `request: { ${NOTE} }, expect: { effect: allow, rule: notes/own }`,
      `request: { ${NOTE}, session: { id: bad } }, expect: { effect: deny, rule: notes/session }`,
      `request: { ${NOTE}, subject: { id: ann, properties: { spoofed: 1 } } }, expect: { effect: deny, rule: notes/asserted }`,
      `request: { ${NOTE}, session: { id: good }, now: 2026-03-01T22:30:00Z }, expect: { effect: deny, rule: notes/night }`,
    ].map((each) => [
      each.includes('session')
        ? each
        : each.replace('context: { purpose: work }', 'context: { purpose: work }, session: { id: s }'),
    ]),
  )('passes where %s', (each) => {
    expect(reportOf(each).failures).toEqual([]);
  });

  it.each<[string, string]>([
    ['expect: { effect: deny }', 'expected deny, got allow by crm/own-region (allowed) with redact'],
    [
      'expect: { effect: allow, reason: allowed_by_consent }',
      'expected allow (allowed_by_consent), got allow by crm/own-region (allowed) with redact',
    ],
    [
      'expect: { effect: allow, rule: crm/erasing }',
      'expected allow by crm/erasing, got allow by crm/own-region (allowed) with redact',
    ],
    [
      'expect: { effect: allow, rule: [crm/own-region, crm/own-regoin] }',
      "expected allow by crm/own-region and crm/own-regoin, got allow by crm/own-region (allowed) with redact; there is no rule 'crm/own-regoin': mend 'rule'",
    ],
    [
      'expect: { effect: allow, obligations: [] }',
      'expected allow without obligations, got allow by crm/own-region (allowed) with redact',
    ],
    [
      'expect: { effect: allow, obligations: [log, redact] }',
      'expected allow with log and redact, got allow by crm/own-region (allowed) with redact',
    ],
    [
      'request: { tool: unheard-of }, expect: { effect: allow }',
      "expected allow, got deny (outside_boundary: outside the scope 'server:crm' by its operations: the Server document does not say what the tool 'unheard-of' does)",
    ],
    [
      'request: { tool: erase }, expect: { effect: allow }',
      'expected allow, got ask by crm/erasing (consent_required)',
    ],
    [
      'request: { tool: erase }, consents: [default], expect: { effect: ask }',
      "expected ask, got ask by crm/erasing (consent_required); nothing called 'default' has a consent block: mend 'consents'",
    ],
    [
      'consents: [crm/own-region], expect: { effect: allow }',
      "expected allow, got allow by crm/own-region (allowed) with redact; nothing called 'crm/own-region' has a consent block: mend 'consents'",
    ],
  ])('fails where %s', (each, message) => {
    expect(reportOf('expect: { effect: allow }', each)).toMatchObject({
      cases: 2,
      failures: [{ code: 'test_failed', message, document: { kind: 'Test', name: 't' }, case: 'c1', path: 'cases.1' }],
    });
  });

  it('tells what was expected and what came out', () => {
    expect(reportOf('expect: { effect: ask, rule: crm/x }').failures).toMatchObject([
      {
        expected: { effect: 'ask', rule: 'crm/x' },
        got: { effect: 'allow', reason: 'allowed', detail: null, rules: ['crm/own-region'], obligations: ['redact'] },
      },
    ]);
  });

  it('is decided on the first of January 2026 at noon where it says nothing else', () => {
    const bob = 'request: { subject: { id: bob, properties: { groups: [], region: emea } }';
    const report = reportOf(
      `${bob} }, expect: { effect: allow }`,
      `${bob}, now: 2026-05-31T23:59:59Z }, expect: { effect: allow }`,
      `${bob}, now: 2026-06-01T00:00:00Z }, expect: { effect: deny }`,
    );
    expect(report.failures).toEqual([]);
    const noon = 'now.getFullYear() == 2026 && now.getMonth() == 0 && now.getDate() == 1 && now.getHours() == 12';
    const policy = `kind: Policy\nname: p\ntarget: { actions: [x], resources: ['*'] }\nrules: [{ name: r, effect: allow, to: [any], when: '${noon}' }]\n`;
    const test =
      'kind: Test\nname: t\ndefaults: { subject: { id: a }, host: desk, resource: { type: y, id: z }, action: x }\ncases: [{ name: c, expect: { effect: allow } }]\n';
    expect(runTests(setOf(COMPANY, policy, test), operationOf).failures).toEqual([]);
  });

  it('can agree to what the tenant asks for by default', () => {
    const asking = COMPANY.replace('effect: deny, hostScope', 'effect: ask, consent: { by: [subject] }, hostScope');
    const test = testWith(
      'request: { arguments: { region: apac } }, expect: { effect: ask }',
      'request: { arguments: { region: apac } }, consents: [default], expect: { effect: allow, reason: allowed_by_consent }',
    );
    expect(runTests(setOf(asking, test), operationOf).failures).toEqual([]);
  });
});

describe('coverage', () => {
  it('counts the rules that decided or applied, and names the others', () => {
    expect(reportOf('expect: { effect: allow }').coverage).toEqual({
      rules: 8,
      covered: 1,
      percent: 12,
      uncovered: [
        { rule: 'crm/erasing', evaluated: true },
        { rule: 'crm/never', evaluated: true },
        { rule: 'crm/others', evaluated: false },
        { rule: 'notes/asserted', evaluated: false },
        { rule: 'notes/night', evaluated: false },
        { rule: 'notes/own', evaluated: false },
        { rule: 'notes/session', evaluated: false },
      ],
      shadow: { rules: 2, covered: 1 },
    });
  });

  it('counts a rule that applied and was overruled, whatever other cases came to', () => {
    const overruled = 'request: { arguments: { region: emea, never: 1 } }, expect: { effect: deny }';
    const other = 'request: { arguments: { region: apac } }, expect: { effect: deny }';
    for (const cases of [
      [overruled, other],
      [other, overruled],
    ])
      expect(reportOf(...cases).coverage).toMatchObject({ covered: 2 });
  });

  it('counts no rule that was only in error', () => {
    const inError = 'request: { arguments: {} }, expect: { effect: deny, reason: no_rule_allows }';
    const { coverage } = reportOf(inError);
    expect(coverage).toMatchObject({ covered: 0, percent: 0, shadow: { covered: 1 } });
    expect(coverage.uncovered).toContainEqual({ rule: 'crm/own-region', evaluated: true });
  });

  it('names the first hundred that are not covered', () => {
    const rules = Array.from({ length: 600 }, (_, at) => `  - { name: r${at}, effect: deny, to: ['user:x'] }\n`).join(
      '',
    );
    const many = `kind: Policy\nname: many\ntarget: { actions: [x], resources: ['*'] }\nrules:\n${rules}`;
    const { coverage } = runTests(setOf(COMPANY, many, testWith('expect: { effect: allow }')), operationOf);
    expect(coverage).toMatchObject({ rules: 608, covered: 1, percent: 0 });
    expect(coverage.uncovered).toHaveLength(100);
  });

  it('is whole where there is no rule', () => {
    const test = testWith('expect: { effect: deny }');
    expect(runTests(setOf(test), operationOf).coverage).toMatchObject({ rules: 0, percent: 100 });
  });
});

describe('the tests of a state', () => {
  it('are run in the order of their names, whatever else is there', () => {
    const second = testWith('expect: { effect: ask }').replace('name: t', 'name: a');
    const { tests, cases, failures } = runTests(
      setOf(COMPANY, testWith('expect: { effect: deny }'), second),
      operationOf,
    );
    expect([tests, cases, failures.map(({ document }) => document.name)]).toEqual([2, 2, ['a', 't']]);
  });

  it('pass or fail whoever is suspended', () => {
    const suspended = (['Server', 'Host', 'Subject', 'Tenant'] as const).map((of): AnyDocument => {
      return {
        kind: 'Suspension',
        of,
        name: { Server: 'crm', Host: 'desk', Subject: 'user:ann', Tenant: 'default' }[of],
      };
    });
    const base = setOf(COMPANY, testWith('expect: { effect: allow }'));
    base.apply(
      suspended.map((document) => ({
        kind: 'Suspension',
        name: documentName(document),
        stored: { document, version: 1 },
      })),
    );
    expect(runTests(base, operationOf).failures).toHaveLength(1);
    expect(runTests(forkForTests(base, []), operationOf).failures).toEqual([]);
    expect(runTests(base, operationOf).failures).toHaveLength(1);
  });

  it('see the documents as they would be', () => {
    const base = setOf(COMPANY);
    const [test] = parsed(testWith('expect: { effect: deny }'));
    const changes = [
      { kind: 'Test', name: 't', stored: { document: test!, version: 0 } },
      { kind: 'Binding', name: 'b' },
    ] as const;
    const fork = forkForTests(base, changes);
    expect([hasTests(base.documents), hasTests(fork.documents)]).toEqual([false, true]);
    expect(runTests(fork, operationOf)).toMatchObject({ cases: 1, failures: [] });
  });

  it('come to nothing if the state changes while they run, in whichever step', () => {
    const cases = Array.from({ length: 3 }, () => 'expect: { effect: allow }');
    const rules = Array.from({ length: 900 }, (_, at) => `  - { name: r${at}, effect: deny, to: ['user:x'] }\n`).join(
      '',
    );
    const many = `kind: Policy\nname: many\ntarget: { actions: [x], resources: ['*'] }\nrules:\n${rules}`;
    const steps = (changeAfter: number, ...more: string[]): { steps: number; report: TestReport | undefined } => {
      const base = setOf(COMPANY, ...more, testWith(...cases));
      const run = testSteps(forkForTests(base, []), operationOf);
      for (let step = 0; ; step++) {
        if (step === changeAfter) base.apply([{ kind: 'Binding', name: 'b' }]);
        const { done, value } = run.next();
        if (done) return { steps: step, report: value };
      }
    };
    const whole = steps(Infinity, many);
    expect(whole.report).toMatchObject({ cases: 3, failures: [] });
    expect(whole.steps).toBe(4);
    for (let after = 0; after <= 4; after++) expect(steps(after, many)).toEqual({ steps: after, report: undefined });
    for (let after = 0; after <= 3; after++) expect(steps(after)).toEqual({ steps: after, report: undefined });
  });
});

describe('a case about a verified subject', () => {
  const RULES = `
kind: Policy
name: token
target: { servers: [crm], actions: [tools/call], resources: [query] }
rules:
  - { name: weak, effect: deny, to: [any], when: 'has(subject.token) && subject.token.acr != "mfa"' }
  - { name: staff, effect: allow, to: ['group:staff'], when: subject.assurance == "verified" }
  - { name: leavers, effect: deny, to: ['group:leavers'] }
`;
  const ask = (subject: string, expected: string) =>
    `request: { subject: { id: cid, ${subject} } }, expect: { ${expected} }`;
  it('has the groups and the token that it says, and no others', () => {
    const cases = [
      ask('assurance: verified, groups: [staff], token: { acr: mfa }', 'effect: allow, rule: token/staff'),
      ask('assurance: verified, groups: [staff], token: { acr: pwd }', 'effect: deny, rule: token/weak'),
      ask('assurance: verified, groups: [staff]', 'effect: allow'),
      ask('assurance: verified, groups: [staff, leavers]', 'effect: deny, rule: token/leavers'),
      ask('assurance: verified', 'effect: deny, reason: rule_in_error'),
      ask('assurance: verified, properties: { groups: [staff] }', 'effect: deny, reason: rule_in_error'),
      ask('properties: { groups: [staff] }', 'effect: deny, reason: no_rule_allows'),
    ];
    expect(runTests(setOf(COMPANY, RULES, testWith(...cases)), operationOf).failures).toEqual([]);
  });

  it('alone has groups and a token', () => {
    const found = (subject: string) => parseDocuments({ text: testWith(ask(subject, 'effect: deny')) }).problems;
    expect(found('assurance: verified, token: {}')).toEqual([]);
    for (const subject of ['token: {}', 'groups: [a]', 'assurance: asserted, groups: []']) {
      expect(found(subject)).toMatchObject([
        { message: 'groups and token are those of a verified subject: write assurance: verified' },
      ]);
    }
  });
});

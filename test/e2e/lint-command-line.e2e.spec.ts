import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestService, type TestService } from '../support/service.js';
import { as, openTerminal } from '../support/terminal.js';

const terminal = openTerminal();
const { folder, placet, work } = terminal;

/** With the documents of the quickstart. */
let quickstart: TestService;
/** With none, for those that delete what they do not know. */
let empty: TestService;

beforeAll(async () => {
  [quickstart, empty] = await Promise.all([startTestService(), startTestService({ quickstart: false })]);
});

afterAll(async () => {
  await Promise.all([quickstart.close(), empty.close()]);
  terminal.close();
});

/** What the tests of the quickstart come to, where nothing that they cover is changed. */
const QUICKSTART_TESTS = '31 cases in 6 tests: all pass; 11 of 11 rules covered (100 %)\n';

describe('lint', () => {
  const DOUBTFUL =
    'kind: Policy\nname: doubt\ntarget: { servers: [nowhere], actions: [tools/list], resources: [echo] }\n' +
    'rules: [{ name: all, effect: deny, to: [any] }]\n';
  const FINDING =
    "doubtful/a.yaml:3:21: there is no server 'nowhere': add a Server document, or mend the name (Policy doubt) [unknown_server]";

  it('needs no service and no key, says what is hardly meant, and exits with 1 if there is anything', async () => {
    folder('doubtful', { 'a.yaml': DOUBTFUL });
    expect(await placet(['lint', 'doubtful'])).toEqual({ code: 1, stdout: `${FINDING}\n`, stderr: '' });
    folder('doubtful', { 'a.yaml': DOUBTFUL.replace('[nowhere]', '["*"]') });
    expect(await placet(['lint', 'doubtful'])).toEqual({
      code: 0,
      stdout: 'nothing found in 1 document in 1 file\n',
      stderr: '',
    });
  });

  it('says what cannot be saved at all', async () => {
    folder('doubtful', { 'a.yaml': DOUBTFUL.replace('any', 'role:x') });
    expect(await placet(['lint', 'doubtful'])).toEqual({
      code: 1,
      stdout: '',
      stderr: "placet: doubtful/a.yaml:4:41: there is no role 'x': add a Role document (Policy doubt, rule all)\n",
    });
  });

  it('is part of validate and apply, which go on', async () => {
    folder('doubtful', { 'a.yaml': DOUBTFUL });
    const stderr = `warning: ${FINDING}\n`;
    expect(await placet(['validate', 'doubtful'], as(quickstart))).toEqual({
      code: 0,
      stdout: `1 document in 1 file is valid\n${QUICKSTART_TESTS.replace('11 of 11 rules covered (100', '11 of 12 rules covered (91')}`,
      stderr,
    });
    expect(await placet(['apply', 'doubtful'], as(quickstart))).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('1 created, 0 updated, 0 deleted, 0 unchanged; revision'),
      stderr,
    });
    expect(await placet(['apply', 'doubtful'], as(quickstart))).toMatchObject({ code: 0, stderr });
  });
});

describe('test', () => {
  const SET =
    '{ kind: Tenant, name: default, defaults: { effect: deny, hostScope: {} } }\n---\n{ kind: Host, name: till }\n---\n' +
    '{ kind: Server, name: crm }\n---\nkind: Policy\nname: crm\n' +
    'target: { servers: [crm], actions: [tools/call], resources: [query] }\n' +
    "rules: [{ name: ann, effect: allow, to: ['user:ann'] }, { name: eve, effect: deny, to: ['user:eve'] }]\n";
  const TEST =
    'kind: Test\nname: people\ndefaults: { host: till, server: crm, tool: query }\ncases:\n' +
    '  - { name: ann may, request: { subject: { id: ann, properties: { groups: [] } } }, expect: { effect: allow } }\n' +
    '  - { name: eve may, request: { subject: { id: eve } }, expect: { effect: allow, rule: crm/eva } }\n';

  it('needs no service and no key, and tells what fails, and where', async () => {
    folder('tested', { 'a.yaml': SET, 'tests/t.yaml': TEST });
    expect(await placet(['test', 'tested'])).toEqual({
      code: 1,
      stdout:
        'FAILED tested/tests/t.yaml:6: people: eve may\n' +
        '  expected: allow by crm/eva\n' +
        '  got:      deny by crm/eve (denied_by_rule)\n' +
        "  there is no rule 'crm/eva': mend 'rule'\n" +
        '2 cases in 1 test: 1 failed\n' +
        '2 of 2 rules covered (100 %)\n',
      stderr: '',
    });
    const lines = TEST.split('\n');
    folder('tested', { 'a.yaml': SET, 'tests/t.yaml': lines.slice(0, 5).join('\n') });
    const passed = '1 case in 1 test: all pass\n1 of 2 rules covered (50 %)\n  not covered: crm/eve, never reached\n';
    expect(await placet(['test', 'tested'])).toEqual({ code: 0, stdout: passed, stderr: '' });
    expect(await placet(['test', 'tested/tests/t.yaml', 'tested/a.yaml'])).toMatchObject({ code: 0, stdout: passed });
  });

  it('prints the same as JSON', async () => {
    folder('tested', { 'a.yaml': SET, 'tests/t.yaml': TEST });
    const { code, stdout } = await placet(['test', 'tested', '--json']);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject([
      {
        set: 'tested',
        tests: 1,
        cases: 2,
        failures: [{ file: 'tested/tests/t.yaml', line: 6, case: 'eve may', got: { effect: 'deny' } }],
        coverage: { rules: 2, covered: 2 },
      },
    ]);
  });

  it('fails where there is no test, and where the documents cannot be saved', async () => {
    folder('tested', { 'a.yaml': SET });
    expect(await placet(['test', 'tested'])).toEqual({
      code: 1,
      stdout: 'there is no Test document in tested\n',
      stderr: '',
    });
    folder('tested', { 'a.yaml': SET, 't.yaml': TEST.replace('host: till, ', '') });
    expect(await placet(['test', 'tested'])).toEqual({
      code: 1,
      stdout: '',
      stderr:
        "placet: tested/t.yaml:5:5: 'host' is missing: the application that asks (Test people, case 'ann may')\n" +
        "tested/t.yaml:6:5: 'host' is missing: the application that asks (Test people, case 'eve may')\n",
    });
    folder('tested', { 'a.yaml': SET.replace("'user:ann'", "'role:nobody'"), 't.yaml': TEST });
    expect((await placet(['test', 'tested'])).stderr).toContain("there is no role 'nobody'");
  });

  it('takes folders with a Tenant each for sets of their own, as lint does', async () => {
    const good = TEST.split('\n').slice(0, 5).join('\n');
    folder('sets', { 'one/a.yaml': SET, 'one/t.yaml': good, 'two/a.yaml': SET, 'more/three/a.yaml': SET });
    const { code, stdout } = await placet(['test', 'sets']);
    expect(code).toBe(0);
    expect(stdout.match(/^sets.*|^there.*|^1 case.*/gm)).toEqual([
      'sets/more:',
      'there is no Test document in sets/more',
      'sets/one:',
      '1 case in 1 test: all pass',
      'sets/two:',
      'there is no Test document in sets/two',
    ]);
    expect((await placet(['test', 'sets/one', 'sets/two'])).code).toBe(0);
    expect((await placet(['lint', 'sets'])).stderr).toBe('');
    folder('sets', { 'a.yaml': SET, 'two/a.yaml': SET, 'two/t.yaml': good });
    expect((await placet(['test', 'sets'])).stderr).toContain("there is another Tenant named 'default'");
  });

  it('passes on the examples, of which it covers every rule', async () => {
    cpSync('examples', join(work, 'examples'), { recursive: true });
    const { code, stdout } = await placet(['test', 'examples', '--json']);
    expect(code).toBe(0);
    const sets = JSON.parse(stdout) as { set: string; coverage: { percent: number } }[];
    expect(sets.map(({ set, coverage }) => [set, coverage.percent])).toEqual([
      ['examples/authzen-certification', 100],
      ['examples/authzen-todo', 100],
      ['examples/quickstart', 100],
    ]);
  });

  it('is what validate and apply do with the service, and its failures stop them', async () => {
    folder('tested', { 'a.yaml': SET, 'tests/t.yaml': TEST });
    expect(await placet(['apply', 'tested'], as(empty))).toEqual({
      code: 1,
      stdout: '',
      stderr:
        "placet: tested/tests/t.yaml:6:5: expected allow by crm/eva, got deny by crm/eve (denied_by_rule); there is no rule 'crm/eva': mend 'rule' (Test people, case 'eve may')\n",
    });
    folder('tested', { 'a.yaml': SET, 't.yaml': TEST.replace('allow, rule: crm/eva', 'deny') });
    const line = '2 cases in 1 test: all pass; 2 of 2 rules covered (100 %)\n';
    expect((await placet(['validate', 'tested'], as(empty))).stdout).toBe(`5 documents in 2 files are valid\n${line}`);
    expect((await placet(['apply', 'tested'], as(empty))).stdout).toContain(line);
    folder('tested', { 'a.yaml': 'kind: Role\nname: left\n' });
    expect((await placet(['apply', 'tested', '--prune'], as(empty))).code).toBe(0);
  });
});

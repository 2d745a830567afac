import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateApiKey } from '#identity';
import { COMPILED } from '../support/command-line.js';
import { FROM_THE_SOURCES } from '../support/from-sources.js';
import { startTestService, type TestService } from '../support/service.js';

/** With the documents of the quickstart. */
let quickstart: TestService;
/** What its tests come to, where nothing that they cover is changed. */
const QUICKSTART_TESTS = '31 cases in 6 tests: all pass; 11 of 11 rules covered (100 %)\n';
/** With none, for those that delete what they do not know. */
let empty: TestService;
let work: string;

beforeAll(async () => {
  work = mkdtempSync(join(tmpdir(), 'placet command line '));
  [quickstart, empty] = await Promise.all([startTestService(), startTestService({ quickstart: false })]);
});

afterAll(async () => {
  await Promise.all([quickstart.close(), empty.close()]);
  rmSync(work, { recursive: true, force: true });
});

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Environment {
  readonly PLACET_URL?: string | undefined;
  readonly PLACET_KEY?: string | undefined;
}

/** One command line, as a person would type it in the folder `work`. The key is never shown. */
async function placet(args: readonly string[], environment: Environment = {}, listen = true): Promise<Ended> {
  const child = spawn(process.execPath, [...FROM_THE_SOURCES, join(process.cwd(), 'apps/cli/src/main.ts'), ...args], {
    cwd: work,
    env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: COMPILED, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  if (listen) child.stdout.on('data', (chunk) => (stdout += String(chunk)));
  else child.stdout.destroy();
  child.stderr.on('data', (chunk) => (stderr += String(chunk)));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  const { PLACET_KEY: key = '' } = environment;
  if (key.length > 8) expect(stdout + stderr).not.toContain(key.slice(8));
  expect(stdout + stderr).not.toMatch(/\n\s+at /);
  return { code, stdout, stderr };
}

const as = (service: TestService, key = service.owner): Environment => ({ PLACET_URL: service.url, PLACET_KEY: key });

/** A folder of policy files in `work`, called `name`. */
function folder(name: string, files: Readonly<Record<string, string>>): string {
  rmSync(join(work, name), { recursive: true, force: true });
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(work, name, path)), { recursive: true });
    writeFileSync(join(work, name, path), text);
  }
  return name;
}

async function revision(service: TestService): Promise<number> {
  const { body } = await service.call('POST', '/api/v1/documents/apply', { body: { files: [] } });
  return body.revision as number;
}

const documentNames = async (service: TestService): Promise<string[]> =>
  (await placet(['get'], as(service))).stdout.trim().split('\n');

describe('apply', () => {
  const ROLES = 'kind: Role\nname: clerk\n---\nkind: Role\nname: chief\ninherits: [clerk]\n';
  const POLICY =
    'kind: Policy\nname: echo\ntarget: { actions: [tools/call], resources: [echo] }\n' +
    'rules:\n  - { name: all, effect: allow, to: [any] }\n';

  it('prints what it changes, changes it once, and deletes with --prune only', async () => {
    const files = { 'roles.yaml': ROLES, 'below/echo.yml': POLICY, 'notes.txt': 'kind: Nothing', '.git/x.yaml': 'x' };
    folder('life', files);
    const apply = (...options: string[]) => placet(['apply', 'life', ...options], as(empty));
    const before = await revision(empty);

    const planned = await apply('--dry-run');
    expect(planned).toMatchObject({ code: 0, stderr: '' });
    expect(planned.stdout.split('\n')).toEqual(
      expect.arrayContaining([
        'Policy echo (created)',
        '    + kind: Policy',
        'Role chief (created)',
        '    + name: chief',
      ]),
    );
    expect(planned.stdout).toContain('3 created, 0 updated, 0 deleted, 0 unchanged; nothing was changed (--dry-run)\n');
    expect(await revision(empty)).toBe(before);

    const applied = await apply();
    const [diff] = planned.stdout.split('3 created');
    expect(applied).toEqual({
      code: 0,
      stdout: `${diff}3 created, 0 updated, 0 deleted, 0 unchanged; revision ${before + 1}\n`,
      stderr: '',
    });

    expect(await apply()).toEqual({
      code: 0,
      stdout: 'nothing to do: 3 documents are as they should be\n',
      stderr: '',
    });
    expect(await revision(empty)).toBe(before + 1);

    folder('life', { 'roles.yaml': ROLES, 'below/echo.yml': POLICY.replace('[echo]', '[echo, get-sum]') });
    const changed = await apply();
    expect(changed.stdout).toContain('Policy echo (updated)\n      kind: Policy\n');
    // The stored document has its members in another order; only what was changed is shown.
    expect(changed.stdout.match(/^ {4}[-+] .*$/gm)).toEqual(['    +     - get-sum']);
    expect(changed.stdout).toContain(`0 created, 1 updated, 0 deleted, 2 unchanged; revision ${before + 2}\n`);

    folder('life', { 'roles.yaml': ROLES.replace('inherits: [clerk]\n', '') });
    expect((await apply()).stdout).toContain('0 created, 1 updated, 0 deleted, 1 unchanged; revision');
    expect((await apply()).stdout).toBe('nothing to do: 2 documents are as they should be\n');
    expect(await documentNames(empty)).toContain('Policy echo (version 2)');

    const pruned = await apply('--prune');
    expect(pruned.stdout).toContain('Policy echo (deleted)\n    - kind: Policy\n');
    expect(pruned.stdout).toContain(' 1 deleted, 2 unchanged; revision');
    const left = await documentNames(empty);
    expect(left).toContain('Role clerk (version 1)');
    expect(left.filter((line) => line.startsWith('Policy'))).toEqual([]);
  });

  it('of the quickstart, where it is already, changes nothing', async () => {
    cpSync('examples/quickstart', join(work, 'quickstart'), { recursive: true });
    const { code, stdout } = await placet(['apply', 'quickstart'], as(quickstart));
    expect(code).toBe(0);
    expect(stdout).toMatch(/^nothing to do: \d\d documents are as they should be\n$/);
  });

  it('changes nothing where anything is wrong, and says all that is', async () => {
    folder('wrong', {
      'a.yaml': 'kind: Role\nname: fine\n---\nkind: Role\nname: x\nparent: y\n',
      'b.yaml': POLICY.replace(', to: [any]', '').replace('kind: Policy', 'kind: Policy\nrule: x'),
      'c.json': '{"kind": "Rule",\n "name": "x"}',
      'd.yaml': 'kind: Role\nname: [unclosed\n',
    });
    const before = await revision(quickstart);
    const applied = await placet(['apply', 'wrong'], as(quickstart));
    expect(applied).toMatchObject({ code: 1, stdout: '' });
    const lines = applied.stderr
      .replace(/^placet: /, '')
      .trimEnd()
      .split('\n');
    expect(lines.sort()).toEqual([
      expect.stringMatching(/^wrong\/a\.yaml:6:1: .*'parent'.* \(Role x\)$/),
      expect.stringMatching(/^wrong\/b\.yaml:2:1: .*'rule'.* \(Policy echo\)$/),
      expect.stringMatching(/^wrong\/b\.yaml:6:5: .* \(Policy echo, rule all\)$/),
      expect.stringMatching(/^wrong\/c\.json:1:10: kind is one of Role, /),
      expect.stringMatching(/^wrong\/d\.yaml:3:1: /),
    ]);
    expect(await revision(quickstart)).toBe(before);
    expect(await documentNames(quickstart)).not.toContain('Role fine (version 1)');
    expect(await placet(['validate', 'wrong'], as(quickstart))).toEqual(applied);
  });

  it('says where in a rule a condition is wrong', async () => {
    const wrong = (condition: string) => POLICY.replace('to: [any]', `to: [any], when: ${condition}`);
    folder('conditions', {
      'p.yaml': wrong('nope.x == 1'),
      'q.yaml': wrong('subject.id > 1').replace('echo', 'other'),
    });
    const { code, stdout, stderr } = await placet(['apply', 'conditions'], as(quickstart));
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/^placet: conditions\/p\.yaml:5:50: Unknown variable: nope \(Policy echo, rule all\)$/),
      expect.stringMatching(/^conditions\/q\.yaml:5:50: .*string > int.* \(Policy other, rule all\)$/),
    ]);
  });
});

describe('validate', () => {
  it('counts what is valid, and stores nothing', async () => {
    folder('valid', {
      'a.yaml': 'kind: Role\nname: one\n---\nkind: Role\nname: two\n',
      'b.json': '{"kind":"Role","name":"b"}',
    });
    const before = await revision(quickstart);
    expect(await placet(['validate', 'valid'], as(quickstart))).toEqual({
      code: 0,
      stdout: `3 documents in 2 files are valid\n${QUICKSTART_TESTS}`,
      stderr: '',
    });
    expect((await placet(['validate', 'valid/b.json'], as(quickstart))).stdout).toBe(
      `1 document in 1 file is valid\n${QUICKSTART_TESTS}`,
    );
    expect(await revision(quickstart)).toBe(before);
  });

  it('names a file without a document', async () => {
    folder('hollow', { 'a.yaml': 'kind: Role\nname: one\n', 'b.yaml': '# kind: Role\n' });
    const warning = 'placet: warning: there is no document in hollow/b.yaml\n';
    expect(await placet(['validate', 'hollow'], as(quickstart))).toEqual({
      code: 0,
      stdout: `1 document in 2 files is valid\n${QUICKSTART_TESTS}`,
      stderr: warning,
    });
    expect((await placet(['apply', 'hollow', '--dry-run'], as(quickstart))).stderr).toBe(warning);
  });
});

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

describe('get', () => {
  it('lists documents, of one kind or of all', async () => {
    const { code, stdout } = await placet(['get', 'Role'], as(quickstart));
    expect(code).toBe(0);
    expect(stdout).toBe('Role comms-lead (version 1)\nRole employee (version 1)\nRole sales (version 1)\n');
    expect(await documentNames(quickstart)).toEqual(expect.arrayContaining(stdout.trim().split('\n')));
  });

  it('prints one in the form in which it can be applied again', async () => {
    const { stdout } = await placet(['get', 'Policy', 'database'], as(quickstart));
    expect(stdout).toMatch(/^kind: Policy\nname: database\n/);
    folder('again', { 'database.yaml': stdout });
    expect((await placet(['apply', 'again'], as(quickstart))).stdout).toContain('nothing to do');
  });

  it('prints JSON for programs', async () => {
    const one = await placet(['get', 'Role', 'sales', '--json'], as(quickstart));
    const expected = { kind: 'Role', name: 'sales', version: 1, document: { inherits: ['employee'] } };
    expect(JSON.parse(one.stdout)).toMatchObject(expected);
    const all = await placet(['get', 'Role', '--json'], as(quickstart));
    expect(
      all.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown)[2],
    ).toMatchObject(expected);
  });

  it('does not mind a reader that has seen enough', async () => {
    expect(await placet(['get'], as(quickstart), false)).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it('says what is not there', async () => {
    expect(await placet(['get', 'Role', 'nobody'], as(quickstart))).toEqual({
      code: 1,
      stdout: '',
      stderr: "placet: there is no Role named 'nobody'.\n",
    });
  });
});

describe('host create', () => {
  it('prints a key once, which works', async () => {
    const create = (...options: string[]) => placet(['host', 'create', 'desk', ...options], as(quickstart));
    const first = await create('--title', 'The desk', '--may-speak-for', 'user:*', '--explain');
    expect(first).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^placet_test_\w+\n$/) as unknown,
      stderr: expect.stringMatching(
        /^registered the host 'desk'\nits key, shown this once:\n'desk' is denied everything/,
      ) as unknown,
    });
    const key = first.stdout.trim();
    const asked = await placet(
      ['decide', '--subject', 'user:ann', '--server', 'crm', '--tool', 'x'],
      as(quickstart, key),
    );
    expect(asked.code).toBe(3);
    expect((await placet(['get', 'Host', 'desk'], as(quickstart))).stdout).toBe(
      'kind: Host\nname: desk\ntitle: The desk\n',
    );

    const second = await create();
    expect(second).toMatchObject({ code: 0, stderr: expect.stringMatching(/^its key, shown this once:\n/) as unknown });
    expect(second.stdout).not.toBe(first.stdout);
    const mute = await placet(
      ['decide', '--subject', 'user:ann', '--server', 'crm', '--tool', 'x'],
      as(quickstart, second.stdout.trim()),
    );
    expect(mute).toMatchObject({ code: 1, stdout: '' });
  });

  it('shows the Scope without which the host is denied everything, and is silent once there is one', async () => {
    const create = () => placet(['host', 'create', 'scoped', '--may-speak-for', 'user:*'], as(quickstart));
    const { stdout, stderr } = await create();
    const echo = () =>
      placet(
        [
          'decide',
          '--subject',
          'user:ann',
          '--server',
          'everything',
          '--tool',
          'echo',
          '--arguments',
          '{"message":"x"}',
        ],
        as(quickstart, stdout.trim()),
      );
    expect((await echo()).code).toBe(3);
    const [, scope] = stderr.split('\n\n');
    expect(scope).toBe("kind: Scope\nhost: scoped\nservers: { allow: ['*'] }\nactions: { allow: ['*'] }\n");
    folder('scope', { 'scoped.yaml': scope! });
    expect((await placet(['apply', 'scope'], as(quickstart))).code).toBe(0);
    expect((await echo()).code).toBe(0);
    expect((await create()).stderr).toBe('its key, shown this once:\n');
  });

  it('needs no Scope where the tenant has a default', async () => {
    const defaults = 'kind: Tenant\nname: default\ndefaults: { hostScope: { actions: { allow: ["*"] } } }\n';
    folder('defaults', { 'tenant.yaml': defaults });
    expect((await placet(['apply', 'defaults'], as(empty))).code).toBe(0);
    const { stderr } = await placet(['host', 'create', 'desk'], as(empty));
    expect(stderr).toBe("registered the host 'desk'\nits key, shown this once:\n");
  });

  it('says what is wrong with a name, and no line of a text that nobody wrote', async () => {
    const { code, stderr } = await placet(['host', 'create', 'bad name'], as(quickstart));
    expect(code).toBe(1);
    expect(stderr).toMatch(/^placet: a name has 1 to 128 letters.* \(Host bad name\)\n$/);
  });
});

describe('decide', () => {
  const decide = (...args: string[]) =>
    placet(['decide', '--subject', 'user:ann', ...args], as(quickstart, quickstart.host));

  it.concurrent.each<[string, string[], number, object]>([
    ['allows', ['--server', 'everything', '--tool', 'echo', '--arguments', '{"message":"hi"}'], 0, { effect: 'allow' }],
    [
      'denies',
      ['--server', 'everything', '--tool', 'get-env'],
      3,
      { effect: 'deny', reason: { code: 'denied_by_rule' } },
    ],
    [
      'asks',
      ['--server', 'database-server', '--tool', 'delete_database_record', '--arguments', '{"id":7}'],
      4,
      { effect: 'ask', ask: { requirements: [{ rule: 'delete-with-consent' }] } },
    ],
  ])('%s, and exits by it', async (_what, args, code, answer) => {
    const asked = await decide(...args);
    expect(asked).toMatchObject({ code, stderr: '' });
    expect(JSON.parse(asked.stdout)).toMatchObject(answer);
  });

  it('says why, where it is asked to', async () => {
    const asked = await decide('--server', 'crm', '--tool', 'query', '--explain');
    expect(asked).toMatchObject({ code: 3, stderr: '' });
    const lines = asked.stdout.split('\n');
    expect(lines[0]).toBe('deny (no_rule_allows): No policy allows this.');
    expect(lines).toContain('settled because no allow rule applies (step 3)');

    const wrong = await decide('--server', 'database-server', '--tool', 'query', '--explain');
    expect(wrong.stdout).toContain('allow rule database@1/look-things-up: true (decided)');
    expect(wrong.stdout).toContain('when: tool.operation == "delete" is false; tool.operation: "query"');
    expect(wrong.stdout).toContain('role sales: held (group:sales-emea by binding sales-people)');
    expect(wrong.stdout).toContain('would be otherwise: without the role sales: then deny (no_rule_allows)');
  });

  it('takes a whole request from a file', async () => {
    const request = {
      subject: { type: 'user', id: 'ann' },
      server: 'crm',
      direction: 'client_to_server',
      message: { jsonrpc: '2.0', id: 1, method: 'resources/read', params: { uri: 'db://customers/emea' } },
    };
    writeFileSync(join(work, 'request.json'), JSON.stringify(request));
    const asked = await placet(['decide', '--file', 'request.json'], as(quickstart, quickstart.host));
    expect(asked.code).toBe(0);
    expect(JSON.parse(asked.stdout)).toMatchObject({ effect: 'allow', obligations: [{ type: 'log' }] });
  });
});

describe('who-can and what-can', () => {
  const ask = (...args: string[]) => placet(args, as(quickstart));

  it('tell who can, through which host, and by which rules', async () => {
    expect(
      await ask('who-can', '--server', 'database-server', '--tool', 'delete_database_record', '--host', 'quickstart'),
    ).toEqual({
      code: 0,
      stdout: [
        'WHO       THROUGH     ANSWER  BY',
        'user:ann  quickstart  ask     asks database/delete-with-consent (role sales: binding sales-people, group sales-emea)',
        'user:bob  quickstart  ask     asks database/delete-with-consent (role sales: binding sales-people, group sales-apac)',
        '',
      ].join('\n'),
      stderr: '',
    });
    const mail = await ask('who-can', '--server', 'mail-server', '--tool', 'send_email', '--host', 'quickstart');
    expect(mail.stdout).toContain(
      'allow (conditional)  mail/employees (role comms-lead > employee: binding john); perhaps asks mail/mass-mail-needs-a-person (anybody)',
    );
    const few = ['--arguments', '{"recipients":["a@example.com"],"subject":"","body":""}'];
    expect((await ask('who-can', '--server', 'mail-server', '--tool', 'send_email', ...few)).stdout).not.toContain(
      'perhaps',
    );
    const crm = await ask(
      'who-can',
      '--server',
      'crm',
      '--resource',
      'resource:db://customers/emea',
      '--host',
      'quickstart',
      '--json',
    );
    expect(
      crm.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as object),
    ).toMatchObject([
      { subject: { id: 'ann' } },
      { subject: { id: 'john@example.com' }, rules: [{ rule: 'own-region', reached: [{ by: 'subject' }] }] },
    ]);
    const nobody = await ask('who-can', '--server', 'everything', '--tool', 'get-env');
    expect(nobody).toEqual({ code: 0, stdout: '', stderr: 'nobody can\n' });
  });

  it('tell what somebody can, and which rules reach further', async () => {
    const { code, stdout, stderr } = await ask(
      'what-can',
      '--subject',
      'user:ann',
      '--server',
      'database-server',
      '--host',
      'quickstart',
    );
    expect(code).toBe(0);
    expect(stdout.split('\n').map((line) => line.split(/ {2,}/).slice(1, 5).join(' '))).toEqual([
      'RESOURCE ACTION THROUGH ANSWER',
      ...[
        'initialize',
        'logging/setLevel',
        'prompts/list',
        'resources/list',
        'resources/templates/list',
        'server/discover',
        'tools/list',
      ].map((method) => `mcp_server:database-server ${method} quickstart allow`),
      'tool:delete_database_record tools/call quickstart ask',
      'tool:query tools/call quickstart allow',
      'tool:read_record tools/call quickstart allow',
      '',
    ]);
    expect(stderr).toContain('database/look-things-up reaches further: tools/call of * (database-server)\n');

    const host = await ask('what-can', '--host', 'quickstart', '--server', 'file-server');
    expect(host.stdout).toMatch(/tool:write_file +tools\/call +quickstart +open \(conditional\)\n/);
  });

  it.concurrent.each<[string[], number, string]>([
    [['who-can', '--server', 'crm'], 2, 'who-can needs'],
    [['who-can', '--server', 'crm', '--tool', 'x', '--resource', 'prompt:x'], 2, 'who-can needs'],
    [['who-can', '--server', 'crm', '--resource', 'x'], 2, 'write --resource TYPE:ID'],
    [['who-can', '--tool', 'x'], 1, 'name the Server'],
    [['who-can', '--server', 'nowhere', '--tool', 'x'], 1, "there is no Server named 'nowhere'"],
    [['what-can'], 2, 'what-can needs'],
    [['what-can', '--subject', 'ann'], 2, 'write --subject TYPE:ID'],
    [['what-can', '--host', 'nobody'], 1, "there is no Host named 'nobody'"],
  ])('%j: %d, %s', async (args, code, message) => {
    const asked = await ask(...args);
    expect(asked).toMatchObject({ code, stdout: '' });
    expect(asked.stderr).toContain(message);
  });
});

describe('decide with the key of an administrator', () => {
  it('says whose key it takes', async () => {
    const asked = await placet(['decide', '--subject', 'user:a', '--server', 's', '--tool', 't'], as(quickstart));
    expect(asked).toMatchObject({ code: 1, stdout: '' });
    expect(asked.stderr).toContain('can ask for decisions: set PLACET_KEY to the key of a host.');
  });
});

describe('draft, publish, history, diff and rollback', () => {
  const role = (description: string) => `kind: Role\nname: drafted\ndescription: ${description}\n`;
  const lines = (text: string) => text.trimEnd().split('\n');

  it('prepare a change, make it hold, show it and take it back', async () => {
    const run = (...args: string[]) => placet(args, as(empty));
    folder('drafts', { 'role.yaml': role('one') });
    const before = await revision(empty);
    const saved = await run('draft', 'save', 'roles', 'drafts', '--description', 'A role');
    expect(saved).toMatchObject({ code: 0, stderr: '' });
    expect(lines(saved.stdout)).toEqual([
      'Role drafted (created)',
      '    + kind: Role',
      '    + name: drafted',
      '    + description: one',
      `draft roles (A role) on revision ${before}: 1 created, 0 updated, 0 deleted`,
    ]);
    expect(await run('draft', 'show', 'roles')).toEqual(saved);
    expect((await run('draft', 'list')).stdout).toMatch(
      new RegExp(`^roles on revision ${before}, saved 2\\d{3}-\\S+Z: A role\n$`),
    );
    expect(await documentNames(empty)).not.toContain('Role drafted (version 1)');

    // Saved again it is another version of it.
    folder('drafts', { 'role.yaml': role('two') });
    expect((await run('draft', 'save', 'roles', 'drafts')).code).toBe(0);
    const published = await run('publish', 'roles', '-m', 'we need it');
    expect(published.code).toBe(0);
    expect(lines(published.stdout).at(-1)).toBe(
      `published roles: 1 created, 0 updated, 0 deleted; revision ${before + 3}`,
    );
    expect(await documentNames(empty)).toContain('Role drafted (version 1)');
    expect(await run('draft', 'show', 'roles')).toMatchObject({
      code: 1,
      stderr: "placet: there is no draft named 'roles'\n",
    });

    folder('drafts', { 'role.yaml': role('three') });
    expect((await run('apply', 'drafts', '-m', 'third time')).code).toBe(0);
    expect(await run('diff')).toEqual({
      code: 0,
      stdout: `Role drafted (updated)
      kind: Role
      name: drafted
    - description: two
    + description: three
0 created, 1 updated, 0 deleted between revision ${before + 3} and ${before + 4}
`,
      stderr: '',
    });
    expect((await run('diff', String(before))).stdout).toContain(
      `1 created, 0 updated, 0 deleted between revision ${before} and ${before + 4}\n`,
    );
    expect((await run('diff', String(before + 4), String(before))).stdout).toContain('Role drafted (deleted)');

    expect(await run('rollback', String(before + 3), '-m', 'two was enough')).toEqual({
      code: 0,
      stdout: `Role drafted (updated)
rolled back to revision ${before + 3}: 0 created, 1 updated, 0 deleted; revision ${before + 5}
`,
      stderr: '',
    });
    expect((await run('get', 'Role', 'drafted')).stdout).toBe(role('two'));
    expect((await run('rollback', String(before + 5), '-m', 'again')).stdout).toBe(
      `nothing to do: the documents are those of revision ${before + 5}\n`,
    );

    const shown = lines((await run('history')).stdout).slice(0, 3);
    const who = String.raw`  2\d{3}-\S+Z  owner \(key:\w+\)  `;
    expect(shown).toEqual([
      expect.stringMatching(
        new RegExp(`^${before + 5}${who}rolled back to ${before + 3}, 1 document: two was enough$`),
      ),
      expect.stringMatching(new RegExp(`^${before + 4}${who}1 document: third time$`)),
      expect.stringMatching(new RegExp(`^${before + 3}${who}published roles, 1 document: we need it$`)),
    ]);
    expect((await run('history', '--all')).stdout).toMatch(/ {2}save draft roles\n/);
  });

  it('say what stands in the way, and change nothing', async () => {
    const run = (...args: string[]) => placet(args, as(quickstart));
    folder('drafts', { 'role.yaml': 'kind: Role\nname: lonely\ninherits: [nobody]\n' });
    const saved = await run('draft', 'save', 'wrong', 'drafts', '--delete', 'Role/never');
    expect(saved.code).toBe(0);
    expect(saved.stderr).toBe("problem: there is no role 'nobody': add a Role document (Role lonely)\n");
    const refused = await run('publish', 'wrong', '-m', 'x');
    expect(refused.code).toBe(1);
    expect(lines(refused.stderr).at(-1)).toBe("placet: there is no role 'nobody': add a Role document (Role lonely)");

    folder('drafts', { 'role.yaml': 'kind: Role\nname: contended\ndescription: mine\n' });
    const base = await revision(quickstart);
    folder('theirs', { 'role.yaml': 'kind: Role\nname: contended\ndescription: theirs\n' });
    await run('apply', 'theirs');
    const shown = await run('draft', 'save', 'wrong', 'drafts', '--base', String(base));
    expect(shown.stderr).toBe(
      `conflict: Role contended was changed at revision ${base + 1}, after the draft was based on ${base}\n`,
    );
    expect(lines((await run('publish', 'wrong', '-m', 'x')).stderr).at(-1)).toMatch(
      /^placet: the Role 'contended' changed/,
    );
    expect((await run('get', 'Role', 'contended')).stdout).toContain('theirs');
    expect((await run('draft', 'delete', 'wrong')).stdout).toBe("the draft 'wrong' is gone\n");
    expect((await run('draft', 'list')).stdout).toBe('');
  });

  it('print nothing on which a terminal would act', async () => {
    await quickstart.call('PUT', '/api/v1/suspensions/Host/quickstart', { body: { reason: 'a\u001b[2Jb\nc' } });
    await quickstart.call('DELETE', '/api/v1/suspensions/Host/quickstart');
    const { stdout } = await placet(['history'], as(quickstart));
    expect(stdout).toContain('1 document: a\\u{1b}[2Jb\\u{a}c\n');
  });
});

describe('suspend and resume', () => {
  it('stop, and let go on', async () => {
    const ask = async () =>
      (
        await placet(
          [
            'decide',
            '--subject',
            'user:ann',
            '--server',
            'everything',
            '--tool',
            'echo',
            '--arguments',
            '{"message":"x"}',
          ],
          as(quickstart, quickstart.host),
        )
      ).code;
    const run = (...args: string[]) => placet(args, as(quickstart));
    for (const [of, name] of [
      ['Server', 'everything'],
      ['Subject', 'user:ann'],
    ] as const) {
      expect(await ask()).toBe(0);
      const stopped = await run('suspend', of, name, '--reason', 'an incident');
      expect(stopped.stdout).toMatch(new RegExp(`^${of} ${name} is suspended; revision \\d+\n$`));
      expect(await ask()).toBe(3);
      expect((await quickstart.call('GET', '/api/v1/suspensions')).body.items).toMatchObject([
        { of, name, reason: 'an incident' },
      ]);
      expect((await run('resume', of, name)).stdout).toMatch(new RegExp(`^${of} ${name} goes on; revision \\d+\n$`));
    }
    expect(await ask()).toBe(0);
    expect(await run('resume', 'Server', 'everything')).toMatchObject({
      code: 1,
      stderr: "placet: the Server 'everything' is not suspended\n",
    });
    expect((await run('suspend', 'Server', 'nowhere')).stderr).toBe("placet: there is no Server named 'nowhere'\n");
    expect((await run('suspend', 'Role', 'x')).stderr).toContain('one of Server, Host, Subject, Tenant');
  });

  it('are what the refusal of a member `suspended` leads to', async () => {
    folder('stopped', { 's.yaml': 'kind: Server\nname: everything\nsuspended: true\n' });
    const { stderr } = await placet(['apply', 'stopped'], as(quickstart));
    expect(stderr).toContain("run 'placet suspend Server NAME', or PUT /api/v1/suspensions/Server/NAME");
  });
});

describe('key new', () => {
  it('makes a key without asking anybody', async () => {
    const made = await placet(['key', 'new', '--environment', 'prod']);
    expect(made).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^placet_prod_\w+\n$/) as unknown,
      stderr: '',
    });
    expect((await placet(['key', 'new'])).stdout).not.toBe(made.stdout);
  });
});

describe('a mistake on the command line', () => {
  beforeAll(() => void folder('bare', { 'notes.txt': 'none' }));

  it.concurrent.each<[string, string[], string]>([
    ['no command', [], 'which command?'],
    ['no such command', ['aply', 'x'], "there is no command 'aply x'"],
    ['half a command', ['host'], "there is no command 'host': there is 'host create'"],
    ['a host that is deleted', ['host', 'delete', 'x'], "there is no command 'host delete x': there is 'host create'"],
    ['a name of every object', ['constructor'], "there is no command 'constructor'"],
    ['a command that wants more', ['apply'], "'apply' needs DIR"],
    ['two words that want more', ['host', 'create'], "'host create' needs NAME"],
    ['a command that wants less', ['validate', 'a', 'b'], "'validate' takes DIR only, and not 'b'"],
    ['two words that want less', ['host', 'create', 'a', 'b'], "'host create' takes NAME only, and not 'b'"],
    ['a command that wants nothing', ['decide', 'x'], "'decide' takes options only, and not 'x'"],
    ['no such option', ['get', '--yaml'], "there is no option '--yaml'"],
    ['an option mistyped', ['apply', 'x', '--pruen'], "there is no option '--pruen'"],
    ['an option of another command', ['host', 'create', 'x', '--dry-run'], "'host create' has no option '--dry-run'"],
    ['an option without its value', ['decide', '--subject'], "'--subject' needs a value"],
    ['an option for a value', ['decide', '--subject', '--tool', 'x'], "'--subject' needs a value"],
    ['a value too many', ['get', '--json=yes'], "'--json' takes no value"],
    ['half a draft', ['draft'], "there is no command 'draft': there is 'draft save'"],
    ['a publication without a reason', ['publish', 'x'], "'publish' needs -m MESSAGE"],
    ['a rollback without a reason', ['rollback', '3'], "'rollback' needs -m MESSAGE"],
    ['a rollback to no number', ['rollback', 'x3', '-m', 'y'], "REVISION is the number of a revision, and not 'x3'"],
    ['a comparison with no number', ['diff', '1', '-2'], "'-2'"],
    ['a deletion without a name', ['draft', 'save', 'x', 'life', '--delete', 'Role'], '--delete KIND/NAME'],
    ['a suspension of nothing', ['suspend', 'Server'], "'suspend' needs NAME"],
    ['a decision about nothing', ['decide'], 'decide needs --subject TYPE:ID --server NAME --tool NAME'],
    [
      'a subject without a type',
      ['decide', '--subject', 'ann', '--server', 's', '--tool', 't'],
      'a subject is written --subject TYPE:ID, as in user:ann',
    ],
    ['a subject without an id', ['decide', '--subject', 'user:', '--server', 's', '--tool', 't'], 'as in user:ann'],
  ])('%s: exits with 2, and says it in one line', async (_what, args, message) => {
    const { code, stdout, stderr } = await placet(args, as(quickstart));
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^placet: [^\n]+ \(see placet --help\)\n$/);
    expect(stderr).toContain(message);
  });

  it.each([[['--help']], [['help']]])('%j: lists the commands', async (args) => {
    const { code, stdout } = await placet(args);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^usage: placet COMMAND\n/);
  });

  it('of one command, by its first word: lists those that begin so', async () => {
    const { code, stdout } = await placet(['mapping', 'try', '--help']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^usage: placet COMMAND\n\n {2}mapping try --token-file FILE /);
    expect(stdout).not.toContain('tenant');
    expect(await placet(['mappings', '--help'])).toMatchObject({ code: 2, stdout: '' });
  });

  it.concurrent.each<[string, string[], string]>([
    ['a folder that is not there', ['apply', 'nowhere'], 'nowhere cannot be read (ENOENT).'],
    ['a folder without policies', ['apply', 'bare'], 'there is no .yaml, .yml or .json file in bare.'],
    ['a subject by half its name', ['get', 'Subject', 'ann'], "'ann': a Subject is named TYPE:ID, as in user:ann."],
    ['a resource by half its name', ['get', 'Resource', 'a:b'], "'a:b': a Resource is named SERVER/TYPE:ID"],
    ['a subject that is not there', ['get', 'Subject', 'user:x'], "there is no Subject named 'user:x'.\n"],
    [
      'arguments that are no JSON',
      ['decide', '--subject', 'user:a', '--server', 's', '--tool', 't', '--arguments', '{a: 1}'],
      '--arguments is not JSON: ',
    ],
    ['a request that is not there', ['decide', '--file', 'nowhere.json'], 'nowhere.json cannot be read (ENOENT).'],
    ['a request that is no JSON', ['decide', '--file', 'bare/notes.txt'], 'bare/notes.txt is not JSON: '],
    ['a kind that nobody knows', ['get', 'Roles'], 'kind: a kind is one of Role, '],
    ['an environment in capitals', ['key', 'new', '--environment', 'Prod'], 'an environment is called by 1 to 16'],
  ])('%s: exits with 1, and says so in one sentence', async (_what, args, message) => {
    const { code, stdout, stderr } = await placet(args, as(quickstart));
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^placet: [^\n]+\n$/);
    expect(stderr).toContain(message);
  });
});

describe('a service that does not answer as it should', () => {
  const servers: Server[] = [];
  afterAll(() => servers.forEach((server) => server.close()));

  async function listening(answer: RequestListener): Promise<string> {
    const server = createServer(answer);
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  const key = generateApiKey('test').text;
  const UNREACHED = 'cannot be reached. Start the service, or mend PLACET_URL.';

  it.concurrent.each<[string, () => Environment | Promise<Environment>, string]>([
    ['no key', () => ({ PLACET_URL: quickstart.url }), 'PLACET_KEY is not set'],
    ['an unknown key', () => as(quickstart, key), 'the key is not valid: mend PLACET_KEY, or run placet login.'],
    ['a key of another environment', () => as(quickstart, generateApiKey('prod').text), 'the key is not valid'],
    ['a mistyped key', () => as(quickstart, `${quickstart.owner.slice(0, -1)}-`), 'PLACET_KEY is not a key'],
    ['a key with a line end', () => as(quickstart, `${quickstart.owner}\n`), 'PLACET_KEY is not a key'],
    ['a key that is none', () => as(quickstart, '芝麻开门，芝麻开门'), 'PLACET_KEY is not a key'],
    [
      'the key of a host',
      () => as(quickstart, quickstart.host),
      'cannot administer: set PLACET_KEY to the key of an administrator.',
    ],
    ['nobody there', () => ({ PLACET_URL: 'http://127.0.0.1:1', PLACET_KEY: key }), UNREACHED],
    [
      'a URL that is none',
      () => ({ PLACET_URL: 'placet', PLACET_KEY: key }),
      'PLACET_URL must be an http or https URL.',
    ],
    [
      'another program',
      async () => ({
        PLACET_URL: await listening((_, response) => response.end('<html>It works!</html>')),
        PLACET_KEY: key,
      }),
      'does not answer like a Placet (status 200). Mend PLACET_URL.',
    ],
    [
      'a redirection, which is not followed with the key',
      async () => ({
        PLACET_URL: await listening((_, response) => response.writeHead(307, { Location: quickstart.url }).end()),
        PLACET_KEY: key,
      }),
      UNREACHED,
    ],
    [
      'an answer that is cut off',
      async () => ({
        PLACET_URL: await listening((_, response) => {
          response.writeHead(200, { 'Content-Length': '100' });
          response.write('{', () => response.destroy());
        }),
        PLACET_KEY: key,
      }),
      UNREACHED,
    ],
  ])('%s: exits with 1, and says so in one sentence', async (_what, environment, message) => {
    const { code, stdout, stderr } = await placet(['get'], await environment());
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^placet: [^\n]+\n$/);
    expect(stderr).toContain(message);
  });

  it('an answer to a change that is cut off: says that the change may have been made', async () => {
    const url = await listening((request, response) => request.resume().on('end', () => response.destroy()));
    const { code, stderr } = await placet(['resume', 'Server', 'crm'], { PLACET_URL: url, PLACET_KEY: key });
    expect([code, stderr]).toEqual([
      1,
      `placet: ${url} did not answer to the end, so it may have been done or not: look before you do it again.\n`,
    ]);
  });

  it('a change with nobody there: says that it was not sent', async () => {
    const url = await listening((_, response) => response.end());
    await new Promise((resolve) => servers.pop()!.close(resolve));
    const { stderr } = await placet(['resume', 'Server', 'crm'], { PLACET_URL: url, PLACET_KEY: key });
    expect(stderr).toContain(UNREACHED);
  });
});

describe('placet tenant', () => {
  it('takes a tenant from its making to its end', async () => {
    const as = { PLACET_URL: empty.url, PLACET_KEY: empty.owner };
    const made = await placet(['tenant', 'create', 'acme', '--title', 'Acme'], as);
    expect(made).toMatchObject({ code: 0, stderr: "made the tenant 'acme'; the key of its owner, shown this once:\n" });
    const owner = { PLACET_URL: empty.url, PLACET_KEY: made.stdout.trim() };
    expect(await placet(['get'], owner)).toMatchObject({ code: 0 });
    expect((await placet(['tenant', 'list'], as)).stdout).toMatch(/^acme +Acme +0 +1$/m);
    expect(await placet(['tenant', 'list'], owner)).toMatchObject({ code: 1, stdout: '' });
    expect((await placet(['tenant', 'suspend', 'acme', '--reason', 'why'], as)).code).toBe(0);
    expect((await placet(['get'], owner)).stderr).toContain('suspended');
    expect((await placet(['tenant', 'resume', 'acme'], as)).code).toBe(0);
    expect(await placet(['tenant', 'owner-key', 'acme'], as)).toMatchObject({ code: 2, stdout: '' });
    const further = await placet(['tenant', 'owner-key', 'acme', '--reason', 'lost'], as);
    expect(further.stderr).toBe("made a further key of an owner of the tenant 'acme', shown this once:\n");
    expect(await placet(['get'], { ...owner, PLACET_KEY: further.stdout.trim() })).toMatchObject({ code: 0 });
    expect((await placet(['tenant', 'suspend', 'acme'], as)).code).toBe(0);
    expect((await placet(['tenant', 'delete', 'acme'], as)).stderr).toContain('export the tenant first');
    expect((await placet(['tenant', 'export', 'nobody', 'nobody.jsonl'], as)).stderr).toContain("no tenant 'nobody'");
    const exported = await placet(['tenant', 'export', 'acme', 'acme.jsonl'], as);
    expect(exported).toMatchObject({ code: 0, stderr: '' });
    const digest = exported.stdout.trim();
    expect(readFileSync(join(work, 'acme.jsonl'), 'utf8')).toContain(digest);
    expect(await placet(['tenant', 'delete', 'acme', '--export', digest], as)).toMatchObject({
      code: 0,
      stdout: 'the tenant acme is deleted\n',
    });
  });

  it('keeps nothing of an export that is not whole', async () => {
    const head = '{"placet_export":1}\n';
    const wrong = `${head}{"end":{"lines":1,"sha256":"${'0'.repeat(64)}"}}\n`;
    for (const [sent, cut] of [
      [head, false],
      [head, true],
      [wrong, false],
      ['', false],
    ] as const) {
      const server = createServer((_request, response) => {
        response.writeHead(200).write(sent);
        if (cut) setTimeout(() => response.destroy(), 50);
        else response.end();
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as AddressInfo;
      const as = { PLACET_URL: `http://127.0.0.1:${port}`, PLACET_KEY: empty.owner };
      const { code, stderr } = await placet(['tenant', 'export', 'acme', 'part.jsonl'], as);
      server.close();
      expect([code, stderr]).toEqual([1, expect.stringContaining('Export again')]);
      for (const file of ['part.jsonl', 'part.jsonl.part']) expect(existsSync(join(work, file))).toBe(false);
    }
  });
});

import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestService, type TestService } from '../support/service.js';
import { as, documentNames, openTerminal, revision } from '../support/terminal.js';

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
    expect(await documentNames(terminal, empty)).toContain('Policy echo (version 2)');

    const pruned = await apply('--prune');
    expect(pruned.stdout).toContain('Policy echo (deleted)\n    - kind: Policy\n');
    expect(pruned.stdout).toContain(' 1 deleted, 2 unchanged; revision');
    const left = await documentNames(terminal, empty);
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
    expect(await documentNames(terminal, quickstart)).not.toContain('Role fine (version 1)');
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

describe('get', () => {
  it('lists documents, of one kind or of all', async () => {
    const { code, stdout } = await placet(['get', 'Role'], as(quickstart));
    expect(code).toBe(0);
    expect(stdout).toBe('Role comms-lead (version 1)\nRole employee (version 1)\nRole sales (version 1)\n');
    expect(await documentNames(terminal, quickstart)).toEqual(expect.arrayContaining(stdout.trim().split('\n')));
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

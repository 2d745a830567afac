import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestService, type TestService } from '../support/service.js';
import { as, documentNames, openTerminal, revision } from '../support/terminal.js';

const terminal = openTerminal();
const { folder, placet } = terminal;

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
      expect.stringMatching(
        `^draft roles \\(A role\\) on revision ${before}: 1 created, 0 updated, 0 deleted; version \\d+$`,
      ),
    ]);
    expect(await run('draft', 'show', 'roles')).toEqual(saved);
    expect((await run('draft', 'list')).stdout).toMatch(
      new RegExp(`^roles on revision ${before}, saved 2\\d{3}-\\S+Z: A role\n$`),
    );
    expect(await documentNames(terminal, empty)).not.toContain('Role drafted (version 1)');

    // Saved again it is another version of it.
    folder('drafts', { 'role.yaml': role('two') });
    expect((await run('draft', 'save', 'roles', 'drafts')).code).toBe(0);
    const published = await run('publish', 'roles', '-m', 'we need it');
    expect(published.code).toBe(0);
    expect(lines(published.stdout).at(-1)).toBe(
      `published roles: 1 created, 0 updated, 0 deleted; revision ${before + 3}`,
    );
    expect(await documentNames(terminal, empty)).toContain('Role drafted (version 1)');
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

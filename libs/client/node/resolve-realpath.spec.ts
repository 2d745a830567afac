import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { carryOut } from '../obligations.js';
import type { Decision } from '../decision.js';
import { ALLOWED, aRequest } from '../testing/index.js';
import { resolveRealpath } from './resolve-realpath.js';

let home: string;

beforeAll(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), 'placet-realpath-')));
  mkdirSync(join(home, 'Projects', 'deep'), { recursive: true });
  mkdirSync(join(home, '.ssh'));
  mkdirSync(join(home, 'caf\u00e9'));
  writeFileSync(join(home, 'Projects', 'plan.md'), 'ship');
  writeFileSync(join(home, '.ssh', 'id_rsa'), 'key');
  symlinkSync('../.ssh/id_rsa', join(home, 'Projects', 'notes.txt'));
  symlinkSync('../.ssh', join(home, 'Projects', 'more'));
  symlinkSync('plan.md', join(home, 'Projects', 'alias.md'));
  symlinkSync('../.ssh/authorized_keys', join(home, 'Projects', 'new.txt'));
  symlinkSync('round', join(home, 'Projects', 'round'));
  symlinkSync('Projects', join(home, 'Work'));
});

afterAll(() => rmSync(home, { recursive: true, force: true }));

const resolving = (paths: unknown): Promise<Decision> =>
  carryOut(
    { ...ALLOWED, obligations: [{ type: 'resolve_realpath', paths }] } as Decision,
    { resolve_realpath: resolveRealpath },
    aRequest(),
  );

describe('resolve_realpath', () => {
  it.each<[string, string[]]>([
    ['a file', ['Projects/plan.md']],
    ['a folder', ['Projects']],
    ['several', ['Projects/plan.md', 'Projects/deep']],
    ['a file that is not there yet', ['Projects/deep/new.md']],
    ['a file in folders that are not there yet', ['Projects/deep/a/b/c.md']],
    ['a name in its composed form', ['caf\u00e9/x']],
  ])('is fulfilled by %s', async (_, paths) => {
    expect(await resolving(paths.map((path) => join(home, path)))).toMatchObject({ effect: 'allow' });
  });

  it.each<[string, string[], string]>([
    ['a link to a file', ['Projects/notes.txt'], '.ssh/id_rsa'],
    ['a link to a folder', ['Projects/more/id_rsa'], '.ssh/id_rsa'],
    ['a new file behind a link to a folder', ['Projects/more/new_key'], '.ssh/new_key'],
    ['a link that stays inside', ['Projects/alias.md'], 'Projects/plan.md'],
    ['a link to what is not there', ['Projects/new.txt'], 'does not exist'],
    ['what is below a link to what is not there', ['Projects/new.txt/x'], 'new.txt'],
    ['a link to itself', ['Projects/round'], 'ELOOP'],
    ['what is below a file', ['Projects/plan.md/x'], 'ENOTDIR'],
    ['a link among others', ['Projects/plan.md', 'Projects/notes.txt'], '.ssh/id_rsa'],
    ['a link in the middle', ['Work/plan.md'], 'Projects/plan.md'],
  ])('is not fulfilled by %s', async (_, paths, message) => {
    const decision = await resolving(paths.map((path) => join(home, path)));
    expect(decision).toMatchObject({ effect: 'deny', reason: { code: 'obligation_failed' } });
    expect(decision.reason.message).toContain(message);
  });

  it.each<[string, unknown]>([
    ['no paths', undefined],
    ['an empty list', []],
    ['a text', '/tmp'],
    ['a number', [1]],
    ['a relative path', ['tmp']],
    ['a path with ..', ['/tmp/../tmp']],
    ['a path with a NUL', ['/tmp/\0']],
  ])('is not fulfilled by %s', async (_, paths) => {
    expect(await resolving(paths)).toMatchObject({ effect: 'deny', reason: { code: 'obligation_failed' } });
  });

  it('does not take a folder that may not be read for one without links', async () => {
    // As root everything may be read; the longest name is refused to everybody.
    const decision = await resolving([join(home, 'Projects', 'x'.repeat(300))]);
    expect(decision.reason.message).toContain('cannot be told');
  });
});

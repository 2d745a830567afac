import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestService, type TestService } from '../support/service.js';
import { openTerminal } from '../support/terminal.js';

const terminal = openTerminal();
const { placet, work } = terminal;

/** With no documents, but that of the tenant. */
let empty: TestService;

beforeAll(async () => void (empty = await startTestService({ quickstart: false })));

afterAll(async () => {
  await empty.close();
  terminal.close();
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

import { writeFileSync } from 'node:fs';
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

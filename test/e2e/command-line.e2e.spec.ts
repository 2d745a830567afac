import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateApiKey } from '#identity';
import { startTestService, type TestService } from '../support/service.js';
import { as, openTerminal, type Environment } from '../support/terminal.js';

const terminal = openTerminal();
const { folder, placet } = terminal;

/** With the documents of the quickstart. */
let quickstart: TestService;

beforeAll(async () => void (quickstart = await startTestService()));

afterAll(async () => {
  await quickstart.close();
  terminal.close();
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
  beforeAll(() => {
    folder('bare', { 'notes.txt': 'none' });
    folder('life', { 'role.yaml': 'kind: Role\nname: clerk\n' });
  });

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

import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { letQuickstartSignIn } from '../demo/quickstart-people.js';
import { Cookies } from '../support/browser.js';
import { COMPILED } from '../support/command-line.js';
import { FROM_THE_SOURCES } from '../support/from-sources.js';
import { startTestService, type Answer, type TestService } from '../support/service.js';

let service: TestService;
let work: string;
let ann: Cookies;
let ended: Promise<void>;
const gone = new AbortController();

beforeAll(async () => {
  work = mkdtempSync(join(tmpdir(), 'placet consent docs '));
  service = await startTestService();
  mkdirSync(join(work, '.placet'));
  writeFileSync(join(work, '.placet', 'quickstart-host.key'), service.host);
  const told = await new Promise<string>((resolve, reject) => {
    ended = letQuickstartSignIn({
      write: resolve,
      signal: gone.signal,
      service: { url: service.url, key: service.owner },
    });
    ended.catch(reject);
  });
  expect(told).toContain(`${service.url}/t/default/requests`);
  ann = await signIn('ann');
}, 60_000);

afterAll(async () => {
  gone.abort();
  await ended;
  await service.close();
  rmSync(work, { recursive: true, force: true });
});

/** Signs in as somebody does at a browser: the provider asks who they are. */
async function signIn(who: string): Promise<Cookies> {
  const browser = new Cookies();
  const isAsked = (to: string) => new URL(to).pathname.startsWith('/interaction/');
  const asked = await browser.follow(`${service.url}/t/default/sign-in/demo`, isAsked);
  expect(await (await browser.fetch(asked)).text()).toContain(`<a href="?as=${who}">`);
  const back = await browser.follow(`${asked}?as=${who}`, (to) => new URL(to).pathname.endsWith('/callback'));
  expect((await browser.fetch(back)).status).toBe(303);
  return browser;
}

/** The commands below a heading of a page, one text for each block. */
function blocks(page: string, heading: string): string[] {
  const [, section] = readFileSync(`docs/${page}`, 'utf8').split(`\n${heading}\n`);
  return [...section!.split(/\n##+ /)[0]!.matchAll(/```sh\n([^]*?)```/g)].map(([, block]) => block!);
}

const PLACET = [process.execPath, ...FROM_THE_SOURCES, join(process.cwd(), 'apps/cli/src/main.ts')]
  .map((part) => `'${part.replaceAll("'", `'\\''`)}'`)
  .join(' ');

/** Runs commands of a page; what a reader fills in is given, and whatever stands for it is left out. */
async function run(commands: string, given: Record<string, string> = {}): Promise<string> {
  const lines = commands
    .replaceAll('http://127.0.0.1:8360', service.url)
    .replace('wait=30', 'wait=1')
    .split('\n')
    .filter((line) => !/^(?:export PLACET_KEY|EVALUATION|REQUEST|CONSENT|placet\(\))/.test(line));
  const { stdout } = await promisify(execFile)('/bin/sh', ['-c', `placet() { ${PLACET} "$@"; }\n${lines.join('\n')}`], {
    cwd: work,
    env: {
      PATH: process.env.PATH,
      NO_COLOR: '1',
      NODE_COMPILE_CACHE: COMPILED,
      PLACET_URL: service.url,
      PLACET_KEY: service.owner,
      ...given,
    },
  });
  return stdout;
}

const asked = async (commands: string, given?: Record<string, string>): Promise<Answer['body']> =>
  JSON.parse(await run(commands, given));

async function agree(request: string): Promise<void> {
  const address = `${service.url}/api/v1/me/requests/${request}`;
  const { shown_digest: shown } = (await (await ann.fetch(address)).json()) as { shown_digest: string };
  const answered = await ann.fetch(`${address}/answer`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'Placet-Request': '1', 'Sec-Fetch-Site': 'same-origin' },
    body: JSON.stringify({ answer: 'agree', shown }),
  });
  expect(await answered.json()).toEqual({ status: 'approved' });
}

describe('the pages about asking show commands that do what they say', () => {
  const [decide, open, wait, cancel, decideAgain] = blocks('hosts.md', '### By hand') as [
    string,
    string,
    string,
    string,
    string,
  ];
  const [start, verify, revoke] = blocks('consent.md', '## Trying it') as [string, string, string];

  const opened = async (): Promise<string> => {
    const { evaluation_id: EVALUATION, effect, ask } = await asked(decide);
    expect([effect, ask.access_request.endpoint]).toEqual(['ask', `${service.url}/access/v1/requests`]);
    const { task, elicitation } = await asked(open, { EVALUATION });
    expect([task.status, elicitation.url]).toEqual(['pending', task.links.review]);
    return task.id as string;
  };

  it('from the ask to the one call that it allows', async () => {
    expect(start).toContain('npm run demo -- people');
    const REQUEST = await opened();
    expect(await asked(wait, { REQUEST })).toMatchObject({ task: { status: 'pending' } });
    await agree(REQUEST);
    const [list, ...lines] = verify
      .split('\n')
      .filter((line) => line.startsWith('placet consent') || /^(?:curl|placet receipt)/.test(line));
    const CONSENT = /^(co_\S+) +live +user:ann/m.exec(await run(list!))![1]!;
    expect(await run(lines.join('\n'), { CONSENT })).toContain(`consent ${CONSENT} of user:ann`);
    expect(await asked(decideAgain, { REQUEST })).toMatchObject({ reason: { code: 'allowed_by_consent' } });
    expect(await asked(decideAgain, { REQUEST })).toMatchObject({ effect: 'ask', approval: { state: 'used' } });
  });

  it('and the ways back', async () => {
    const REQUEST = await opened();
    expect(await asked(cancel, { REQUEST })).toMatchObject({ task: { status: 'cancelled' } });
    const other = await opened();
    await agree(other);
    const listed = await run('placet consent list --live');
    expect(await run(revoke, { CONSENT: /^co_\S+/m.exec(listed)![0] })).toBe('1 consent revoked\n');
    const after = await asked(decideAgain, { REQUEST: other });
    expect(after).toMatchObject({ effect: 'ask', approval: { state: 'revoked' } });
    await expect(run('placet consent revoke --subject ann --reason x')).rejects.toThrow(
      'must be TYPE:ID, as in user:ann',
    );
  });

  it('by AuthZEN', async () => {
    const [evaluate, then] = blocks('hosts.md', '### By AuthZEN') as [string, string];
    const { decision, context } = await asked(evaluate);
    expect([decision, context.access_request.endpoint]).toEqual([false, `${service.url}/access/v1/requests`]);
    const [ask, again] = then.split(/^REQUEST=.*$/m) as [string, string];
    const { task } = await asked(ask, { EVALUATION: context.evaluation_id });
    await agree(task.id);
    expect(await asked(again, { REQUEST: task.id })).toMatchObject({ decision: true });
  });
});

describe('people of the quickstart', () => {
  it('sign in as those whom the policies name, and no longer than the demo goes on', async () => {
    const john = await signIn('john');
    const who = async (browser: Cookies) => (await browser.fetch(`${service.url}/api/v1/me`)).status;
    expect(await who(john)).toBe(200);
    gone.abort();
    await ended;
    expect([await who(john), await who(ann)]).toEqual([401, 401]);
    expect((await fetch(`${service.url}/t/default/sign-in/demo`, { redirect: 'manual' })).status).toBe(404);
  });

  it.each([
    [{ url: 'http://127.0.0.1:1', key: 'x' }, 'no Placet answers at http://127.0.0.1:1'],
    [{ url: 'http://127.0.0.1:1', key: undefined }, 'set PLACET_KEY'],
  ])('have nobody let them in at %j', async (wrong, problem) => {
    const run = letQuickstartSignIn({ write: () => undefined, signal: gone.signal, service: wrong });
    await expect(run).rejects.toThrow(problem);
  });
});

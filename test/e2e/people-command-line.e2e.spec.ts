import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Cookies } from '../support/browser.js';
import { placet as run, type Ended } from '../support/command-line.js';
import { startCompany, type Company } from '../support/signed-in.js';

let company: Company;
let work: string;

beforeAll(async () => {
  work = mkdtempSync(join(tmpdir(), 'placet people '));
  company = await startCompany({ devicePollSeconds: 1 });
  await company.apply({ kind: 'AdministratorBinding', name: 'bob', to: ['user:company/bob'], roles: ['auditor'] });
});

afterAll(async () => {
  await company.close();
  rmSync(work, { recursive: true, force: true });
});

/** As the owner, by a key. */
async function placet(...args: string[]): Promise<string> {
  const { url, owner } = company.service;
  const { code, stdout, stderr } = await run(args, { environment: { PLACET_URL: url, PLACET_KEY: owner } });
  expect([code, stderr]).toEqual([0, expect.any(String)]);
  return stdout + stderr;
}

it('lists people and their sessions, and signs them out', async () => {
  await company.signIn('ann');
  expect(await placet('people', 'list')).toMatch(/user:company\/ann +Ann Example +ann@example\.com .* 1\n/);
  expect(await placet('people', 'sessions', 'user:company/ann')).toMatch(/\n[0-9a-f]{24} /);
  expect(await placet('people', 'sign-out', 'user:company/ann')).toContain('is signed out everywhere');
  expect(await placet('people', 'sessions', 'user:company/ann')).not.toMatch(/\n[0-9a-f]{24} /);
});

describe('login and logout', () => {
  /** As somebody who keeps sign-ins in a folder of `work`, and has no key. */
  const as = (folder: string, args: readonly string[], noted?: (notes: string) => Promise<void>): Promise<Ended> =>
    run(args, {
      environment: { PLACET_URL: company.service.url, PLACET_CONFIG_DIR: join(work, folder) },
      ...(noted ? { noted } : {}),
    });

  /** What a person does with the page and the code that the command line names. */
  const answering = (browser: Cookies, answer: 'allow' | 'deny') => async (notes: string) => {
    const [, page, code] = /^open (\S+) in a browser and enter the code (\S+)\n/.exec(notes)!;
    let text = await (await browser.fetch(page!)).text();
    for (const more of [{}, { answer }]) {
      const xsrf = /name="xsrf"\s+value="([^"]+)"/.exec(text)![1]!;
      const body = new URLSearchParams({ xsrf, user_code: code!, ...more });
      text = await (await browser.fetch(page!, { method: 'POST', body })).text();
    }
  };

  interface Kept {
    readonly accessToken: string;
    readonly refreshToken: string;
  }
  const pathOf = (folder: string): string => join(work, folder, 'credentials.json');
  const keptIn = (folder: string): Record<string, Kept> =>
    JSON.parse(readFileSync(pathOf(folder), 'utf8')) as Record<string, Kept>;

  it('sign a person in by a browser, let them act as what they are, and end that', async () => {
    const { url } = company.service;
    const browser = await company.signIn('bob');
    const login = await as('bob', ['login', '--no-browser'], answering(browser, 'allow'));
    expect(login).toMatchObject({ code: 0, stdout: '' });
    expect(login.stderr.split('\n').slice(1)).toEqual([`signed in to ${url}`, '']);
    expect(statSync(pathOf('bob')).mode & 0o777).toBe(0o600);
    const { [url]: kept } = keptIn('bob');
    for (const secret of [kept!.accessToken, kept!.refreshToken]) expect(login.stderr).not.toContain(secret);

    expect((await as('bob', ['get', 'AdministratorBinding'])).stdout).toBe('AdministratorBinding bob (version 1)\n');
    const forbidden = await as('bob', ['key', 'create', '--administrator', 'bob', '--role', 'owner']);
    expect([forbidden.code, forbidden.stdout]).toEqual([1, '']);
    expect(forbidden.stderr).toContain('no role that lets it');
    const me = async () => (await company.service.call('GET', '/api/v1/me', { key: kept!.accessToken })).status;
    expect(await me()).toBe(200);

    expect(await as('bob', ['logout'])).toEqual({ code: 0, stdout: '', stderr: `signed out of ${url}\n` });
    expect(keptIn('bob')).toEqual({});
    expect(await me()).toBe(401);
    const after = await as('bob', ['get']);
    expect([after.code, after.stdout]).toEqual([1, '']);
    expect(after.stderr).toContain('nobody is signed in: run placet login');
    expect(await as('bob', ['logout'])).toEqual({ code: 0, stdout: '', stderr: `nobody is signed in to ${url}\n` });
    // The browser is another sign-in, which goes on.
    expect((await browser.fetch(`${url}/api/v1/me`)).status).toBe(200);
  });

  it('keep nothing where the person refuses', async () => {
    const browser = await company.signIn('bob');
    const { code, stdout, stderr } = await as('refused', ['login', '--no-browser'], answering(browser, 'deny'));
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr.split('\n')[1]).toBe('placet: the sign-in was refused in the browser.');
    expect((await as('refused', ['get'])).stderr).toContain('nobody is signed in');
  });

  it('say where there is nothing to sign in to', async () => {
    const ended = await as('nowhere', ['login', '--no-browser', '--tenant', 'nobody']);
    expect([ended.code, ended.stdout]).toEqual([1, '']);
    expect(ended.stderr).toBe(
      `placet: ${company.service.url}/t/nobody cannot be reached, or is no tenant of a Placet: start the service, or mend PLACET_URL or --tenant.\n`,
    );
  });

  it('let two people see to one change', async () => {
    const tenant = { kind: 'Tenant', name: 'default', defaults: {} };
    await company.apply(
      { ...tenant, administration: { fourEyes: ['publish'] } },
      { kind: 'AdministratorBinding', name: 'two', to: ['user:company/ann', 'user:company/bob'], roles: ['owner'] },
    );
    for (const who of ['ann', 'bob'])
      await as(`two-${who}`, ['login', '--no-browser'], answering(await company.signIn(who), 'allow'));
    const ann = (...args: string[]) => as('two-ann', args);
    const bob = (...args: string[]) => as('two-bob', args);
    mkdirSync(join(work, 'off'));
    writeFileSync(join(work, 'off', 'tenant.yaml'), JSON.stringify(tenant));

    expect((await ann('apply', join(work, 'off'))).stderr).toContain('save it as a draft');
    const saved = await ann('draft', 'save', 'off', join(work, 'off'));
    expect(saved.stdout).toMatch(/updated, 0 deleted; version \d+\nseen by user:company\/ann \(saved\)\n$/);
    expect((await ann('publish', 'off', '-m', 'alone')).stderr).toContain('placet draft approve');
    expect((await bob('draft', 'approve', 'off')).stderr).toContain('needs --version VERSION');
    expect((await bob('draft', 'approve', 'off', '--version', 'x')).stderr).toContain("not 'x'");
    const looked = /version (\d+)/.exec((await bob('draft', 'show', 'off')).stdout)![1]!;
    expect((await bob('publish', 'off', '-m', 'unseen')).stderr).toContain('--version');
    // Something else is put in after the look.
    await ann('draft', 'save', 'off', join(work, 'off'), '--description', 'other');
    expect((await bob('draft', 'approve', 'off', '--version', looked)).stderr).toContain('read it again');
    expect((await bob('publish', 'off', '-m', 'seen', '--version', looked)).stderr).toContain('read it again');
    const version = /version (\d+)/.exec((await bob('draft', 'show', 'off')).stdout)![1]!;
    const approved = await bob('draft', 'approve', 'off', '--version', version);
    const both = 'seen by user:company/ann (saved), user:company/bob (approved)\n';
    expect(approved.stdout.endsWith(`you have approved of off\n${both}`)).toBe(true);
    expect((await ann('draft', 'show', 'off')).stdout.endsWith(both)).toBe(true);
    expect((await ann('publish', 'off', '-m', 'both')).code).toBe(0);
    expect((await ann('history')).stdout).toMatch(
      /published off, 1 document, seen by user:company\/ann and user:company\/bob: both\n/,
    );
    const [, revision] = /^(\d+) /.exec((await ann('history')).stdout)!;
    const back = await ann('draft', 'save', 'back', '--rollback-to', String(Number(revision) - 1));
    expect([back.code, back.stdout]).toEqual([0, expect.stringContaining('fourEyes')]);
    expect((await ann('draft', 'save', 'back', '--rollback-to', '1', '--prune')).stderr).toContain('stands alone');
    expect((await ann('draft', 'save', 'back')).stderr).toContain('needs DIR or --rollback-to');
    expect((await ann('draft', 'delete', 'back')).code).toBe(0);
  });

  it('say what takes more than that, and when it is over', async () => {
    const { url } = company.service;
    await company.apply(
      {
        kind: 'Tenant',
        name: 'default',
        defaults: { effect: 'deny' },
        administration: { stepUp: { acr: ['urn:company:mfa'] } },
      },
      { kind: 'AdministratorBinding', name: 'bob', to: ['user:company/bob'], roles: ['owner'] },
    );
    const browser = await company.signIn('bob');
    expect((await as('strict', ['login', '--no-browser'], answering(browser, 'allow'))).code).toBe(0);
    const makeKey = async () =>
      (await as('strict', ['key', 'create', '--administrator', 'ci', '--role', 'auditor'])).stderr;
    const wanted = /in a browser .* sign-in of a device is none: set PLACET_KEY to the key of an administrator\.\n$/;
    expect(await makeKey()).toMatch(wanted);
    // Nor does it become strong by what the person does in a browser.
    await company.signIn(
      { sub: 'bob', acr: 'urn:company:mfa' },
      { cookies: browser, query: 'acr=urn%3Acompany%3Amfa' },
    );
    expect((await browser.fetch(`${url}/api/v1/me`)).status).toBe(200);
    expect(await makeKey()).toMatch(wanted);
    await placet('people', 'sign-out', 'user:company/bob');
    const over = await as('strict', ['get']);
    expect(over.stderr).toBe('placet: the key is not valid: the sign-in is over, so run placet login.\n');
  });
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { faultOfReceipt, RECEIPT_TYPE } from '#consent';
import { verifiedText } from '#identity';
import { askingRule, mailPolicy, startAskingCompany, type AskingCompany } from '../support/asking.js';
import type { Cookies } from '../support/browser.js';
import { placet as run, type Ended } from '../support/command-line.js';

let company: AskingCompany;
let ann: Cookies;
let work: string;

beforeAll(async () => {
  work = mkdtempSync(join(tmpdir(), 'placet consents '));
  company = await startAskingCompany();
  await company.apply(mailPolicy(askingRule({ by: ['subject'], until: '1h' })));
  ann = await company.signIn('ann');
});

afterAll(async () => {
  await company.close();
  rmSync(work, { recursive: true, force: true });
});

const placet = (...args: string[]): Promise<Ended> => {
  const { url, owner } = company.service;
  return run(args, { environment: { PLACET_URL: url, PLACET_KEY: owner } });
};

/** Ann agrees to a mail to somebody; the id of the consent. */
async function agreed(to: string): Promise<string> {
  const request = await company.ask({ arguments: { to } });
  await company.answer(ann, request, { choice: { for: 'until', seconds: 3600 } });
  return (await company.as(ann, 'GET', '/api/v1/me/consents')).body.items[0].id as string;
}

it('lists consents and takes them back', async () => {
  const id = await agreed('eve');
  const listed = await placet('consent', 'list', '--server', 'mail', '--live');
  expect(listed.stdout).toMatch(new RegExp(`\n${id} +live +user:company/ann +desk +mail +tools/call send +20`));
  expect((await placet('consent', 'list', '--subject', 'user:company/bob')).stdout.split('\n')).toHaveLength(2);
  expect((await placet('consent', 'revoke', id)).stderr).toContain('needs --reason');
  expect((await placet('consent', 'revoke', '--reason', 'why')).stderr).toContain('needs an ID');
  expect((await placet('consent', 'revoke', id, '--server', 'mail', '--reason', 'why')).code).toBe(2);
  expect((await placet('consent', 'revoke', id, '--reason', 'a mistake')).stdout).toBe('1 consent revoked\n');
  expect(await company.decide()).toMatchObject({ effect: 'ask' });
  await agreed('max');
  await agreed('ivo');
  const all = await placet('consent', 'revoke', '--subject', 'user:company/ann', '--reason', 'gone');
  expect(all.stdout).toBe('2 consents revoked\n');
});

it('verifies receipts with the published keys, asking nobody, also with a key that was replaced', async () => {
  const id = await agreed('lea');
  const response = await company.as(ann, 'GET', `/api/v1/me/consents/${id}/receipt`);
  expect(response.headers.get('content-type')).toContain('application/jose');
  const receipt = response.body as string;
  const url = `${company.service.url}/t/default/oauth/jwks/receipts`;
  const jwks = async () => (await fetch(url)).json();
  const [file, keys] = [join(work, 'receipt.jose'), join(work, 'keys.json')];
  writeFileSync(file, `${receipt}\n`);
  writeFileSync(keys, JSON.stringify(await jwks()));

  const verified = await run(['receipt', 'verify', file, '--keys', keys]);
  expect([verified.code, verified.stderr]).toEqual([0, '']);
  expect(verified.stdout).toContain(`consent ${id} of user:company/ann`);
  expect(verified.stdout).toContain('Desk wants to use the tool send of Mail');
  expect(verified.stdout).toContain('user:company/ann agreed at 20');

  const { text, key } = await verifiedText(receipt, RECEIPT_TYPE, await jwks());
  const content = JSON.parse(text) as {
    bound_to: object;
    pii_processing: { privacy_notice: { digest: string } };
  };
  expect(faultOfReceipt(content, key)).toBeUndefined();
  const { body } = await company.as(ann, 'GET', `/api/v1/me/consents/${id}`);
  expect(content.bound_to).toMatchObject({ binding: body.binding, rule: { policy: 'mail', rule: 'consent' } });
  expect(content.pii_processing.privacy_notice.digest).toBe(`sha256:${body.shown_digest}`);

  // A key that was replaced is published still, for receipts alone, whatever has become of it otherwise.
  expect((await company.service.call('POST', '/api/v1/signing-keys/rotate')).status).toBe(201);
  const superuser = await company.service.database.connect('superuser');
  await superuser.query(
    `update placet.signing_key set retires_at = now() - interval '3 days' where retires_at is not null`,
  );
  await superuser.query('select placet.sweep(id, 100) from placet.tenant');
  const ofTokens = await (await fetch(`${company.service.url}/t/default/oauth/jwks`)).text();
  expect(ofTokens).not.toContain(key.kid!);
  writeFileSync(keys, JSON.stringify(await jwks()));
  expect((await run(['receipt', 'verify', file, '--keys', keys])).code).toBe(0);
  expect((await run(['receipt', 'verify', file, '--keys', url])).code).toBe(0);
  const published = (await jwks()) as { keys: { kid: string; iat: number; exp?: number; d?: string }[] };
  expect(published.keys.map(({ kid, exp }) => [kid === key.kid, exp !== undefined])).toEqual([
    [false, false],
    [true, true],
  ]);
  expect(JSON.stringify(published)).not.toContain('"d"');
  const expired = published.keys.map((one) => (one.kid === key.kid ? { ...one, exp: one.iat - 600 } : one));
  writeFileSync(keys, JSON.stringify({ keys: expired }));
  expect((await run(['receipt', 'verify', file, '--keys', keys])).stderr).toContain('did not sign');
  writeFileSync(keys, JSON.stringify(published));

  // The state is that of when it is issued.
  await company.as(ann, 'DELETE', `/api/v1/me/consents/${id}`);
  const later = (await company.service.call('GET', `/api/v1/consents/${id}/receipt`)).body as string;
  writeFileSync(file, later);
  expect((await run(['receipt', 'verify', file, '--keys', keys])).stdout).toContain('it was: revoked');

  const at = later.indexOf('.') + 40;
  writeFileSync(file, `${later.slice(0, at)}${later[at] === 'A' ? 'B' : 'A'}${later.slice(at + 1)}`);
  const changed = await run(['receipt', 'verify', file, '--keys', keys]);
  expect([changed.code, changed.stderr]).toEqual([1, expect.stringContaining('the signature does not hold') as string]);
  writeFileSync(keys, '{"keys":[]}');
  writeFileSync(file, later);
  expect((await run(['receipt', 'verify', file, '--keys', keys])).stderr).toContain('none of the keys');
  expect((await run(['receipt', 'verify', file, '--keys', 'http://example.com/jwks'])).stderr).toContain('https only');
  expect((await run(['receipt', 'verify', file])).stderr).toContain('needs --keys');
});

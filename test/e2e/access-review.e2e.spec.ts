import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { placet } from '../support/command-line.js';
import { startCompany, type Company } from '../support/signed-in.js';

let company: Company;

const FORMULA = '=HYPERLINK("https://evil")';

beforeAll(async () => {
  company = await startCompany();
  await company.apply(
    { kind: 'Role', name: 'sales' },
    { kind: 'Role', name: 'risk' },
    { kind: 'Host', name: 'desk' },
    { kind: 'Binding', name: 'b', subjects: ['user:company/ann', 'group:company:staff'], roles: ['sales'] },
    { kind: 'Binding', name: 'over', subjects: ['user:zoe'], roles: ['sales'], expires: '2020-01-01T00:00:00Z' },
    { kind: 'Binding', name: 'odd', subjects: [`user:${FORMULA}`], roles: ['sales'] },
    { kind: 'AdministratorBinding', name: 'a', to: ['user:company/bob'], roles: ['auditor'] },
    {
      kind: 'Mapping',
      name: 'm',
      issuer: 'company',
      rules: [{ name: 'everybody', when: 'always', roles: ['risk'], administration: ['user'] }],
    },
  );
  await company.signIn('ann');
});

afterAll(() => company.close());

interface Row {
  readonly kind: string;
  readonly who: string;
  readonly what: string;
  readonly by: string;
  readonly since: string | null;
  readonly granted_by: string | null;
  readonly last_used: string | null;
}

const review = async (format: string, key?: string) =>
  company.service.call('POST', `/api/v1/access/review?format=${format}`, key === undefined ? {} : { key });

async function rows(): Promise<Row[]> {
  const { status, body } = await review('json');
  expect(status).toBe(200);
  const lines = (body as string).trimEnd().split('\n');
  const [end, ...rest] = lines.map((line) => JSON.parse(line) as Row & { end: { rows: number } }).reverse();
  expect(end!.end.rows).toBe(rest.length);
  return rest.reverse();
}

const keyWith = async (...roles: string[]) =>
  (await company.service.call('POST', '/api/v1/keys', { body: { administrator: roles[0], rights: { roles } } })).body
    .key as string;

describe('an access review', () => {
  it('has everything that anybody has been given, by what, since when and when it was used last', async () => {
    await company.service.call('POST', '/api/v1/keys', { body: { host: 'desk', rights: { subjects: ['*'] } } });
    const all = await rows();
    const row = (kind: string, who: string) => all.filter((each) => each.kind === kind && each.who === who);
    const at = expect.stringMatching(/^20\d\d-.*Z$/) as string;
    expect(row('binding', 'user:company/ann')).toEqual([
      {
        kind: 'binding',
        who: 'user:company/ann',
        what: 'sales',
        by: 'b',
        since: at,
        granted_by: expect.stringContaining('key:'),
        expires: null,
        last_used: at,
      },
    ]);
    expect(row('binding', 'group:company:staff')).toMatchObject([{ what: 'sales', last_used: null }]);
    expect(row('administrator_binding', 'user:company/bob')).toMatchObject([
      { what: 'auditor', by: 'a', last_used: null },
    ]);
    expect(row('mapping', 'user:company/ann')).toMatchObject([
      { what: 'risk', by: 'm/everybody', since: null, last_used: at },
    ]);
    expect(row('administrator_mapping', 'user:company/ann')).toMatchObject([{ what: 'user' }]);
    expect(
      row('key', 'administrator:owner')
        .map(({ what }) => what)
        .sort(),
    ).toEqual(['operator', 'owner']);
    expect(row('key', 'host:desk')).toMatchObject([
      { what: expect.stringContaining('subjects') as string, last_used: null },
    ]);
    // What is over, or was taken away, is not there.
    expect(row('binding', 'user:zoe')).toEqual([]);
  });

  it('has delegations that are live', async () => {
    await company.signIn('bob');
    const superuser = await company.service.database.connect('superuser');
    await superuser.query(
      `insert into placet.delegation (tenant, id, from_person, to_person, expires_at)
       select $1, 'd' || n, 'user:company/ann', 'user:company/bob', clock_timestamp() + n * interval '1 day' from unnest(array[-1, 1]) n`,
      [company.service.database.tenant],
    );
    const given = (await rows()).filter(({ kind }) => kind === 'delegation');
    expect(given).toMatchObject([{ who: 'user:company/bob', what: 'user:company/ann', by: 'd1' }]);
  });

  it('says since when without a break: not since a role that was taken away in between', async () => {
    const sinceOf = async (who: string) => (await rows()).find((row) => row.who === who && row.by === 'c')!.since!;
    const save = (...subjects: string[]) => company.apply({ kind: 'Binding', name: 'c', subjects, roles: ['sales'] });
    await save('user:x', 'user:y');
    const first = await sinceOf('user:x');
    await save('user:y');
    await save('user:x', 'user:y');
    await save('user:x', 'user:y', 'user:z');
    expect(await sinceOf('user:y')).toBe(first);
    expect((await sinceOf('user:x')) > first).toBe(true);
    expect((await sinceOf('user:z')) > (await sinceOf('user:x'))).toBe(true);
  });

  it('is for those who may export, and is in the ledger', async () => {
    for (const role of ['policy-author', 'publisher', 'registrar', 'approver', 'user'])
      expect((await review('json', await keyWith(role))).body.code).toBe('forbidden');
    const before = await exportsRecorded();
    expect((await review('csv', await keyWith('auditor'))).status).toBe(200);
    expect((await exportsRecorded()).slice(before.length)).toMatchObject([
      { action: 'begun', of: 'access_review', by: expect.stringContaining('key:') as string },
      { action: 'finished', rows: expect.any(Number) as number },
    ]);
    expect((await review('xml')).body.code).toBe('invalid_request');
  });

  it('is one at a time', async () => {
    const both = await Promise.all(Array.from({ length: 8 }, () => review('csv')));
    const codes = both.map(({ status, body }) => (status === 200 ? 'ok' : (body.code as string)));
    expect(codes).toContain('ok');
    expect(new Set(codes)).toEqual(new Set(codes.includes('too_many_changes') ? ['ok', 'too_many_changes'] : ['ok']));
    expect((await review('csv')).status).toBe(200);
  });

  it('is written by the command line once it is whole, as CSV that no spreadsheet runs', async () => {
    const work = mkdtempSync(join(tmpdir(), 'placet review '));
    const environment = { PLACET_URL: company.service.url, PLACET_KEY: company.service.owner };
    try {
      const { code, stdout } = await placet(['access', 'review', join(work, 'r.csv')], { environment });
      expect([code, stdout]).toEqual([0, expect.stringMatching(/^\d+ rows in /)]);
      const text = readFileSync(join(work, 'r.csv'), 'utf8');
      expect(text.split('\r\n')[0]).toBe('"kind","who","what","by","since","granted_by","expires","last_used"');
      expect(text).toContain('"user:=HYPERLINK(""https://evil"")"');
      expect(text).not.toMatch(/(^|",)"[=+@-]/m);
      expect((await placet(['access', 'review', join(work, 'r.json'), '--json'], { environment })).code).toBe(0);
      expect(readdirSync(work).sort()).toEqual(['r.csv', 'r.json']);
      const failed = await placet(['access', 'review', join(work, 'n.csv')], {
        environment: { ...environment, PLACET_KEY: await keyWith('user') },
      });
      expect(failed.code).toBe(1);
      expect(readdirSync(work).sort()).toEqual(['r.csv', 'r.json']);
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  });
});

async function exportsRecorded(): Promise<object[]> {
  const found = await company.service.database.store.read(company.service.database.tenant, (view) =>
    view.query<{ body: string }[]>(`select body from placet.ledger_record where kind = 'export' order by seq`),
  );
  return found.map(({ body }) => (JSON.parse(body) as { about: object }).about);
}

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ConsentLinks } from '#consent';
import { fieldsOf, startAnswering, type Answering, type Page } from '../support/answering.js';
import { Cookies } from '../support/browser.js';

let asking: Answering;
let ann: Cookies;
let bob: Cookies;

beforeAll(async () => {
  asking = await startAnswering();
  ann = await asking.signIn('ann');
  bob = await asking.signIn('bob');
});
afterAll(() => asking?.close());
beforeEach(() => asking.asks({ by: ['subject'] }));

const at = (id: string) => `/t/default/requests/${id}`;

const show = (who: Cookies, id: string, query = ''): Promise<Page> => asking.page(who, at(id) + query);

/** Answers with the form that somebody was shown. */
async function answer(who: Cookies, id: string, given: string, over: Record<string, string> = {}, query = '') {
  const form = { ...fieldsOf(await show(who, id, query)), answer: given, ...over };
  return asking.page(who, at(id), form);
}

/** Changes rows as the superuser, as time would. */
async function sql(...statements: string[]): Promise<Record<string, string>[]> {
  const client = await asking.service.database.connect('superuser');
  try {
    const answers = [];
    for (const statement of statements) answers.push(await client.query<Record<string, string>>(statement));
    return answers.at(-1)!.rows;
  } finally {
    await client.end();
  }
}

/** The fields of the form that somebody was shown, with their answer. */
const filled = (page: Page, answer = 'uses:1'): Record<string, string> => ({ ...fieldsOf(page), answer });

describe('the page of a request', () => {
  it('is where the host is told to send people; it takes the answer, says what happens, and takes it back', async () => {
    const id = await asking.ask({ arguments: { to: 'eve', text: '<script>alert(1)</script>' } });
    const page = await show(ann, id);
    expect(page.status).toBe(200);
    expect(page.text).toContain('Desk wants to use the tool send of Mail');
    expect(page.text).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(page.text).not.toContain('<script');
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(page.text).not.toContain('checked');
    // To refuse is one of the same choices, and the first.
    expect([...page.text.matchAll(/type="radio" name="answer" value="([^"]+)"/g)].map(([, value]) => value)).toEqual([
      'refuse',
      'uses:1',
      'until:3600000',
      'until:28800000',
    ]);

    const answered = await answer(ann, id, 'uses:1');
    expect([answered.status, answered.headers.get('location')]).toEqual([303, at(id)]);
    expect(await asking.status(id)).toBe('approved');
    const after = await show(ann, id);
    expect(after.text).toContain('You have agreed');
    const receipt = /href="(\/api\/v1\/me\/consents\/co_[^"]+\/receipt)"/.exec(after.text)![1]!;
    const downloaded = await ann.fetch(asking.service.url + receipt);
    expect(downloaded.headers.get('content-disposition')).toBe('attachment; filename="receipt.jose"');
    expect(await downloaded.text()).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
    expect(after.text).toContain('It is good for one call');

    const back = await asking.page(ann, `${at(id)}/take-back`, fieldsOf(after));
    expect(back.status).toBe(303);
    expect((await show(ann, id)).text).toContain('It was taken back: not used yet.');
    expect(
      await asking.decide({ arguments: { to: 'eve', text: '<script>alert(1)</script>' }, approval: id }),
    ).toMatchObject({
      effect: 'ask',
    });
  });

  it('refuses as easily', async () => {
    const id = await asking.ask();
    expect((await answer(ann, id, 'refuse')).status).toBe(303);
    expect(await asking.status(id)).toBe('denied');
    expect((await show(ann, id)).text).toContain('You have refused');
  });

  it('sends whoever is not signed in to sign in, and back to it', async () => {
    const id = await asking.ask();
    const stranger = new Cookies();
    const { status, headers } = await show(stranger, id);
    expect([status, headers.get('location')]).toEqual([
      303,
      `/t/default/sign-in?return_to=${encodeURIComponent(at(id))}`,
    ]);
    const query = `return_to=${encodeURIComponent(at(id))}`;
    const way = await asking.begin(stranger, 'ann', { query });
    expect((await stranger.fetch(way)).headers.get('location')).toBe(at(id));
    expect((await show(stranger, id)).text).toContain('Do you agree?');
    expect((await asking.page(new Cookies(), '/t/default/requests')).status).toBe(303);
  });

  it('is not there for others, nor for what is no request', async () => {
    const id = await asking.ask();
    const [theirs, none, odd] = await Promise.all([
      show(bob, id),
      show(bob, `cr_${'a'.repeat(22)}`),
      show(bob, '%22%3E%3Cb%3E'),
    ]);
    expect([theirs.status, none.status, odd.status]).toEqual([404, 404, 404]);
    expect(theirs.text.replaceAll(id, '')).toBe(none.text.replaceAll(`cr_${'a'.repeat(22)}`, ''));
    expect(odd.text).not.toContain('"><b>');
    // They may be signed in as somebody else than whom the link was sent to.
    expect(theirs.text).toMatch(
      /You are signed in as <bdi>Bob Example<\/bdi>, <bdi dir="ltr">user:company\/bob<\/bdi>\./,
    );
    expect(theirs.text).toContain('href="/t/default/requests"');
  });

  it.each([
    ['expired', `status = 'pending', expires_at = clock_timestamp()`, 'Nobody has answered in time'],
    ['cancelled', `status = 'cancelled'`, 'The application has taken it back'],
  ])('says what is %s', async (_what, change, words) => {
    const id = await asking.ask({ arguments: { to: change } });
    const form = fieldsOf(await show(ann, id));
    await sql(`update placet.consent_request set ${change} where id = '${id}'`);
    const page = await show(ann, id);
    expect(page.text).toContain(words);
    expect(page.text).not.toContain('type="radio"');
    const late = await asking.page(ann, at(id), { ...form, answer: 'uses:1' });
    expect(late.status).toBe(409);
    expect(late.text).toContain(words);
  });

  it('is answered by one of several, and tells the others by whom; all of them have their list', async () => {
    await asking.asks({ by: ['role:lead', 'subject'] });
    const id = await asking.ask();
    const [own, others] = await Promise.all([ann, bob].map((who) => asking.page(who, '/t/default/requests')));
    expect(own!.text.split('For others')[0]).toContain(at(id));
    expect(others!.text.split('For others')[1]).toContain(at(id));
    const before = fieldsOf(await show(ann, id));
    expect((await answer(bob, id, 'uses:1')).status).toBe(303);
    expect((await show(ann, id)).text).toContain('user:company/bob</bdi> has agreed');
    const late = await asking.page(ann, at(id), { ...before, answer: 'refuse' });
    expect(late.status).toBe(409);
    expect(await asking.status(id)).toBe('approved');
    expect((await asking.page(bob, '/t/default/requests')).text).not.toContain(at(id));
  });

  it('says that more must agree', async () => {
    await asking.asks({ by: ['role:lead', 'subject'], approvals: 2 });
    const id = await asking.ask();
    await answer(ann, id, 'uses:1');
    expect(await asking.status(id)).toBe('pending');
    expect((await show(ann, id)).text).toContain(
      'Until everything that is required has been agreed to, nothing happens.',
    );
    const again = await asking.page(ann, at(id), filled(await show(bob, id)));
    expect(again.status).toBe(403);
    await answer(bob, id, 'uses:1');
    expect(await asking.status(id)).toBe('approved');
  });

  it('lets the glass be broken only by whom the policy names, and only with a reason', async () => {
    await asking.apply({ kind: 'Role', name: 'nobody' });
    await asking.asks({ by: ['role:nobody'], breakGlass: ['role:lead'] });
    const id = await asking.ask();
    expect((await show(ann, id)).status).toBe(404);
    expect((await show(bob, id)).text).toContain('Break the glass, for one call');
    expect((await answer(bob, id, 'uses:1')).status).toBe(403);
    // Whoever is not asked does not refuse for those who are.
    expect((await answer(bob, id, 'refuse')).status).toBe(403);
    for (const reason of [
      '   asap      ',
      'a         b',
      '\u200b'.repeat(20),
      'the site is down\0',
      '\u00a0\u3164\u2800'.repeat(9),
    ]) {
      const refused = await answer(bob, id, 'uses:1', { break_glass: reason });
      expect([refused.status, refused.text.includes('say why it cannot wait')], JSON.stringify(reason)).toEqual([
        400,
        false,
      ]);
      expect(refused.text).toContain('Say why it cannot wait');
    }
    expect(await asking.status(id)).toBe('pending');
    expect((await answer(bob, id, 'uses:1', { break_glass: 'the site is down' })).status).toBe(303);
    expect(await asking.status(id)).toBe('approved');
  });

  it('takes no reason from those who may agree anyway', async () => {
    const id = await asking.ask();
    expect((await show(ann, id)).text).not.toContain('<textarea');
    expect((await answer(ann, id, 'uses:1', { break_glass: 'the site is down' })).status).toBe(403);
    expect(await asking.status(id)).toBe('pending');
  });

  it.each([
    ['nothing', undefined, 400],
    ['what is no choice', 'agree', 400],
    ['longer than the policy leaves', 'until:28800001', 400],
    ['more calls than the policy leaves', 'uses:2', 400],
    ['a session that there is none of', 'session', 400],
  ])('takes no %s', async (_what, given, status) => {
    const id = await asking.ask();
    const { answer: _answer, ...form } = { ...fieldsOf(await show(ann, id)), answer: '' };
    const page = await asking.page(ann, at(id), given === undefined ? form : { ...form, answer: given });
    expect(page.status).toBe(status);
    expect(page.text).toContain('role="alert"');
    expect(await asking.status(id)).toBe('pending');
  });

  it('demands a better sign-in where the policy does, and comes back; so does the API', async () => {
    await asking.asks({ by: ['subject'], assurance: 'urn:company:mfa' });
    const id = await asking.ask();
    const who = await asking.signIn('ann');
    const refused = await answer(who, id, 'uses:1');
    expect(refused.status).toBe(403);
    const path = `/t/default/sign-in/company?acr=urn%3Acompany%3Amfa&return_to=${encodeURIComponent(at(id))}`;
    expect(refused.headers.get('refresh')).toBe(`0; url=${path}`);
    const { shown } = fieldsOf(await show(who, id));
    const api = await who.fetch(`${asking.service.url}/api/v1/me/requests/${id}/answer`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'Placet-Request': '1', 'Sec-Fetch-Site': 'same-origin' },
      body: JSON.stringify({ answer: 'agree', shown }),
    });
    expect([api.status, await api.json()]).toEqual([
      401,
      expect.objectContaining({
        code: 'step_up_required',
        sign_in_url: '/t/default/sign-in/company?acr=urn%3Acompany%3Amfa',
        acr_values: 'urn:company:mfa',
      }),
    ]);
    expect(await asking.status(id)).toBe('pending');
    const way = await asking.begin(who, 'ann', { query: path.split('?')[1]! });
    expect((await who.fetch(way)).headers.get('location')).toBe(at(id));
    expect((await answer(who, id, 'uses:1')).status).toBe(303);
    expect(await asking.status(id)).toBe('approved');
  });
});

describe('an answer is refused', () => {
  let id: string;
  beforeEach(async () => {
    id = await asking.ask();
  });
  const isPending = async () => expect(await asking.status(id)).toBe('pending');

  it.each<[string, Record<string, string>]>([
    ['another site', { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.example' }],
    ['another site of the same company', { 'Sec-Fetch-Site': 'same-site', Origin: 'null' }],
    ['an old browser at another site', { Origin: 'https://evil.example' }],
    ['what is no browser', {}],
    ['a frame without an origin', { Origin: 'null' }],
  ])('from %s', async (_what, headers) => {
    const form = filled(await show(ann, id));
    expect((await asking.page(ann, at(id), form, headers)).status).toBe(403);
    await isPending();
  });

  it('without the text of the form, with that of another request, another person, or an earlier sign-in', async () => {
    const good = filled(await show(ann, id));
    const other = await asking.ask({ arguments: { to: 'other' } });
    const who = await asking.signIn('ann');
    const older = fieldsOf(await show(who, id))['token']!;
    await asking.signIn('ann', { cookies: who, query: 'acr=urn:company:mfa' });
    const tokens: [Cookies, string][] = [
      [ann, ''],
      [ann, 'x'.repeat(43)],
      [ann, fieldsOf(await show(ann, other))['token']!],
      [bob, good['token']!],
      [who, older],
    ];
    for (const [cookies, token] of tokens)
      expect((await asking.page(cookies, at(id), { ...good, token })).status).toBe(403);
    const { token: _token, ...none } = good;
    expect((await asking.page(ann, at(id), none)).status).toBe(400);
    await isPending();
  });

  it('to another text than what is asked, which is then shown anew', async () => {
    const page = await answer(ann, id, 'uses:1', { shown: '0'.repeat(64) });
    expect(page.status).toBe(409);
    expect(page.text).toContain('not what is asked');
    // As if it had been changed between the two.
    const form = filled(await show(ann, id));
    await sql(`update placet.consent_request set shown = replace(shown, 'eve', 'mallory'),
      shown_digest = sha256(convert_to(replace(shown, 'eve', 'mallory'), 'UTF8')) where id = '${id}'`);
    const changed = await asking.page(ann, at(id), form);
    expect([changed.status, changed.text.includes('mallory')]).toEqual([409, true]);
    await isPending();
  });

  it('by the key of a host, or of an owner, whatever else is sent with it', async () => {
    const form = filled(await show(ann, id));
    const ours = { 'Sec-Fetch-Site': 'same-origin' };
    for (const key of [asking.key, asking.service.owner]) {
      const page = await asking.page(new Cookies(), at(id), form, { ...ours, Authorization: `Bearer ${key}` });
      expect([page.status, page.headers.get('location')]).toEqual([303, expect.stringContaining('/sign-in?')]);
      const api = await asking.service.call('POST', `/api/v1/me/requests/${id}/answer`, {
        key,
        body: { answer: 'agree', shown: form['shown'] },
      });
      expect(api.status).toBe(403);
    }
    await isPending();
  });

  it('by the access token of a device that the person has signed in', async () => {
    const { url } = asking.service;
    const post = (path: string, form: Record<string, string>, cookies = new Cookies()) =>
      cookies.fetch(`${url}/t/default/oauth/${path}`, {
        method: 'POST',
        headers: { 'Sec-Fetch-Site': 'same-origin' },
        body: new URLSearchParams(form),
      });
    await asking.apply({ kind: 'AdministratorBinding', name: 'ann', to: ['user:company/ann'], roles: ['auditor'] });
    const began = (await (await post('device/authorize', { client_id: 'placet-cli', scope: 'administer' })).json()) as {
      device_code: string;
      user_code: string;
    };
    const pageText = await (await ann.fetch(`${url}/t/default/oauth/device?user_code=${began.user_code}`)).text();
    const xsrf = /name="xsrf" value="([^"]+)"/.exec(pageText)![1]!;
    await post('device', { xsrf, user_code: began.user_code, answer: 'allow' }, ann);
    const grant = 'urn:ietf:params:oauth:grant-type:device_code';
    const got = await post('token', { grant_type: grant, device_code: began.device_code, client_id: 'placet-cli' });
    const { access_token: token } = (await got.json()) as { access_token: string };
    asking.service.secrets.add(token);
    expect((await asking.service.call('GET', '/api/v1/me', { key: token })).status).toBe(200);
    const form = filled(await show(ann, id));
    for (const route of ['me/requests', 'approvals']) {
      const api = await asking.service.call('POST', `/api/v1/${route}/${id}/answer`, {
        key: token,
        body: { answer: 'agree', shown: form['shown'] },
      });
      expect([api.status, api.body.detail]).toEqual([403, expect.stringContaining('signed in at a browser')]);
    }
    const bearer = { 'Sec-Fetch-Site': 'same-origin', Authorization: `Bearer ${token}` };
    expect((await asking.page(new Cookies(), at(id), form, bearer)).status).toBe(303);
    await isPending();
  });

  it('after the session has ended', async () => {
    const who = await asking.signIn('ann');
    const form = filled(await show(who, id));
    await sql(`update placet.session set ended_at = clock_timestamp() where mac in (
      select mac from placet.session where person = 'user:company/ann' order by created_at desc limit 1)`);
    expect((await asking.page(who, at(id), form)).status).toBe(303);
    await isPending();
  });

  it('as well is taking back what others have agreed to, or from elsewhere', async () => {
    await asking.asks({ by: ['role:lead', 'subject'] });
    const theirs = await asking.ask();
    const before = fieldsOf(await show(ann, theirs));
    await answer(bob, theirs, 'uses:1');
    const path = `${at(theirs)}/take-back`;
    const own = fieldsOf(await show(bob, theirs));
    expect((await asking.page(ann, path, own)).status).toBe(403);
    // Also with a form of her own.
    expect((await asking.page(ann, path, { token: before['token']! })).status).toBe(403);
    expect((await asking.page(bob, path, own, { Origin: 'https://evil.example' })).status).toBe(403);
    expect((await asking.page(bob, path, { token: 'x' })).status).toBe(403);
    expect(await asking.decide({ approval: theirs })).toMatchObject({ effect: 'allow' });
  });
});

describe('a session of another tenant', () => {
  it('is nothing at the pages of this one', async () => {
    const id = await asking.ask();
    const second = await asking.service.secondTenant('elsewhere');
    const form = filled(await show(ann, id));
    for (const name of ['elsewhere', 'nowhere']) {
      const path = `/t/${name}/requests/${id}`;
      const pages = [await asking.page(ann, path), await asking.page(ann, path, form)];
      for (const { status } of pages) expect(status).toBe(name === second.name ? 303 : 404);
    }
    expect(await asking.status(id)).toBe('pending');
  });
});

describe('a link for one person', () => {
  let id: string;
  let tenant: string;
  const links = () => new ConsentLinks(asking.service.keyCheck);
  const linkTo = (person: string, ms = 600_000, to = id) =>
    links().make({ tenant, request: to, person: `user:company/${person}` }, Date.now() + ms);
  const query = (link: string) => `?link=${encodeURIComponent(link)}`;

  beforeEach(async () => {
    await asking.asks({ by: ['role:lead', 'subject'] });
    id = await asking.ask();
    tenant = (await sql('select id from placet.tenant'))[0]!['id']!;
  });

  it('leads that person to the page, over the sign-in, and is good for one answer', async () => {
    const link = linkTo('ann');
    expect(link).not.toContain('ann');
    const stranger = await show(new Cookies(), id, query(link));
    const back = new URL(stranger.headers.get('location')!, 'http://x').searchParams.get('return_to');
    expect(back).toBe(at(id) + query(link));
    const form = fieldsOf(await show(ann, id, query(link)));
    expect(form['link']).toBe(link);
    // What is refused does not use it up.
    expect((await asking.page(ann, at(id), { ...form, answer: 'session' })).status).toBe(400);
    expect((await asking.page(ann, at(id), { ...form, answer: 'uses:1' })).status).toBe(303);
    expect(await asking.status(id)).toBe('approved');
    expect((await show(ann, id, query(link))).status).toBe(410);
    expect((await asking.page(ann, at(id), { ...form, answer: 'uses:1' })).status).toBe(410);
    expect((await show(ann, id)).status).toBe(200);
  });

  it('is used up by one of two answers at the same time', async () => {
    const form = filled(await show(ann, id, query(linkTo('ann'))));
    const all = await Promise.all(Array.from({ length: 5 }, () => asking.page(ann, at(id), form)));
    expect(all.filter(({ status }) => status === 303)).toHaveLength(1);
    expect(all.filter(({ status }) => status === 410 || status === 409)).toHaveLength(4);
  });

  it('cannot be used again, though the answer were gone', async () => {
    const form = filled(await show(ann, id, query(linkTo('ann'))));
    expect((await asking.page(ann, at(id), form)).status).toBe(303);
    const marks = await sql("select encode(mac, 'hex') as mac from placet.used_once order by expires_at");
    expect(JSON.stringify(marks)).not.toContain(Buffer.from(form['link']!.split('.')[1]!, 'base64url').toString('hex'));
    await sql(
      'set session_replication_role = replica',
      `delete from placet.consent where request = '${id}'`,
      `delete from placet.consent_answer where request = '${id}'`,
      `update placet.consent_request set status = 'pending' where id = '${id}'`,
    );
    expect((await asking.page(ann, at(id), form)).status).toBe(410);
    expect(await asking.status(id)).toBe('pending');
  });

  it.each<[string, () => string]>([
    ['another person who may answer as well', () => linkTo('bob')],
    ['another request', () => linkTo('ann', 600_000, `cr_${'a'.repeat(22)}`)],
    ['what is over', () => linkTo('ann', -1)],
    ['another end', () => linkTo('ann').replace(/^[0-9a-z]+/, (Date.now() + 900_000).toString(36))],
    [
      'another pepper',
      () =>
        new ConsentLinks({ pepper: Buffer.alloc(32, 1), environment: 'test' }).make(
          { tenant, request: id, person: 'user:company/ann' },
          Date.now() + 600_000,
        ),
    ],
    [
      'another environment',
      () =>
        new ConsentLinks({ ...asking.service.keyCheck, environment: 'production' }).make(
          { tenant, request: id, person: 'user:company/ann' },
          Date.now() + 600_000,
        ),
    ],
    [
      'another tenant',
      () => links().make({ tenant: id, request: id, person: 'user:company/ann' }, Date.now() + 600_000),
    ],
    ['nothing', () => ''],
    ['no link', () => 'zzzzzzzz.x'],
  ])('is nothing where it is for %s', async (_what, make) => {
    const link = make();
    expect((await show(ann, id, query(link))).status).toBe(410);
    const form = { ...fieldsOf(await show(ann, id)), answer: 'uses:1', link };
    expect((await asking.page(ann, at(id), form)).status).toBe(410);
    expect(await asking.status(id)).toBe('pending');
  });

  it('is over by the clock of the database, whatever a page was let see before', async () => {
    const form = filled(await show(ann, id, query(linkTo('ann', 1200))));
    await new Promise((resolve) => setTimeout(resolve, 1300));
    expect((await asking.page(ann, at(id), form)).status).toBe(410);
    expect(await asking.status(id)).toBe('pending');
  });

  it('is no right: nobody is let in by it, and nobody answers who may not', async () => {
    await asking.asks({ by: ['role:lead'] });
    const theirs = await asking.ask();
    expect((await show(new Cookies(), theirs, query(linkTo('ann', 600_000, theirs)))).status).toBe(303);
    expect((await show(ann, theirs, query(linkTo('ann', 600_000, theirs)))).status).toBe(404);
  });
});

import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { selfSigned } from '#saml';
import { Cookies } from '../support/browser.js';
import { newKey, type IdpKey, type Said } from '../support/saml/answers.js';
import { ANN, startSamlCompany, type SamlCompany } from '../support/saml/company.js';
import type { SamlProvider } from '../support/saml/identity-provider.js';
import { answerAt, postAnswer, samlIssuer } from '../support/saml/sign-in.js';
import { begunTest, examined, faults, sentOn, toldTest, traces, type ToldTest } from '../support/sign-in-tests.js';

let company: SamlCompany;
let idp: SamlProvider;
let key: IdpKey;

const OVER = 'The test is over';

beforeAll(async () => {
  company = await startSamlCompany();
  ({ idp } = company);
  ({ key } = idp);
});
afterEach(async () => {
  (idp as { key: IdpKey }).key = key;
  idp.tamper = undefined;
  idp.encryptsFor = undefined;
  idp.signs = 'both';
  await company.apply(samlIssuer(idp));
});
afterAll(() => company.close());

/** A key whose certificate was good up to an hour ago. */
function expiredKey(): IdpKey {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const terms = {
    commonName: 'old',
    serial: Buffer.from('01', 'hex'),
    from: Date.now() - 9e7,
    to: Date.now() - 3_600_000,
  };
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { key: pem, certificate: selfSigned(publicKey, createPrivateKey(pem), terms) };
}

/** An answer to a test, that waits to be posted. */
async function answered(cookies: Cookies, who: Partial<Said> | undefined): Promise<{ id: string; answer: string }> {
  idp.person = who;
  const { id, url } = await begunTest(company.service);
  const to = await sentOn(cookies, url);
  const page = await (await fetch(to)).text();
  return { id, answer: /name="SAMLResponse" value="([^"]*)"/.exec(page)![1]! };
}

async function tested(who: Partial<Said> | undefined): Promise<{ test: ToldTest; page: string; cookies: Cookies }> {
  const cookies = new Cookies();
  const { id, answer } = await answered(cookies, who);
  const page = await (await postAnswer(cookies, company.callback, answer)).text();
  return { test: await toldTest(company.service, id), page, cookies };
}

const failed = ({ steps }: ToldTest) => steps.find(({ outcome }) => outcome === 'failed');

describe('what can be looked at of a SAML identity provider without a person', () => {
  it('is its address, its certificates, and who we are there', async () => {
    const steps = await examined(company.service);
    expect(faults(steps)).toEqual(['unknown clock']);
    const said = steps.map(({ step, found }) => `${step}: ${found}`).join('\n');
    for (const text of [idp.url, 'CN=idp', company.entityId, company.callback, 'good until'])
      expect(said).toContain(text);
    expect(said).not.toContain('PRIVATE KEY');
  });

  it('names each certificate that is over, and only that one', async () => {
    await company.apply(samlIssuer(idp, { certificates: [expiredKey().certificate, idp.key.certificate] }));
    const steps = (await examined(company.service)).filter(({ step }) => step === 'certificates');
    expect(steps.map(({ outcome }) => outcome)).toEqual(['failed', 'ok']);
    expect(steps[0]).toMatchObject({ found: expect.stringContaining('it is over'), mend: expect.any(String) });
  });
});

describe('a test of a sign-in by SAML', () => {
  it('tells every look of the guard, who it was and what they would get, and leaves nothing behind', async () => {
    const before = await traces(company.service);
    const { test, page, cookies } = await tested(ANN);
    expect(page).toContain(OVER);
    expect(page).not.toContain('ann');
    expect(test).toMatchObject({
      state: 'over',
      refused: null,
      came: {
        subject: { type: 'user', id: 'company/ann-0001' },
        name: 'Ann Example',
        groups: { names: ['company:staff'] },
      },
    });
    expect(faults(test.steps)).toEqual([]);
    expect(test.steps.map(({ step }) => step)).toEqual([
      ...[
        'request',
        'attempt',
        'attempt',
        'response',
        'document',
        'status',
        'document',
        'in_response_to',
        'destination',
      ],
      ...[
        'response_issuer',
        'encryption',
        'signature',
        'assertion_issuer',
        'issue_instant',
        'confirmation',
        'recipient',
      ],
      ...['in_response_to', 'confirmation', 'audience', 'validity', 'validity', 'authentication', 'replay', 'strength'],
      ...['require', 'identity', 'suspension', 'signed_out', 'person', 'claims', 'groups', 'mapping', 'roles'],
    ]);
    expect(cookies.get(company.begin, '__Host-placet')).toBeUndefined();
    expect(await traces(company.service)).toEqual(before);
  });

  it.each<[string, Partial<Said> | undefined, string, string]>([
    [
      'for another recipient',
      { ...ANN, recipient: 'https://evil.example/acs' },
      'destination',
      'Destination is https://evil.example/acs, ours is http',
    ],
    [
      'whose assertion alone is for another recipient',
      { ...ANN, recipient: 'https://evil.example/acs', destination: 'ours' },
      'recipient',
      'Recipient is https://evil.example/acs, ours is http',
    ],
    ['for another audience', { ...ANN, audience: 'urn:other' }, 'audience', 'Audience is urn:other, ours is http'],
    ['of another issuer', { ...ANN, issuer: 'urn:other' }, 'response_issuer', 'urn:other'],
    ['to another request', { ...ANN, requestId: '_other' }, 'in_response_to', '_other'],
    ['that is too old', { ...ANN, issuedAt: -500, notOnOrAfter: -100 }, 'validity', '100 s ago'],
    ['made by a clock that is ahead', { ...ANN, issuedAt: 300, notOnOrAfter: 900 }, 'issue_instant', 'in 300 s'],
    ['that says that nobody has signed in', undefined, 'status', 'Responder'],
    [
      'without a name that stays',
      { ...ANN, format: 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient' },
      'identity',
      '/sub',
    ],
  ])('names the step, of an answer %s', async (_what, said, step, found) => {
    const who = said?.destination === 'ours' ? { ...said, destination: company.callback } : said;
    const { test, page, cookies } = await tested(who);
    expect(test).toMatchObject({ state: 'over', refused: expect.any(String), came: null });
    const last = failed(test)!;
    expect(last).toMatchObject({ step, found: expect.stringContaining(found), mend: expect.any(String) });
    expect(test.steps.at(-1)).toBe(last);
    expect(page).toContain(OVER);
    expect(page).not.toContain(found);
    expect(cookies.get(company.begin, '__Host-placet')).toBeUndefined();
  });

  it('names the certificate that an answer is signed by, where it is none of the document', async () => {
    (idp as { key: IdpKey }).key = newKey();
    const { test } = await tested(ANN);
    expect(failed(test)).toMatchObject({
      step: 'signature',
      found: expect.stringMatching(/the answer names [0-9a-f]{64}/),
    });
  });

  it('says so where the assertion must be encrypted and is not', async () => {
    await company.apply(samlIssuer(idp, { encrypted: true }));
    expect(failed((await tested(ANN)).test)).toMatchObject({ step: 'encryption' });
  });

  it('says of groups that are not there that they are unknown', async () => {
    const { test } = await tested({ ...ANN, attributes: {} });
    expect(faults(test.steps)).toEqual(['unknown groups']);
    expect(test.came).toMatchObject({ groups: null });
  });

  it('keeps nothing of the answer', async () => {
    const cookies = new Cookies();
    const { id, answer } = await answered(cookies, ANN);
    await postAnswer(cookies, company.callback, answer);
    const said = JSON.stringify(await toldTest(company.service, id));
    const xml = Buffer.from(answer, 'base64').toString();
    for (const part of [answer, /<[a-z]*:?SignatureValue>([^<]+)/.exec(xml)![1]!, '<saml:Assertion'])
      expect(said).not.toContain(part);
  });
});

describe('a test and a sign-in by SAML', () => {
  it('cannot take what is meant for the other', async () => {
    const [tester, person] = [new Cookies(), new Cookies()];
    const { id, answer: ofTest } = await answered(tester, ANN);
    const ofPerson = await answerAt(idp, person, company.begin);
    const before = await traces(company.service);
    expect((await postAnswer(person, company.callback, ofTest)).status).toBe(403);
    expect(await (await postAnswer(tester, company.callback, ofPerson)).text()).toContain(OVER);
    expect(failed(await toldTest(company.service, id))).toMatchObject({ step: 'in_response_to' });
    expect(await traces(company.service)).toEqual(before);
    expect([tester, person].map((cookies) => cookies.get(company.begin, '__Host-placet'))).toEqual([
      undefined,
      undefined,
    ]);
  });

  it('use up what was signed, both of them', async () => {
    const cookies = new Cookies();
    const { answer } = await answered(cookies, { ...ANN, assertionId: '_the-same' });
    expect(await (await postAnswer(cookies, company.callback, answer)).text()).toContain(OVER);
    const again = await company.signIn(new Cookies(), { ...ANN, assertionId: '_the-same' });
    expect(again.status).toBe(403);
  });
});

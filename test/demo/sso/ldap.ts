import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NamedSecrets } from '#config';
import { Cookies } from '../../support/browser.js';
import { hasOpenLdap, READER, startOpenLdap, type OpenLdap } from '../../support/directories/open-ldap.js';
import { startStandalone } from '../../support/standalone.js';
import { endAll, type DemoOptions, type DemoVerdict } from '../demo.js';
import { paragraph } from '../layout.js';
import { asOwner } from './company.js';
import { block } from './transcript.js';

/** As short as a document may say. */
const GOOD_FOR_SECONDS = 5;

/** Runs the demo of sign-in by a directory; nothing is there before and after. Rejects if it cannot be carried through. */
export async function runLdapDemo({ write, progress, colours, signal }: DemoOptions): Promise<DemoVerdict> {
  if (!hasOpenLdap)
    return { surprises: ["This demo needs OpenLDAP: install slapd and openssl ('apt-get install slapd')."] };
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'placet-ldap-')));
  const ending = [async () => rmSync(directory, { recursive: true, force: true })];
  const surprises: string[] = [];
  let number = 0;
  const step = (title: string, isExpected: boolean, ...lines: readonly (readonly [string, string])[]): void => {
    signal?.throwIfAborted();
    write(block(++number, title, { lines, came: {} }, colours));
    if (!isExpected)
      surprises.push(`'${title}' came out otherwise: ${lines.map((each) => each.join(' ')).join(', ')}.`);
  };
  try {
    const ldap = await startOpenLdap();
    ending.push(() => ldap.close());
    const ann = await ldap.person('ann', { displayName: 'Ann Example' });
    await ldap.group('everybody', await ldap.group('operations', ann));
    const secrets = NamedSecrets.read({ PLACET_SECRET_DEFAULT__READER: READER.password });
    const placet = await startStandalone({ directory, quickstart: false, secrets, progress });
    ending.push(() => placet.stop());
    const text = documents(ldap)
      .map((each) => JSON.stringify(each))
      .join('\n---\n');
    await asOwner(placet.url, placet.ownerKey, 'POST', '/api/v1/documents/apply', {
      files: [{ path: 'ldap.yaml', text }],
    });
    write(
      paragraph(
        'People of a company are in a directory. Placet asks it over TLS alone, keeps no password, and asks again.',
        [`Placet     ${placet.url}, on an embedded Postgres`, `directory  ${ldap.tlsUrl}, an OpenLDAP of its own`],
      ),
    );

    const cookies = new Cookies();
    const wrong = await signIn(cookies, placet.url, 'not-her-password');
    step('Ann mistypes her password', wrong.status === 403, ['reads', wrong.alert]);
    const right = await signIn(cookies, placet.url, 'pw-of-ann');
    const may = await rolesOf(cookies, placet.url);
    step('She signs in', right.status === 303 && may.roles === 'auditor', [
      'may',
      `what is for ${may.roles}: by a group in a group`,
    ]);

    await ldap.set(ann, 'employeeType', 'left');
    await new Promise((done) => setTimeout(done, GOOD_FOR_SECONDS * 1000));
    const after = await rolesOf(cookies, placet.url);
    step(
      `She leaves the company; ${GOOD_FOR_SECONDS} seconds later nothing of hers is good any more`,
      after.status === 401,
      ['session', `GET /api/v1/me answers ${after.status}`],
    );
    const again = await signIn(cookies, placet.url, 'pw-of-ann');
    step('She cannot come back', again.status === 403, ['sign-in', `is refused with ${again.status}`]);
    write(paragraph(`All ${number} steps are done; the service, its database and the directory are ended.`, []));
  } finally {
    await endAll(ending);
  }
  return { surprises };
}

const documents = (ldap: OpenLdap): readonly object[] => [
  {
    kind: 'Issuer',
    name: 'corp',
    issuer: 'ldap://corp.example',
    signIn: {
      protocol: 'ldap',
      directory: 'generic',
      urls: [ldap.tlsUrl],
      ca: ldap.ca,
      account: READER.dn,
      password: 'reader',
      people: { base: `ou=people,${ldap.base}` },
      groups: { base: `ou=groups,${ldap.base}` },
      inactiveWhen: [{ attribute: 'employeeType', oneOf: ['left'] }],
      goodForSeconds: GOOD_FOR_SECONDS,
    },
  },
  {
    kind: 'Mapping',
    name: 'corp',
    issuer: 'corp',
    rules: [{ name: 'everybody', when: [{ group: 'everybody' }], administration: ['auditor'] }],
  },
];

async function signIn(cookies: Cookies, url: string, password: string): Promise<{ status: number; alert: string }> {
  const page = await cookies.follow(`${url}/t/default/sign-in/corp`, (to) => to.endsWith('/password'));
  const token = /name="token" value="([^"]+)"/.exec(await (await cookies.fetch(page)).text())?.[1] ?? '';
  const answer = await cookies.fetch(page, {
    method: 'POST',
    headers: { Origin: url },
    body: new URLSearchParams({ token, username: 'ann', password }),
  });
  return { status: answer.status, alert: /role="alert">([^<]*)/.exec(await answer.text())?.[1] ?? '' };
}

async function rolesOf(cookies: Cookies, url: string): Promise<{ status: number; roles: string }> {
  const answer = await cookies.fetch(`${url}/api/v1/me`);
  const body = (await answer.json()) as { rights?: { roles?: string[] } };
  return { status: answer.status, roles: body.rights?.roles?.join(' and ') ?? 'nobody' };
}

import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cookies } from '../../support/browser.js';
import type { Said } from '../../support/saml/answers.js';
import { startSamlProvider, type SamlProvider } from '../../support/saml/identity-provider.js';
import { answerAt, postAnswer, samlIssuer } from '../../support/saml/sign-in.js';
import { startStandalone } from '../../support/standalone.js';
import { endAll, type DemoOptions } from '../demo.js';
import { asOwner } from '../sso/company.js';

/** Everything that steps are made with. */
export interface SamlStage {
  readonly url: string;
  readonly idp: SamlProvider;
  /** The provider's answer for a browser that begins a sign-in, as it would be posted. */
  answered(cookies: Cookies, who: Partial<Said>, query?: string): Promise<string>;
  /** Brings an answer by a browser. Answers the status of the last page. */
  bring(cookies: Cookies, answer: string): Promise<number>;
  /** Who the session of a browser says that somebody is, and which roles they have. */
  me(cookies: Cookies): Promise<{ readonly name: string | undefined; readonly roles: readonly string[] }>;
  owner(method: string, path: string, body?: object): Promise<unknown>;
  close(): Promise<void>;
}

/** What the company's provider says of Ann. */
export const ANN: Partial<Said> = {
  name: 'ann-0001',
  attributes: { displayName: ['Ann Example'], groups: ['engineering', 'on-call'] },
};

/** Starts a Placet and a company's SAML identity provider, and saves what the one must know of the other. */
export async function openStage({ progress, signal }: DemoOptions): Promise<SamlStage> {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'placet-saml-')));
  const ending = [async () => rmSync(directory, { recursive: true, force: true })];
  try {
    const idp = await startSamlProvider();
    ending.push(() => idp.close());
    signal?.throwIfAborted();
    const placet = await startStandalone({ directory, quickstart: false, progress });
    ending.push(() => placet.stop());
    const { url, ownerKey } = placet;
    const owner = (method: string, path: string, body?: object) => asOwner(url, ownerKey, method, path, body);
    const binding = {
      kind: 'AdministratorBinding',
      name: 'operations',
      to: ['group:company:on-call'],
      roles: ['approver'],
    };
    const text = [samlIssuer(idp), binding].map((document) => JSON.stringify(document)).join('\n---\n');
    await owner('POST', '/api/v1/documents/apply', { files: [{ path: 'company.yaml', text }] });
    const begin = `${url}/t/default/sign-in/company`;
    return {
      url,
      idp,
      answered(cookies, who, query = '') {
        idp.person = who;
        return answerAt(idp, cookies, `${begin}${query}`);
      },
      bring: async (cookies, answer) => (await postAnswer(cookies, `${begin}/callback`, answer)).status,
      async me(cookies) {
        const body = (await (await cookies.fetch(`${url}/api/v1/me`)).json()) as {
          administrator?: string;
          rights?: { roles: string[] };
        };
        return { name: body.administrator, roles: body.rights?.roles ?? [] };
      },
      owner,
      close: () => endAll(ending),
    };
  } catch (error) {
    await endAll(ending);
    throw error;
  }
}

import type { Cookies } from '../browser.js';
import { startTestService, type TestOptions, type TestService } from '../service.js';
import type { Said } from './answers.js';
import { startSamlProvider, type SamlProvider } from './identity-provider.js';
import { answerAt, postAnswer, samlIssuer } from './sign-in.js';
import { all, parse } from './xml.js';

/** A service with a company's SAML identity provider beside it. */
export interface SamlCompany {
  readonly service: TestService;
  readonly idp: SamlProvider;
  /** Where a sign-in begins, where answers go, and our entity id. */
  readonly begin: string;
  readonly callback: string;
  readonly entityId: string;
  apply(...documents: readonly object[]): Promise<void>;
  /** What a browser does until the provider's page has an answer to be posted. */
  answered(cookies: Cookies, who: Partial<Said> | undefined, query?: string): Promise<string>;
  /** Posts an answer as a browser would: from the other site without cookies, and again from our own page. */
  post(cookies: Cookies, answer: string): Promise<Response>;
  /** All of it. Answers the last page. */
  signIn(cookies: Cookies, who: Partial<Said> | undefined, query?: string): Promise<Response>;
  close(): Promise<void>;
}

export const ANN: Partial<Said> = {
  name: 'ann-0001',
  attributes: { displayName: ['Ann Example'], email: ['ann@example.com'], groups: ['staff'] },
};

/** Starts both, with the Issuer `company`. */
export async function startSamlCompany(options: TestOptions = {}): Promise<SamlCompany> {
  const idp = await startSamlProvider();
  const service = await startTestService({
    quickstart: false,
    attempts: { sign_in: 10_000, session: 10_000 },
    ...options,
  });
  const begin = `${service.url}/t/default/sign-in/company`;
  const company: SamlCompany = {
    service,
    idp,
    begin,
    callback: `${begin}/callback`,
    entityId: `${service.url}/t/default/saml/company/metadata`,
    async apply(...documents) {
      const answer = await service.call('POST', '/api/v1/documents/apply', {
        body: { files: [{ path: 'test.yaml', text: documents.map((each) => JSON.stringify(each)).join('\n---\n') }] },
      });
      if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
    },
    answered(cookies, who, query = '') {
      idp.person = who;
      return answerAt(idp, cookies, `${begin}${query}`);
    },
    post: (cookies, answer) => postAnswer(cookies, company.callback, answer),

    signIn: async (cookies, who, query) => company.post(cookies, await company.answered(cookies, who, query)),
    async close() {
      await service.close();
      await idp.close();
    },
  };
  await company.apply(samlIssuer(idp));
  idp.trusts = await certificatesOf(company);
  return company;
}

/** The certificates in our metadata, PEM: two that sign, and the one to encrypt for. */
export async function certificatesOf({ entityId }: Pick<SamlCompany, 'entityId'>): Promise<string[]> {
  const root = parse(await (await fetch(entityId)).text()).documentElement;
  return all(root, 'X509Certificate').map(
    ({ textContent }) =>
      `-----BEGIN CERTIFICATE-----\n${textContent.match(/.{1,64}/g)!.join('\n')}\n-----END CERTIFICATE-----\n`,
  );
}

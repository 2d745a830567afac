import { Cookies } from '../../support/browser.js';
import { wrapped, WRAPPINGS } from '../../support/saml/wrappings.js';
import type { Seen, Step } from '../sso/step.js';
import { ANN, type SamlStage } from './stage.js';

/** What came of bringing an answer: the status of the page, and who is signed in then. */
async function brought(stage: SamlStage, cookies: Cookies, answer: string, text: string): Promise<Seen> {
  const status = await stage.bring(cookies, answer);
  const { name = 'nobody' } = await stage.me(cookies);
  return {
    came: { status, name },
    lines: [
      ['brings', text],
      ['then', `the page answers ${status}, and ${name} is signed in`],
    ],
  };
}

/** In the order in which they happen. */
export const STEPS: readonly Step<SamlStage>[] = [
  {
    title: 'Ann signs in, at the identity provider of her company',
    expected: { status: 200, name: 'Ann Example', roles: ['approver'] },
    async act(stage) {
      const cookies = new Cookies();
      const seen = await brought(stage, cookies, await stage.answered(cookies, ANN), 'the answer to her own request');
      const { roles } = await stage.me(cookies);
      return {
        came: { ...seen.came, roles },
        lines: [...seen.lines, ['may', `what is for ${roles.join(' and ')}: by her groups`]],
      };
    },
  },
  {
    title: 'Somebody else brings an answer that was made for her',
    expected: { status: 400, name: 'nobody' },
    async act(stage) {
      const answer = await stage.answered(new Cookies(), ANN);
      return brought(stage, new Cookies(), answer, 'an answer of hers, by another browser');
    },
  },
  {
    title: 'The provider is made to send an answer that nobody has asked for',
    expected: { status: 400, name: 'nobody' },
    async act(stage) {
      const base = `${stage.url}/t/default`;
      const answer = await stage.idp.unsolicited(`${base}/saml/company/metadata`, `${base}/sign-in/company/callback`);
      return brought(stage, new Cookies(), answer, 'an answer without a request, as a portal sends them');
    },
  },
  {
    title: 'Bob puts an assertion about Ann into an answer that is signed for him',
    expected: { status: 403, name: 'nobody' },
    async act(stage) {
      const cookies = new Cookies();
      stage.idp.tamper = (xml) => wrapped(xml, WRAPPINGS['xsw3: another assertion before it']!);
      const answer = await stage.answered(cookies, { name: 'bob-0001' });
      stage.idp.tamper = undefined;
      return brought(stage, cookies, answer, 'two assertions, of which one is signed');
    },
  },
  {
    title: 'Something asks for two factors, and the provider says that it was a password',
    expected: { status: 403, name: 'nobody' },
    async act(stage) {
      const cookies = new Cookies();
      const answer = await stage.answered(cookies, ANN, '?acr=urn:company:mfa&max_age=60');
      return brought(stage, cookies, answer, 'an answer of the class Password');
    },
  },
  {
    title: 'The same, with two factors',
    expected: { status: 200, name: 'Ann Example', forced: true },
    async act(stage) {
      const cookies = new Cookies();
      const strong = { ...ANN, contextClass: 'urn:company:mfa' };
      const answer = await stage.answered(cookies, strong, '?acr=urn:company:mfa&max_age=60');
      const seen = await brought(stage, cookies, answer, 'an answer of the class that was asked for');
      return { ...seen, came: { ...seen.came, forced: stage.idp.requests.at(-1)!.forceAuthn } };
    },
  },
  {
    title: 'Ann is suspended: the provider still knows her, and Placet lets her in no more',
    expected: { status: 403, name: 'nobody' },
    async act(stage) {
      const subject = encodeURIComponent('user:company/ann-0001');
      await stage.owner('PUT', `/api/v1/suspensions/Subject/${subject}`, { reason: 'her laptop was stolen' });
      const cookies = new Cookies();
      return brought(stage, cookies, await stage.answered(cookies, ANN), 'an answer as it should be');
    },
  },
];

import { answered } from './decision-steps.js';
import type { Stage } from './stage.js';
import type { Step } from './steps.js';

const SUSPENSION = `/api/v1/suspensions/Subject/${encodeURIComponent('user:company/ann')}`;

/** How it ends: by an administrator, and by the person. */
export const ENDING_STEPS: readonly Step[] = [
  {
    title: 'Ann is suspended: her token, her session and her command line are good for nothing from the next call on',
    expected: { effect: 'deny', code: 'pdp_refused', rule: 'none', session: 401, exit: 1, signIn: 403 },
    async act(stage) {
      await stage.owner('PUT', SUSPENSION, { reason: 'her laptop was stolen' });
      const { came, lines } = await askedAgain(stage);
      const { status } = await stage.ann.me();
      const { exit, notes } = await stage.commandLine.run(['get', 'Policy']);
      const signIn = await stage.ann.signIn();
      return {
        came: { ...came, session: status, exit, signIn },
        lines: [
          ...lines,
          ['session', `GET /api/v1/me answers ${status}`],
          ['command', `placet get Policy: ${notes.trim()} (exit code ${exit})`],
          ['sign-in', `ends at a page with status ${signIn}`],
        ],
      };
    },
  },
  {
    title: 'She goes on: what she had stays over, and she signs in anew',
    expected: {
      effect: 'deny',
      code: 'pdp_refused',
      rule: 'none',
      session: 401,
      exit: 1,
      signIn: 303,
      name: 'Ann Example',
    },
    async act(stage) {
      await stage.owner('DELETE', SUSPENSION);
      const { came, lines } = await askedAgain(stage);
      const { status } = await stage.ann.me();
      const { exit } = await stage.commandLine.run(['get', 'Policy']);
      const signIn = await stage.ann.signIn();
      const { name } = await stage.ann.me();
      return {
        came: { ...came, session: status, exit, signIn, name },
        lines: [
          ...lines,
          ['session', `GET /api/v1/me answers ${status}`],
          ['sign-in', `leads to a new session of ${name}`],
        ],
      };
    },
  },
  {
    title: 'She signs out, of Placet and of the identity provider',
    expected: { upstream: true, session: 401 },
    async act({ ann }) {
      const putBack = ann.stolenCookie();
      const upstream = await ann.signOut();
      // Who has copied the cookie has nothing by it.
      putBack();
      const { status } = await ann.me();
      return {
        came: { upstream, session: status },
        lines: [
          ['then', `the identity provider has ${upstream ? 'ended its own session, too' : 'not been asked'}`],
          ['session', `GET /api/v1/me with a copy of the cookie answers ${status}`],
        ],
      };
    },
  },
];

async function askedAgain({ ann, ask }: Stage): ReturnType<Step['act']> {
  return answered(await ask(await ann.accessToken(), 'search_tickets'), 'search_tickets');
}

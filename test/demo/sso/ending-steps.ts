import { answered } from './decision-steps.js';
import type { Stage } from './stage.js';
import type { Seen, Step } from './step.js';

const SUSPENSION = `/api/v1/suspensions/Subject/${encodeURIComponent('user:company/ann')}`;

/** What comes of trying what is over. */
const NOTHING = { effect: 'deny', code: 'pdp_refused', rule: 'none', session: 401, exit: 1 };

/** How it ends: by an administrator, and by the person. */
export const ENDING_STEPS: readonly Step[] = [
  {
    title: 'Ann is suspended: nothing that she has is good for anything from the next call on',
    expected: { ...NOTHING, signIn: 403 },
    async act(stage) {
      await stage.owner('PUT', SUSPENSION, { reason: 'her laptop was stolen' });
      const { came, lines } = await tried(stage);
      const signIn = await stage.ann.signIn();
      return {
        came: { ...came, signIn },
        lines: [...lines, ['sign-in', `is refused with ${signIn}`]],
      };
    },
  },
  {
    title: 'She goes on: what she had stays over, and she signs in anew',
    expected: { ...NOTHING, signIn: 303, name: 'Ann Example' },
    async act(stage) {
      await stage.owner('DELETE', SUSPENSION);
      const { came, lines } = await tried(stage);
      const signIn = await stage.ann.signIn();
      const { name } = await stage.ann.me();
      return {
        came: { ...came, signIn, name },
        lines: [...lines, ['sign-in', `leads to a new session of ${name}`]],
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

/** Tries all that Ann has got before: her token, her session, and the sign-in of her command line. */
async function tried({ ann, assistant, commandLine }: Stage): Promise<Seen> {
  const { came, lines } = answered(await assistant.ask(await ann.accessToken(), 'search_tickets'), 'search_tickets');
  const { status } = await ann.me();
  const { exit, notes } = await commandLine.run(['get', 'Policy']);
  return {
    came: { ...came, session: status, exit },
    lines: [
      ...lines,
      ['session', `GET /api/v1/me answers ${status}`],
      ['command', `placet get Policy: ${notes.trim()} (exit code ${exit})`],
    ],
  };
}

import { COMMAND_LINE_STEPS } from './command-line-steps.js';
import { DECISION_STEPS } from './decision-steps.js';
import { ENDING_STEPS } from './ending-steps.js';
import type { Step } from './step.js';

const SIGN_IN: Step = {
  title: 'Ann signs in, at the identity provider of her company',
  expected: { status: 303, name: 'Ann Example', roles: ['approver', 'policy-author'] },
  async act({ ann }) {
    const status = await ann.signIn();
    const { name, roles } = await ann.me();
    return {
      came: { status, name, roles: roles?.toSorted() },
      lines: [
        ['cookie', ann.cookie],
        ['reads', await ann.home()],
        ['may', `what is for ${roles?.join(' and ')}: by her groups, and by a claim`],
      ],
    };
  },
};

/** In the order in which they happen. */
export const STEPS: readonly Step[] = [SIGN_IN, ...COMMAND_LINE_STEPS, ...DECISION_STEPS, ...ENDING_STEPS];

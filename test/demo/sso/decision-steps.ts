import { generateKeyPairSync } from 'node:crypto';
import { decodeJwt } from 'jose';
import type { Decision } from '#client';
import { explanationLines } from '../../../apps/cli/src/explanation.js';
import type { Explanation } from '#policy';
import type { Stage } from './stage.js';
import type { Seen, Step } from './steps.js';

const SEARCH = 'search_tickets';

/** An application that asks for people by the tokens that the company has given it for them. */
export const DECISION_STEPS: readonly Step[] = [
  {
    title: 'The assistant asks for Ann, by her access token of the company',
    expected: {
      effect: 'allow',
      code: 'allowed',
      rule: 'tickets / developers-search',
      subject: 'user:company/ann',
      roles: ['role developer: held (group:company:engineering by mapping company/developers)'],
    },
    act: async (stage) => asked(stage, await stage.ann.accessToken(), SEARCH),
  },
  {
    title: 'For another tool',
    expected: { effect: 'deny', code: 'no_rule_allows', rule: 'none', subject: 'user:company/ann', roles: [] },
    act: async (stage) => asked(stage, await stage.ann.accessToken(), 'delete_ticket'),
  },
  {
    title: 'For Bob, whose token does not name that group',
    expected: {
      effect: 'deny',
      code: 'no_rule_allows',
      rule: 'none',
      subject: 'user:company/bob',
      roles: ['role developer: not held'],
    },
    act: async (stage) => asked(stage, await stage.bob.accessToken(), SEARCH),
  },
  {
    title: "For Bob, with Ann's groups and the signature of somebody else",
    expected: { effect: 'deny', code: 'pdp_refused', rule: 'none' },
    async act(stage) {
      const claims = { ...decodeJwt(await stage.bob.accessToken()), groups: ['engineering'] };
      const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
      const forged = await stage.idp.sign(claims, { header: { typ: 'at+jwt' }, key: privateKey });
      return asked(stage, forged, SEARCH);
    },
  },
];

/** Asks, and looks up why in the record of the decision, as Ann may. */
async function asked(stage: Stage, token: string, tool: string): Promise<Seen> {
  const decision = await stage.ask(token, tool);
  const answer = answered(decision, tool);
  if (decision.evaluationId === undefined) return answer;
  const { record, explanation } = (await stage.ann.read(`/api/v1/decisions/${decision.evaluationId}`)) as Recorded;
  const roles = explanationLines(explanation).filter((text) => text.startsWith('role '));
  return {
    came: { ...answer.came, subject: record.subject, roles },
    lines: [...answer.lines, ['proven', record.subject], ...roles.map((text): [string, string] => ['why', text])],
  };
}

interface Recorded {
  readonly record: { readonly subject: string };
  readonly explanation: Explanation;
}

/** An answer, without what only the record of it says. */
export function answered({ effect, reason, rules }: Decision, tool: string): Seen {
  const rule = rules.map(({ policy, rule: name }) => `${policy} / ${name}`).join(', ') || 'none';
  return {
    came: { effect, code: reason.code, rule },
    lines: [
      ['asked', `tools/call ${tool}  (tickets)`],
      ['answer', effect],
      ['rule', rule],
      ['reason', `${reason.message} (${reason.code})`],
    ],
  };
}

import { generateKeyPairSync } from 'node:crypto';
import { decodeJwt } from 'jose';
import { explanationLines } from '../../../apps/cli/src/explanation.js';
import type { Answer } from './assistant.js';
import type { Stage } from './stage.js';
import type { Seen, Step } from './step.js';

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
      groups: { count: 2, complete: true },
      roles: ['role developer: held (user:company/ann by mapping company/engineering)'],
    },
    act: async (stage) => asked(stage, await stage.ann.accessToken(), SEARCH),
  },
  {
    title: 'For another tool',
    expected: {
      effect: 'deny',
      code: 'no_rule_allows',
      rule: 'none',
      subject: 'user:company/ann',
      groups: { count: 2, complete: true },
      roles: [],
    },
    act: async (stage) => asked(stage, await stage.ann.accessToken(), 'delete_ticket'),
  },
  {
    title: 'For Bob, whose token does not name that group',
    expected: {
      effect: 'deny',
      code: 'no_rule_allows',
      rule: 'none',
      subject: 'user:company/bob',
      groups: { count: 1, complete: true },
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

/** Asks, and looks up in the record of the decision whom it was about, as Ann may. */
async function asked({ assistant, ann }: Stage, token: string, tool: string): Promise<Seen> {
  const answer = await assistant.ask(token, tool);
  const { came, lines } = answered(answer, tool);
  const { evaluationId: id } = answer.decision;
  if (id === undefined || !answer.explanation) return { came, lines };
  const { record } = (await ann.read(`/api/v1/decisions/${id}`)) as Recorded;
  const { issuer, groups } = record.proof;
  const proof = `${issuer} that names ${groups.complete ? 'all its groups' : 'some of its groups'} (${groups.count})`;
  const roles = explanationLines(answer.explanation).filter((text) => text.startsWith('role '));
  return {
    came: { ...came, subject: record.subject, groups, roles },
    lines: [
      ...lines,
      ['about', `${record.subject}, by a token of ${proof}`],
      ...roles.map((text): [string, string] => ['why', text]),
    ],
  };
}

/** What the record of a decision says of the subject. */
interface Recorded {
  readonly record: {
    readonly subject: string;
    readonly proof: {
      readonly issuer: string;
      readonly groups: { readonly count: number; readonly complete: boolean };
    };
  };
}

/** An answer as it stands. */
export function answered({ decision: { effect, reason, rules } }: Answer, tool: string): Seen {
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

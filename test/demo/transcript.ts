import type { Decision, DecisionRequest } from '#client';
import type { DemoAsk } from './asking.js';
import { coloured, heading, line, paragraph } from './layout.js';
import type { DemoOperation } from './operations.js';
import type { DemoOutcome } from './outcome.js';

/** No rule is named where one would not help. */
const BOUNDARY = 'none: a Scope is a boundary, whatever rules allow';

/** Most characters of the arguments of a call that are shown. */
const ARGUMENTS = 120;

/** What stands above the operations. */
export function opening(url: string, home: string): string {
  return paragraph(
    'An application does things on behalf of ann, through real MCP servers. Before each it asks Placet, by the policies of ' +
      'examples/quickstart. Not one byte of what is not allowed reaches a server.',
    [`Placet  ${url}, on an embedded Postgres`, `~       ${home}`],
  );
}

/** One operation as a block: what was asked, the answer, the rule that decided, why, and what came of it. */
export function block(number: number, outcome: DemoOutcome, colours: boolean): string {
  const { operation, request, decision } = outcome;
  const asked = [heading(number, operation.title, colours), ...line('asked', askedOf(request))];
  return [...asked, ...answerOf(decision, colours), ...endOf(outcome)].join('\n');
}

/** The first half of one where people are asked, for as long as they are. */
export function askedBlock(
  number: number,
  { title }: DemoOperation,
  { asked, text, answers }: DemoAsk,
  colours: boolean,
): string {
  const { request, decision, reviewUrl } = asked;
  return [
    heading(number, title, colours),
    ...line('asked', askedOf(request)),
    ...answerOf(decision, colours),
    ...(text === undefined ? line('ann', 'looks at the request, and may not answer it: it needs somebody else') : []),
    ...(text === undefined ? [] : line('shown', text)),
    ...(text !== undefined && answers === 'elsewhere' ? toAnswer(reviewUrl) : []),
    ...(text !== undefined && answers === 'demo' ? line('ann', 'agrees: the demo signs in as her and answers') : []),
    '',
  ].join('\n');
}

/** The second half: what was decided after that, and what came of it. */
export function restOfBlock(outcome: DemoOutcome, colours: boolean): string {
  const { decision, unanswered } = outcome;
  const lines = unanswered
    ? line('nobody', `has agreed: ${unanswered.message} (${unanswered.code})`)
    : answerOf(decision, colours);
  return [...lines, ...endOf(outcome)].join('\n');
}

/** Not broken into lines: it is copied. */
const toAnswer = (page: string): string[] => [
  ...line(
    'waits',
    'for five minutes. As ann, open the address in a browser, or at a second terminal (with --no at its end she refuses):',
  ),
  `npm run demo -- answer ${page}`,
];

function answerOf(decision: Decision, colours: boolean): string[] {
  const { effect, reason } = decision;
  return [
    `    answer  ${coloured(effect, colours)}`,
    ...line('rule', ruleOf(decision) ?? (reason.code === 'outside_boundary' ? BOUNDARY : 'none')),
    ...line('reason', reasonOf(reason)),
    ...(decision.effect === 'ask' ? line('needs', needsOf(decision)) : []),
    ...(decision.effect === 'ask' && decision.approval?.state !== undefined
      ? line('because', `the approval that was named is ${decision.approval.state} (${decision.approval.reason})`)
      : []),
  ];
}

const endOf = (outcome: DemoOutcome): string[] => [
  ...outcome.logged.flatMap((entry) => line('logged', entry)),
  ...line('then', thenOf(outcome)),
  '',
  '',
];

/** An operation that is there for the next ones only, in one line. */
export function shortBlock({ operation, decision }: DemoOutcome): string {
  return `    ${operation.title}: ${decision.effect}, by ${ruleOf(decision) ?? 'no rule'}\n\n`;
}

/** What stands below them. */
export function closing(allowed: number, stopped: number, journal: readonly string[]): string {
  return paragraph(
    `${allowed} allowed and carried out, ${stopped} stopped. The company's servers have received these calls, and no other:`,
    journal,
  );
}

/** The rule that decided, as `policy / rule`; undefined: none. */
export function ruleOf({ rules }: Decision): string | undefined {
  return rules.length === 0 ? undefined : rules.map(({ policy, rule }) => `${policy} / ${rule}`).join(', ');
}

function askedOf({ message, server }: DecisionRequest): string {
  const { name, uri, arguments: given } = (message.params ?? {}) as { name?: string; uri?: string; arguments?: object };
  const text = given === undefined ? undefined : JSON.stringify(given);
  const shown = text && text.length > ARGUMENTS ? `${text.slice(0, ARGUMENTS)}...` : text;
  const what = [message.method as string, name ?? uri, shown].filter((part) => part !== undefined);
  return `${what.join(' ')}  (${server as string})`;
}

const reasonOf = ({ code, message, detail }: Decision['reason']): string =>
  `${message} (${detail === undefined ? code : `${code}: ${detail}`})`;

function needsOf(decision: Extract<Decision, { readonly effect: 'ask' }>): string {
  return decision.requirements
    .map(({ by, show }) => `the agreement of ${by.join(' or ')}, who is shown ${show?.join(', ') ?? 'the arguments'}`)
    .join('; ');
}

function thenOf({ came, hidden, shownItems }: DemoOutcome): string {
  if (came === undefined) return 'nothing was sent';
  if (!hidden) return oneLine(came);
  return `${shownItems!.length} tools are shown: ${shownItems!.join(', ')}; ${hidden.length} are hidden: ${hidden.join(', ')}`;
}

const oneLine = (text: string): string => text.trim().replace(/\s*\n\s*/g, ' | ');

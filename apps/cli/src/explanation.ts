import type { Explanation } from '#policy';
import { counted } from './output.js';

type Rule = Explanation['rules'][number];
type Role = Explanation['roles'][number];
type Seen = NonNullable<Rule['failed']>['saw'][number];
type Counterfactual = Exclude<Explanation['counterfactual'], 'none'>;

/** Which step settled an answer, as a person says it. */
const STEP_TEXT: Readonly<Record<Explanation['step'], string>> = {
  before_rules: 'before any rule was looked at',
  limits: 'because it would have taken too long',
  deny_rules: 'by deny rules (step 1)',
  boundaries: 'by boundaries (step 2)',
  allow_rules: 'because no allow rule applies (step 3)',
  requirements: 'by what must be agreed to (step 4)',
  obligations: 'by the obligations of the rules that apply',
};

/** An explanation as lines to read. */
export function explanationLines(explanation: Explanation): string[] {
  const { step, rules, guardrails, roles, boundary, counterfactual, truncated } = explanation;
  const outside = boundary?.outside;
  return [
    `settled ${STEP_TEXT[step] ?? step}`,
    ...(outside ? [`outside the scope ${outside.scope} by its ${outside.clause}: ${outside.detail}`] : []),
    ...guardrails.map(({ name, effect, reason }) => `${effect} guardrail ${name}: ${reason}`),
    ...rules.flatMap(ruleLines),
    ...roles.map(roleLine),
    `would be otherwise: ${counterfactual === 'none' ? 'by no single change that was tried' : changeText(counterfactual)}`,
    ...(truncated.length > 0 ? [`not shown or tried in full: ${truncated.join(', ')}`] : []),
  ];
}

function ruleLines({ policy, version, rule, effect, enforced, decided, outcome, to, parts, failed }: Rule): string[] {
  const marks = [...(decided ? ['decided'] : []), ...(enforced ? [] : ['shadow'])];
  const of = Object.entries(parts).map(([part, came]) => `${part} ${came}`);
  return [
    `${effect} rule ${policy}@${version}/${rule}: ${outcome}${marks.length > 0 ? ` (${marks.join(', ')})` : ''}`,
    `  to ${to.join(', ')}`,
    `  ${of.join(', ')}`,
    ...(failed
      ? [`  ${failed.part}: ${failed.text} is ${failed.fault ?? failed.outcome}${failed.saw.map(seenText).join('')}`]
      : []),
  ];
}

function seenText({ attribute, type, size, value }: Seen): string {
  const what = value === undefined ? (size === undefined ? type : `${type} of ${size}`) : JSON.stringify(value);
  return `; ${attribute}: ${what}`;
}

function roleLine({ role, held, ways }: Role): string {
  if (held === 'error') return `role ${role}: not known, as groups or what gives it by a mapping are not known`;
  if (held === 'false') return `role ${role}: not held`;
  return `role ${role}: held (${ways.map(wayText).join('; ')})`;
}

function wayText(way: Role['ways'][number]): string {
  const line = way.through.length > 1 ? `, ${way.through.join(' > ')}` : '';
  if ('mapping' in way) return `${way.by} by mapping ${way.mapping}/${way.rule}${line}`;
  return `${way.by} by binding ${way.binding}${line}${way.expires === undefined ? '' : `, until ${way.expires}`}`;
}

function changeText(made: Counterfactual): string {
  const then = `: then ${made.effect} (${made.reason})`;
  switch (made.change) {
    case 'add_role':
      return `with the role ${made.role}${then}`;
    case 'remove_role':
      return `without the role ${made.role}${then}`;
    case 'set':
      return `with ${made.attribute} = ${JSON.stringify(made.value)}${then}`;
    case 'copy':
      return `with ${made.attribute} as ${made.from} is${then}`;
    case 'copy_first':
      return `with ${made.attribute} as the first of ${made.from} is${then}`;
    case 'shorten':
      return `with ${made.attribute} cut to ${counted(made.size, 'element')}${then}`;
    case 'remove':
      return `without ${made.attribute}${then}`;
  }
}

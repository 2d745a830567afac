import type { PolicyDocument, RuleDocument, ServerDocument } from '../documents/schema.js';
import { compileGlob } from '../paths/glob.js';
import { obstacle } from './boundaries.js';
import type { Facts } from './facts.js';
import type { LintCode, Report } from './finding.js';
import { coversTool, isForToolCalls, targetOf, type LintTarget } from './patterns.js';

/** Operations of which an allow is expected to say when. */
export const DESTRUCTIVE_OPERATIONS: readonly string[] = ['delete', 'admin', 'execute'];

/** More tools than this are not named in a message. */
const MAX_NAMED = 3;

/** Allow rules that give more than is likely meant. */
export function lintGrants(facts: Facts, policy: PolicyDocument, report: Report): void {
  const target = targetOf(policy);
  const isEverything =
    (target.servers === null || target.servers.some(({ text }) => text === '*')) &&
    target.actions.some(({ text }) => text === '*') &&
    target.resources.some(({ type, id }) => type === null && id.text === '*');
  let tools: readonly DestructiveTool[] | undefined;
  policy.rules.forEach((rule, index) => {
    if (rule.effect !== 'allow' || rule.enforce === false) return;
    const tell = (code: LintCode, message: string) => report(code, message, ['rules', index], { rule: rule.name });
    if (isEverything) tell('matches_everything', 'this allows every action on everything of every server');
    if (!isUnconditional(rule)) return;
    tools ??= destructiveTools(facts, target);
    const free = firstOf(
      tools,
      MAX_NAMED + 1,
      (tool) => !obstacle(facts, partOf(tool), rule.via) && isOpen(facts, tool),
    );
    if (free.length === 0) return;
    const named = free
      .slice(0, MAX_NAMED)
      .map(({ server, name, operation }) => `${server.name}/${name} (${operation})`);
    const more = free.length > MAX_NAMED ? ' and others' : '';
    tell(
      'unconditional_allow_on_destructive_tool',
      `this allows ${named.join(', ')}${more} without a condition and without consent: add when, unless or consent`,
    );
  });
}

function firstOf<T>(items: readonly T[], count: number, wanted: (item: T) => boolean): readonly T[] {
  const found: T[] = [];
  for (const item of items) {
    if (found.length === count) break;
    if (wanted(item)) found.push(item);
  }
  return found;
}

/** A step-up is a condition of its own. */
const isUnconditional = ({ when, unless, consent, obligations }: RuleDocument): boolean =>
  when === undefined &&
  unless === undefined &&
  consent === undefined &&
  !obligations?.some(({ type }) => type === 'step-up');

interface DestructiveTool {
  readonly server: ServerDocument;
  readonly name: string;
  readonly operation: string;
}

/** Those of the registered servers that a target covers. */
function destructiveTools(facts: Facts, target: LintTarget): DestructiveTool[] {
  if (!isForToolCalls(target)) return [];
  const servers = new Set((target.servers ?? [ANY]).flatMap((pattern) => facts.serversMatching(pattern)));
  return [...servers].flatMap((server) =>
    facts
      .toolsOf(server)
      .filter(({ operation }) => operation !== undefined && DESTRUCTIVE_OPERATIONS.includes(operation))
      .filter(({ name }) => coversTool(target, name))
      .map(({ name, operation }) => ({ server, name, operation: operation! })),
  );
}

const ANY = compileGlob('*');
const CALL = compileGlob('tools/call');

/** Names of tools have no star. */
const partOf = ({ server, name }: DestructiveTool) => ({
  server,
  action: CALL,
  resource: { type: 'tool', id: compileGlob(name) },
});

/** Whether no ask rule stands before the call of a tool, and no deny keeps it from everybody. */
function isOpen(facts: Facts, tool: DestructiveTool): boolean {
  return facts.once(`open ${tool.server.name}/${tool.name}`, () => {
    const { server, action, resource } = partOf(tool);
    const target: LintTarget = { servers: [compileGlob(server.name)], actions: [action], resources: [resource] };
    return !facts.isAskedFor(target) && !facts.denyOfAll(target);
  });
}

import type { Api } from '../api.js';
import type { Output } from '../output.js';
import { table } from '../table.js';
import { typeAndId, UsageError } from '../usage.js';
import { json } from './decide.js';

export interface WhoCanOptions {
  readonly server: string | undefined;
  readonly tool: string | undefined;
  readonly resource: string | undefined;
  readonly action: string | undefined;
  readonly arguments: string | undefined;
  readonly host: string | undefined;
}

export interface WhatCanOptions {
  readonly subject: string | undefined;
  readonly host: string | undefined;
  readonly server: string | undefined;
}

interface ReachBody {
  readonly by: 'any' | 'subject' | 'group' | 'role';
  readonly group?: string;
  readonly binding?: string;
  readonly chain?: readonly string[];
}

interface RuleBody {
  readonly policy: string;
  readonly rule: string;
  readonly effect: 'allow' | 'ask' | 'deny';
  readonly outcome: 'true' | 'unknown' | 'error';
  readonly asks: boolean;
  readonly reached: readonly ReachBody[];
}

interface RowBody {
  readonly host: string;
  readonly effect?: string;
  readonly conditional: boolean;
  readonly rules?: readonly RuleBody[];
}

interface SubjectRow extends RowBody {
  readonly subject: { readonly type: string; readonly id: string | null };
}

interface CapabilityRow extends RowBody {
  readonly server?: string;
  readonly resource: { readonly type: string; readonly id: string };
  readonly action: { readonly name: string };
}

interface FurtherBody {
  readonly rules: readonly {
    readonly policy: string;
    readonly rule: string;
    readonly target: {
      readonly servers?: readonly string[];
      readonly actions: readonly string[];
      readonly resources: readonly { readonly id: string }[];
    };
  }[];
  readonly more: boolean;
}

interface PageBody<Row> {
  readonly revision: number;
  readonly items: readonly Row[];
  readonly next_page_token?: string;
  readonly further?: FurtherBody;
}

/** `who-can`: everybody who could do something, with the rules that let them, or nobody. */
export async function whoCan(api: Api, output: Output, options: WhoCanOptions, asJson: boolean): Promise<void> {
  const { items } = await wholeOf<SubjectRow>(api, output, '/api/v1/access/subjects', whoCanBody(options));
  if (asJson) return items.forEach((item) => output.line(JSON.stringify(item)));
  if (items.length === 0) return output.note('nobody can');
  const rows = items.map(({ subject: { type, id }, ...row }) => [
    id === null ? `any other ${type}` : `${type}:${id}`,
    row.host,
    answerOf(row),
    byOf(row),
  ]);
  table(['WHO', 'THROUGH', 'ANSWER', 'BY'], rows).forEach((line) => output.line(line));
}

/** `what-can`: everything known that somebody, or anybody through a host, could do. */
export async function whatCan(api: Api, output: Output, options: WhatCanOptions, asJson: boolean): Promise<void> {
  const { items, further } = await wholeOf<CapabilityRow>(
    api,
    output,
    '/api/v1/access/capabilities',
    whatCanBody(options),
  );
  if (asJson) return items.forEach((item) => output.line(JSON.stringify(item)));
  if (items.length === 0) output.note('nothing that is declared or stored');
  else {
    const rows = items.map(({ server, resource, action, ...row }) => [
      server ?? '-',
      `${resource.type}:${resource.id}`,
      action.name,
      row.host,
      answerOf(row),
      byOf(row),
    ]);
    table(['SERVER', 'RESOURCE', 'ACTION', 'THROUGH', 'ANSWER', 'BY'], rows).forEach((line) => output.line(line));
  }
  if (further) noteFurther(output, further);
}

function whoCanBody({ server, tool, resource, action, arguments: given, host }: WhoCanOptions): object {
  if ((tool === undefined) === (resource === undefined))
    throw new UsageError('who-can needs --server NAME --tool NAME, or --resource TYPE:ID');
  const named =
    tool === undefined
      ? typeAndId(resource!, 'write --resource TYPE:ID, as in prompt:greet')
      : { type: 'tool', id: tool };
  return {
    resource: named,
    ...(server === undefined ? {} : { server }),
    ...(action === undefined ? {} : { action: { name: action } }),
    ...(given === undefined ? {} : { arguments: json(given, '--arguments') }),
    ...(host === undefined ? {} : { host }),
  };
}

function whatCanBody({ subject, host, server }: WhatCanOptions): object {
  if (subject === undefined && host === undefined)
    throw new UsageError('what-can needs --subject TYPE:ID, --host NAME, or both');
  return {
    ...(subject === undefined ? {} : { subject: typeAndId(subject, 'write --subject TYPE:ID, as in user:ann') }),
    ...(host === undefined ? {} : { host }),
    ...(server === undefined ? {} : { server }),
  };
}

/** All pages. A note says where the documents changed between two of them. */
async function wholeOf<Row>(
  api: Api,
  output: Output,
  path: string,
  body: object,
): Promise<{ items: Row[]; further: FurtherBody | undefined }> {
  const items: Row[] = [];
  const revisions = new Set<number>();
  let token: string | undefined;
  let further: FurtherBody | undefined;
  do {
    const more = token === undefined ? {} : { page_token: token };
    const page = await api.post<PageBody<Row>>(path, { ...body, page_size: 500, ...more });
    items.push(...page.items);
    revisions.add(page.revision);
    further ??= page.further;
    token = page.next_page_token;
  } while (token !== undefined);
  if (revisions.size > 1) output.note('the documents changed meanwhile: ask again to be sure');
  return { items, further };
}

const answerOf = ({ effect = 'open', conditional }: RowBody): string =>
  conditional ? `${effect} (conditional)` : effect;

const byOf = ({ rules = [] }: RowBody): string => rules.map(ruleText).join('; ');

/** As in `crm/own-region (role sales: sales-people, group sales-emea)`. */
function ruleText({ policy, rule, effect, outcome, asks, reached }: RuleBody): string {
  const does = effect === 'allow' ? (asks ? 'asks' : '') : effect === 'ask' ? 'asks' : 'denies';
  const words = [outcome === 'unknown' ? 'perhaps' : '', does, `${policy}/${rule}`].filter((word) => word !== '');
  return `${words.join(' ')}${reachText(reached)}`;
}

function reachText([first, ...others]: readonly ReachBody[]): string {
  if (!first) return '';
  const more = others.length === 0 ? '' : `, and ${others.length} more`;
  return ` (${oneReach(first)}${more})`;
}

function oneReach({ by, group, binding, chain = [] }: ReachBody): string {
  if (by === 'any') return 'anybody';
  if (by === 'subject') return 'by name';
  if (by === 'group') return `group ${group}`;
  return `role ${chain.join(' > ')}: binding ${binding}${group === undefined ? '' : `, group ${group}`}`;
}

function noteFurther(output: Output, { rules, more }: FurtherBody): void {
  for (const { policy, rule, target } of rules) {
    const servers = target.servers?.join(', ') ?? 'any server, or none';
    const resources = target.resources.map(({ id }) => id).join(', ');
    output.note(`${policy}/${rule} reaches further: ${target.actions.join(', ')} of ${resources} (${servers})`);
  }
  if (more) output.note('more rules reach further: name a --server');
}

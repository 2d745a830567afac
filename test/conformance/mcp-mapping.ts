import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from '#policy';
import type { Administrator } from './administrator.js';
import type { CaseResult, VectorSet } from './case.js';

const HOST = 'agent-provider';
const SERVER = 'mcp-example';

interface Claims {
  readonly sub: string;
  readonly aud: string;
}

interface MappingCase {
  readonly id: string;
  readonly method: string;
  /** A mapping that the tool declares itself; null for the default one. */
  readonly mapping: JsonObject | null;
  readonly params: JsonObject;
  readonly token: Claims;
  readonly expect_request?: MappedRequest;
  readonly expect_error?: { readonly code: number };
}

interface MappedRequest {
  readonly subject: { readonly type: string; readonly id: string };
  readonly action: { readonly name: string };
  readonly resource: { readonly type: string; readonly id: string };
  readonly context?: JsonObject;
}

/**
 * The mapping cases of the COAZ-MCP binding. What a message is mapped to shows in what rules it meets: under a rule for
 * exactly the expected request it must be allowed, and under one that differs in a single member it must not.
 *
 * The agent is whom the key belongs to, here as everywhere, and a server is known by its registered name: those two stand
 * in the rule in the place of `$token.client_id` and `$token.aud`.
 */
export function mcpMapping(directory: string, administrator: Administrator): VectorSet {
  return {
    title: 'COAZ-MCP, the default mapping',
    async *run() {
      await administrator.replaceAll([{ path: 'base.yaml', text: base('https://mcp.example.com') }]);
      const key = await administrator.hostKey(HOST, { subjects: ['*'] });
      for (const each of [...examples(directory), ...defaults(directory)]) {
        yield await runCase(each, administrator, key).catch((error: Error): CaseResult => ({
          id: each.id,
          outcome: 'failed',
          detail: error.message,
        }));
      }
    },
  };
}

async function runCase(each: MappingCase, administrator: Administrator, key: string): Promise<CaseResult> {
  const { id, mapping, expect_request: expected } = each;
  if (mapping !== null) return { id, outcome: 'not run', detail: "a tool's own mapping is refused by this version" };
  if (!expected) {
    await administrator.replaceAll([
      { path: 'base.yaml', text: base(each.token.aud) },
      { path: 'all.yaml', text: ALL },
    ]);
    const effect = await ask(each, administrator, key);
    return effect === 'deny' ? { id, outcome: 'passed' } : { id, outcome: 'failed', detail: `came out as ${effect}` };
  }
  for (const { name, request, effect } of [
    { name: 'the expected request', request: expected, effect: 'allow' },
    ...differingInOneMember(expected).map((differing) => ({ ...differing, effect: 'deny' })),
  ]) {
    const policy = JSON.stringify(onlyFor(request));
    await administrator.replaceAll([
      { path: 'base.yaml', text: base(each.token.aud) },
      { path: 'mapped.json', text: policy },
    ]);
    const came = await ask(each, administrator, key);
    if (came !== effect) {
      return { id, outcome: 'failed', detail: `under a rule for ${name}: expected ${effect}, got ${came}: ${policy}` };
    }
  }
  return { id, outcome: 'passed' };
}

async function ask({ method, params, token }: MappingCase, administrator: Administrator, key: string) {
  const answer = await administrator.call(
    '/mcp/v1/decisions',
    {
      subject: { type: 'identity', id: token.sub },
      server: { url: token.aud },
      direction: 'client_to_server',
      message: { jsonrpc: '2.0', id: 1, method, params },
    },
    key,
  );
  return (answer as { effect: string }).effect;
}

const base = (url: string): string => `
{ kind: Tenant, name: default, defaults: { effect: deny, hostScope: {} } }
---
{ kind: Host, name: ${HOST} }
---
{ kind: Server, name: ${SERVER}, identity: { url: '${url}' } }
`;

/** Allows whatever reaches the rules. */
const ALL = `
kind: Policy
name: all
target: { actions: ['*'], resources: ['*'] }
rules: [{ name: all, effect: allow, to: [any] }]
`;

function onlyFor({ subject, action, resource, context = {} }: MappedRequest): JsonObject {
  const { agent: _agent, ...rest } = context;
  const id = resource.type === 'mcp_server' && !resource.id.endsWith('!') ? SERVER : resource.id;
  const conditions = [
    `agent.id == ${JSON.stringify(HOST)}`,
    ...Object.entries(rest).map(([name, value]) => `context.${name} == ${JSON.stringify(value)}`),
  ];
  return {
    kind: 'Policy',
    name: 'mapped',
    target: { servers: [SERVER], actions: [action.name], resources: [{ type: resource.type, id }] },
    rules: [{ name: 'mapped', effect: 'allow', to: [`${subject.type}:${subject.id}`], when: conditions.join(' && ') }],
  };
}

function differingInOneMember(expected: MappedRequest): { name: string; request: MappedRequest }[] {
  const { subject, action, resource, context = {} } = expected;
  const members = Object.keys(context).filter((name) => name !== 'agent');
  return [
    { name: 'another type of subject', request: { ...expected, subject: { ...subject, type: 'other' } } },
    { name: 'another subject', request: { ...expected, subject: { ...subject, id: `${subject.id}!` } } },
    { name: 'another action', request: { ...expected, action: { name: `${action.name}!` } } },
    { name: 'another type of resource', request: { ...expected, resource: { ...resource, type: 'other' } } },
    { name: 'another resource', request: { ...expected, resource: { ...resource, id: `${resource.id}!` } } },
    ...members.map((name) => ({
      name: `another ${name}`,
      request: { ...expected, context: { ...context, [name]: 'other' } },
    })),
  ];
}

function examples(directory: string): readonly MappingCase[] {
  const path = join(directory, 'examples.json');
  if (!existsSync(path)) return [];
  return (JSON.parse(readFileSync(path, 'utf8')) as { cases: readonly MappingCase[] }).cases;
}

/** One case for each default mapping, with params made from the expressions of the mapping. */
function defaults(directory: string): readonly MappingCase[] {
  const path = join(directory, 'default-mappings.json');
  if (!existsSync(path)) return [];
  const { default_mappings: mappings } = JSON.parse(readFileSync(path, 'utf8')) as {
    default_mappings: Record<string, { evaluation: MappedRequest }>;
  };
  return Object.entries(mappings).flatMap(([method, { evaluation }]) =>
    method === 'completion/complete' ? COMPLETIONS : [defaultCase(method, evaluation)],
  );
}

const TOKEN = { sub: 'alice@example.com', aud: 'https://mcp.example.com' };

function defaultCase(method: string, mapping: MappedRequest): MappingCase {
  const params: Record<string, string> = {};
  const evaluate = (expression: string): string => {
    if (expression === '$token.sub') return TOKEN.sub;
    if (expression === '$token.aud') return TOKEN.aud;
    const name = /^\$params\.(\w+)$/.exec(expression)?.[1];
    if (name === undefined) return expression;
    return (params[name] = SAMPLES[name] ?? 'sample');
  };
  const { subject, action, resource, context = {} } = mapping;
  return {
    id: `default mapping of ${method}`,
    method,
    mapping: null,
    token: TOKEN,
    expect_request: {
      subject: { type: subject.type, id: evaluate(subject.id) },
      action,
      resource: { type: resource.type, id: evaluate(resource.id) },
      context: Object.fromEntries(
        Object.entries(context).map(([name, value]) => [name, evaluate(value as string)] as const),
      ),
    },
    params,
  };
}

/** What cannot be any word. */
const SAMPLES: Readonly<Record<string, string>> = {
  uri: 'https://example.com/report',
  protocolVersion: '2025-11-25',
  level: 'debug',
};

/** The draft's own expression is a choice between two. */
const COMPLETIONS: readonly MappingCase[] = [
  { ref: { type: 'ref/prompt', name: 'greeting' }, resource: { type: 'prompt', id: 'greeting' } },
  {
    ref: { type: 'ref/resource', uri: 'https://example.com/report' },
    resource: { type: 'resource', id: 'https://example.com/report' },
  },
].map(({ ref, resource }) => ({
  id: `default mapping of completion/complete, ${ref.type}`,
  method: 'completion/complete',
  mapping: null,
  token: TOKEN,
  params: { ref, argument: { name: 'name', value: 'a' } },
  expect_request: {
    subject: { type: 'identity', id: TOKEN.sub },
    action: { name: 'completion/complete' },
    resource,
    context: {},
  },
}));

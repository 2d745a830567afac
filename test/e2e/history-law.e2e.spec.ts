import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Service } from '../../apps/server/src/service.js';
import { startTestService, type Answer, type TestService } from '../support/service.js';

let service: TestService;
let other: Service;
let host: string;

/** What must always be there, for decisions to be about the policies. */
const GROUND = `
{ kind: Tenant, name: default, defaults: { effect: deny, hostScope: {} } }
---
{ kind: Host, name: desk }
---
{ kind: Server, name: files }
---
{ kind: Role, name: ground }
`;

beforeAll(async () => {
  service = await startTestService({ quickstart: false });
  other = await service.replica();
  await service.call('POST', '/api/v1/documents/apply', { body: { files: files([GROUND]) } });
  host = (await service.call('POST', '/api/v1/keys', { body: { host: 'desk', rights: { subjects: ['*'] } } })).body.key;
});
afterAll(() => service.close());

const files = (texts: readonly string[]) => texts.map((text, at) => ({ path: `${at}.yaml`, text }));

/** Three policies that may be there, each about one tool and with one of three effects. */
const TOOLS = ['read', 'write', 'drop'] as const;
type Tool = (typeof TOOLS)[number];
type Effect = 'allow' | 'deny' | 'ask';
/** The model of the state: the effect of each policy that is there. */
type State = Partial<Record<Tool, Effect>>;

const policy = (tool: Tool, effect: Effect): string =>
  `{ kind: Policy, name: ${tool}, target: { servers: [files], actions: [tools/call], resources: [${tool}] }, rules: [
     { name: gate, effect: ${effect}, to: [any]${effect === 'ask' ? ', consent: { by: [subject] }' : ''} },
     { name: grant, effect: allow, to: [any] }] }`;

/** What a host is told under a state. */
const answers = (state: State): string[] => TOOLS.map((tool) => state[tool] ?? 'deny');

const effect = fc.constantFrom<Effect>('allow', 'deny', 'ask');
const state = fc.record({ read: effect, write: effect, drop: effect }, { requiredKeys: [] }) as fc.Arbitrary<State>;
/** What is done: some policies are put and others deleted, or the whole state is given, or an old one taken up. */
const step = fc.oneof(
  fc.record({ way: fc.constantFrom('apply', 'publish'), whole: fc.boolean(), state, onOther: fc.boolean() }),
  fc.record({ way: fc.constant('delete'), tool: fc.constantFrom(...TOOLS), onOther: fc.boolean() }),
  fc.record({ way: fc.constant('rollback'), back: fc.nat(), onOther: fc.boolean() }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const textsOf = (wanted: State, whole: boolean): string[] => [
  ...(Object.entries(wanted) as [Tool, Effect][]).map(([tool, found]) => policy(tool, found)),
  ...(whole ? [GROUND] : []),
];

describe('the state at a revision', () => {
  it('is what a simple model says, however it came about; and a rollback makes it, and its decisions, hold again', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 9 }), async (steps) => {
        await call('POST', '/api/v1/documents/apply', { files: files([GROUND]), prune: true });
        const seen = new Map<number, State>([[await present(), {}]]);
        for (const taken of steps) {
          const [number, expected] = await take(taken, seen);
          seen.set(number, expected);
          // The other replica has not made the change, and may not have heard of it.
          expect(await ask(taken.onOther ? service.url : other.url)).toEqual(answers(expected));
        }
        const last = [...seen.values()].at(-1)!;
        for (const [number, expected] of seen) {
          expect(await changedBetween(number, undefined)).toEqual(difference(expected, last));
        }
      }),
      { numRuns: 15 },
    );
  }, 120_000);
});

/** Takes a step, and says at which revision that left what state. */
async function take(taken: Step, seen: ReadonlyMap<number, State>): Promise<[number, State]> {
  const url = taken.onOther ? other.url : service.url;
  const before = [...seen.values()].at(-1)!;
  if ('back' in taken) {
    const to = [...seen.keys()][taken.back % seen.size]!;
    const { body } = await call('POST', '/api/v1/rollback', { to, message: 'law' }, url);
    return [body.revision as number, seen.get(to)!];
  }
  if ('tool' in taken) {
    const path = `/api/v1/documents/Policy/${taken.tool}`;
    const found = await service.call('GET', path);
    if (found.status === 404) return [await present(), before];
    const { status, body } = await service.call('DELETE', path, {
      url,
      headers: { 'If-Match': found.headers.get('etag')! },
    });
    expect(status).toBe(200);
    const rest = Object.fromEntries(Object.entries(before).filter(([tool]) => tool !== taken.tool)) as State;
    return [body.revision as number, rest];
  }
  const after = taken.whole ? taken.state : { ...before, ...taken.state };
  const body = { files: files(textsOf(taken.state, taken.whole)), prune: taken.whole };
  if (taken.way === 'apply') {
    const applied = await call('POST', '/api/v1/documents/apply', body, url);
    return [applied.body.revision as number, after];
  }
  await call('PUT', '/api/v1/drafts/law', body, url);
  const published = await call('POST', '/api/v1/drafts/law/publish', { message: 'law' }, service.url);
  return [published.body.revision as number, after];
}

async function call(method: string, path: string, body: object, url = service.url): Promise<Answer> {
  const answer = await service.call(method, path, { body, url });
  expect([200, 201]).toContain(answer.status);
  return answer;
}

const present = async (): Promise<number> => (await service.call('GET', '/api/v1/diff?from=0')).body.to as number;

async function ask(url: string): Promise<string[]> {
  return Promise.all(
    TOOLS.map(async (name) => {
      const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: {} } };
      const body = { subject: { type: 'user', id: 'ann' }, server: 'files', direction: 'client_to_server', message };
      return (await service.call('POST', '/mcp/v1/decisions', { key: host, url, body })).body.effect as string;
    }),
  );
}

/** By name, the effect before and after; `-` where there was none. */
type Difference = Record<string, [string, string]>;

async function changedBetween(from: number, to: number | undefined): Promise<Difference> {
  const { body } = await service.call('GET', `/api/v1/diff?from=${from}${to === undefined ? '' : `&to=${to}`}`);
  const effectOf = (document?: { rules: { effect: string }[] }) => document?.rules[0]!.effect ?? '-';
  return Object.fromEntries<[string, string]>(
    body.documents.map(({ name, before, after }: Record<string, never>) => [name, [effectOf(before), effectOf(after)]]),
  );
}

function difference(from: State, to: State): Difference {
  return Object.fromEntries<[string, string]>(
    [...TOOLS]
      .sort()
      .filter((tool) => from[tool] !== to[tool])
      .map((tool) => [tool, [from[tool] ?? '-', to[tool] ?? '-']]),
  );
}

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestService, type TestService } from '../support/service.js';
import { hasVectors, runVectors } from './run.js';

let service: TestService;
let directory: string;
beforeAll(async () => {
  service = await startTestService({ quickstart: false });
  directory = mkdtempSync(join(tmpdir(), 'placet-vectors-'));
});
afterAll(async () => {
  rmSync(directory, { recursive: true, force: true });
  await service.close();
});

async function run(
  file: string,
  content: object,
  beside: Readonly<Record<string, object>> = {},
): Promise<{ tally: object; lines: string[] }> {
  const vectors = mkdtempSync(join(directory, 'set-'));
  for (const [name, each] of Object.entries({ [file]: content, ...beside })) {
    writeFileSync(join(vectors, name), JSON.stringify(each));
  }
  expect(hasVectors(vectors)).toBe(true);
  const lines: string[] = [];
  const tally = await runVectors(vectors, { url: service.url, ownerKey: service.owner }, (line) => lines.push(line));
  return { tally, lines };
}

const MORTY = { type: 'user', id: 'CiRmZDE2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs' };
const update = (ownerID: string) => ({
  subject: MORTY,
  action: { name: 'can_update_todo' },
  resource: { type: 'todo', id: 'todo-1', properties: { ownerID } },
});
const { subject, action, resource: mine } = update('morty@the-citadel.com');
const { resource: ricks } = update('rick@the-citadel.com');

describe('AuthZEN decisions', () => {
  it('pass where the decision is the expected one, and only there', async () => {
    const { tally, lines } = await run('decisions.json', {
      evaluation: [
        { request: update('morty@the-citadel.com'), expected: true },
        { request: update('rick@the-citadel.com'), expected: false },
        { request: update('rick@the-citadel.com'), expected: true },
      ],
      evaluations: [
        {
          request: { subject, action, evaluations: [{ resource: mine }, { resource: ricks }] },
          expected: [{ decision: true }, { decision: false }],
        },
        {
          request: { subject, action, evaluations: [{ resource: mine }, { resource: ricks }] },
          expected: [{ decision: true }],
        },
      ],
    });
    expect(tally).toEqual({ passed: 3, failed: 2, 'not run': 0 });
    expect(lines.filter((line) => line.includes('failed'))).toEqual([
      expect.stringContaining('evaluation 3: CiRmZDE2MTRk… can_update_todo todo-1 (expected true, got false)'),
      expect.stringContaining('(expected [true], got [true,false])'),
    ]);
  });
});

describe('the AuthZEN certification scenario', () => {
  const alice = { type: 'user', id: 'alice' };
  const record = { type: 'record', id: 'record-1' };
  const rule = (decision: boolean) => ({
    rule: 1,
    subject: alice,
    action: { name: 'read' },
    resource: record,
    decision,
  });
  const found = (include: string[], more: object = {}) => ({
    id: 'S',
    api: 'search/subject',
    action: 'write',
    resource: 'record-1 (status active)',
    include,
    ...more,
  });
  const fixture = { subjects: [alice], resources: [record], required_decisions: [], search_must_include: [] };
  const extra = (more: object) => ({
    id: 'extra',
    endpoint: '/access/v1/search/subject',
    method: 'POST',
    content_type: 'application/json',
    request: { subject: { type: 'user' }, action: { name: 'write' }, resource: record },
    expect_status: [200],
    compare: 'results-equal',
    expect: { results: [alice] },
    ...more,
  });

  it.each<[string, object, string]>([
    ['the decision that is required', { required_decisions: [rule(true)] }, 'passed'],
    ['another decision', { required_decisions: [rule(false)] }, 'failed'],
    ['what must be found', { search_must_include: [found(['alice'])] }, 'passed'],
    ['one of two that must be found', { search_must_include: [found(['alice', 'bob'])] }, 'failed'],
    [
      'a resource that must be found',
      {
        search_must_include: [found(['record-1'], { api: 'search/resource', subject: 'alice', resource: undefined })],
      },
      'passed',
    ],
    [
      'an action that must be found',
      { search_must_include: [found(['delete'], { api: 'search/action', subject: 'alice', action: undefined })] },
      'failed',
    ],
  ])('with %s', async (_, content, outcome) => {
    const { tally } = await run('fixture.json', { ...fixture, ...content });
    expect(tally).toEqual({ passed: 0, failed: 0, 'not run': 0, [outcome]: 1 });
  });

  it.each<[string, object, string]>([
    ['the results', {}, 'passed'],
    ['other results', { expect: { results: [] } }, 'failed'],
    ['a status only', { compare: 'status-only', expect_status: [400], request: {} }, 'passed'],
    ['another status', { compare: 'status-only', expect_status: [400] }, 'failed'],
    ['a method that is none', { compare: 'status-only', expect_status: [405], method: 'PUT' }, 'passed'],
    ['a comparison that nobody knows', { compare: 'by-feel' }, 'not run'],
  ])('with an extra case on %s', async (_, more, outcome) => {
    const { tally } = await run('fixture.json', fixture, { 'extra-cases.json': { cases: [extra(more)] } });
    expect(tally).toEqual({ passed: 0, failed: 0, 'not run': 0, [outcome]: 1 });
  });
});

describe('mappings of MCP messages', () => {
  const mapping = (resource: { type: string; id: string }, context = {}) => ({
    evaluation: {
      subject: { type: 'identity', id: '$token.sub' },
      context: { agent: '$token.?client_id', ...context },
      action: { name: 'tools/call' },
      resource,
    },
  });

  it.each([
    ['the mapping that it has', mapping({ type: 'tool', id: '$params.name' }), 'passed'],
    ['another type of resource', mapping({ type: 'prompt', id: '$params.name' }), 'failed'],
    ['another resource', mapping({ type: 'tool', id: 'tool' }), 'failed'],
    ['the server as its resource', mapping({ type: 'mcp_server', id: '$token.aud' }), 'failed'],
    [
      'a member that is not mapped',
      mapping({ type: 'tool', id: '$params.name' }, { level: '$params.level' }),
      'failed',
    ],
  ])('with %s: %#', async (_, tools, outcome) => {
    const { tally } = await run('default-mappings.json', { default_mappings: { 'tools/call': tools } });
    expect(tally).toEqual({ passed: 0, failed: 0, 'not run': 0, [outcome]: 1 });
  });
});

it('knows a folder without vectors', () => {
  expect(hasVectors(mkdtempSync(join(directory, 'empty-')))).toBe(false);
});

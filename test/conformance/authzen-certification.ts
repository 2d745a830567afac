import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from '#policy';
import { policiesIn, type Administrator } from './administrator.js';
import { compared, type CaseResult, type VectorSet } from './case.js';

/** The scenario's policies and the host that asks; see its README. */
const POLICIES = 'examples/authzen-certification';
const HOST = 'certification';

interface Entity {
  readonly type: string;
  readonly id: string;
  readonly properties?: JsonObject;
}

interface SearchRule {
  readonly id: string;
  readonly api: 'search/subject' | 'search/resource' | 'search/action';
  /** Entities by their id; with a remark in brackets, with their properties. */
  readonly subject?: string;
  readonly action?: string;
  readonly resource?: string;
  readonly include: readonly string[];
}

interface Fixture {
  readonly subjects: readonly Entity[];
  readonly resources: readonly Entity[];
  readonly required_decisions: readonly {
    readonly rule: number;
    readonly subject: Entity;
    readonly action: { readonly name: string };
    readonly resource: Entity;
    readonly decision: boolean;
  }[];
  readonly search_must_include: readonly SearchRule[];
}

interface ExtraCase {
  readonly id: string;
  readonly endpoint: string;
  readonly method: string;
  readonly content_type: string;
  readonly request: JsonObject;
  readonly expect_status: readonly number[];
  readonly compare: string;
  readonly expect?: JsonObject;
}

/** `fixture.json` of the AuthZEN certification scenario, with `extra-cases.json` where it is beside it. */
export function authzenCertification(directory: string, administrator: Administrator): VectorSet {
  const fixture = read(directory, 'fixture.json') as Fixture;
  const extra = existsSync(join(directory, 'extra-cases.json'))
    ? (read(directory, 'extra-cases.json') as { readonly cases: readonly ExtraCase[] }).cases
    : [];
  return {
    title: `AuthZEN certification, by the policies of ${POLICIES}`,
    async *run() {
      await administrator.replaceAll(policiesIn(POLICIES));
      const any = ['*'];
      const key = await administrator.hostKey(HOST, {
        subjects: any,
        subjectProperties: any,
        resourceProperties: any,
      });
      for (const { rule, subject, action, resource, decision } of fixture.required_decisions) {
        const request = { subject, action, resource };
        const answer = (await administrator.call('/access/v1/evaluation', request, key)) as { decision: unknown };
        yield compared(`rule ${rule}: ${subject.id} ${action.name} ${resource.id}`, decision, answer.decision);
      }
      for (const rule of fixture.search_must_include) yield runSearch(rule, fixture, administrator, key);
      for (const each of extra) yield runExtra(each, administrator, key);
    },
  };
}

const read = (directory: string, file: string): unknown => JSON.parse(readFileSync(join(directory, file), 'utf8'));

/** Searches page by page; what must be found has to be, and more may. */
async function runSearch(rule: SearchRule, fixture: Fixture, administrator: Administrator, key: string) {
  const { id, api, action, include } = rule;
  const subject = entityOf(rule.subject, fixture.subjects);
  const resource = entityOf(rule.resource, fixture.resources);
  const request = {
    subject: subject ?? { type: fixture.subjects[0]!.type },
    ...(api === 'search/action' ? {} : { action: { name: action } }),
    resource: resource ?? { type: fixture.resources[0]!.type },
  };
  const found: string[] = [];
  let page = {};
  for (;;) {
    const answer = (await administrator.call(`/access/v1/${api}`, { ...request, page }, key)) as {
      readonly page?: { readonly next_token: string };
      readonly results: readonly { readonly id?: string; readonly name?: string }[];
    };
    found.push(...answer.results.map((result) => result.id ?? result.name!));
    if (!answer.page?.next_token) break;
    page = { token: answer.page.next_token };
  }
  return compared(
    `${id}: ${api}`,
    include,
    include.filter((name) => found.includes(name)),
  );
}

function entityOf(text: string | undefined, entities: readonly Entity[]): Entity | undefined {
  if (text === undefined) return undefined;
  const [id, remark] = text.split(' ', 2);
  const entity = entities.find((each) => each.id === id);
  if (!entity) throw new Error(`the fixture has no '${id}'`);
  return remark === undefined ? { type: entity.type, id: entity.id } : entity;
}

async function runExtra(each: ExtraCase, administrator: Administrator, key: string): Promise<CaseResult> {
  const { id, endpoint, method, content_type: contentType, request, compare, expect } = each;
  const { status, text } = await administrator.answer(endpoint, { method, contentType, body: request }, key);
  if (!each.expect_status.includes(status)) {
    return { id, outcome: 'failed', detail: `expected status ${each.expect_status.join(' or ')}, got ${status}` };
  }
  if (compare === 'status-only') return { id, outcome: 'passed' };
  const part = PARTS[compare];
  if (!part) return { id, outcome: 'not run', detail: `nobody knows how to compare by '${compare}'` };
  return compared(id, part(expect!), part(JSON.parse(text) as JsonObject));
}

/** What of an answer is compared. */
const PARTS: Readonly<Record<string, ((answer: JsonObject) => unknown) | undefined>> = {
  'decision-equal': ({ decision }) => decision,
  'decisions-equal-same-length': ({ evaluations }) =>
    (evaluations as readonly JsonObject[]).map(({ decision }) => decision),
  'results-equal': ({ results }) => results,
};

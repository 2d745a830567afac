import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Json, JsonObject } from '#policy';
import { policiesIn, type Administrator } from './administrator.js';
import { compared, type VectorSet } from './case.js';

/** The interop's policies and the host that asks; see its README. */
const POLICIES = 'examples/authzen-todo';
const HOST = 'todo-app';

interface Decisions {
  readonly evaluation?: readonly { readonly request: JsonObject; readonly expected: boolean }[];
  readonly evaluations?: readonly {
    readonly request: JsonObject;
    readonly expected: readonly { readonly decision: boolean }[];
  }[];
}

/** `decisions.json` of the AuthZEN Todo interop: access evaluations, single and in batches, with the decisions. */
export function authzenDecisions(directory: string, administrator: Administrator): VectorSet {
  const vectors = JSON.parse(readFileSync(join(directory, 'decisions.json'), 'utf8')) as Decisions;
  return {
    title: `AuthZEN decisions, by the policies of ${POLICIES}`,
    async *run() {
      await administrator.replaceAll(policiesIn(POLICIES));
      const key = await administrator.hostKey(HOST, { subjects: ['user:*'], resourceProperties: ['ownerID'] });
      const ask = (path: string, request: Json) => administrator.call(path, request, key);
      for (const [index, { request, expected }] of (vectors.evaluation ?? []).entries()) {
        const { decision } = (await ask('/access/v1/evaluation', request)) as { decision: unknown };
        yield compared(`evaluation ${index + 1}: ${describe(request)}`, expected, decision);
      }
      for (const [index, { request, expected }] of (vectors.evaluations ?? []).entries()) {
        const answer = (await ask('/access/v1/evaluations', request)) as { evaluations: { decision: unknown }[] };
        yield compared(
          `evaluations ${index + 1}: ${describe(request)}`,
          expected.map(({ decision }) => decision),
          answer.evaluations.map(({ decision }) => decision),
        );
      }
    },
  };
}

function describe({ subject, action, resource }: JsonObject): string {
  const member = (entity: Json | undefined, name: string): string => {
    const value = (entity as JsonObject | undefined)?.[name];
    return typeof value === 'string' ? value : '…';
  };
  return `${member(subject, 'id').slice(0, 12)}… ${member(action, 'name')} ${member(resource, 'id')}`;
}

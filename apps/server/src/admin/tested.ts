import { pace } from '#decision';
import { Refusal } from '#http';
import { operationWord } from '#mcp';
import {
  crowds,
  forkForTests,
  hasTests,
  MAX_CANDIDATES,
  testSteps,
  type Crowd,
  type DocumentChange,
  type DocumentProblem,
  type PolicySet,
  type TestReport,
} from '#policy';
import type { Operation } from '#store';

/** What the tests say of a state: none are there, all pass, or that the state was changed while they ran. */
export type Tested = { readonly tests: 'none' | 'moved' } | { readonly tests: 'passed'; readonly report: TestReport };

/** Finds a case in the texts that were sent, if it is in one of them. */
export type Locate = (problem: DocumentProblem) => DocumentProblem;

/** Most failing cases that an answer names. */
const MAX_ERRORS = 100;

/**
 * Looks at a state as it would be after some writes: whether more rules concern a request than may, and what its Test
 * documents say. Throws Refusal. Others have their turn every few milliseconds; where no policy is written and there are
 * no tests this costs nothing.
 */
export async function testChange(
  policies: PolicySet,
  operations: readonly Operation[],
  locate: Locate = (problem) => problem,
): Promise<Tested> {
  const changes = operations.flatMap(documentChange);
  if (!(await checkCrowds(policies, changes, locate))) return { tests: 'moved' };
  if (!hasTests(policies.documents.over(changes))) return { tests: 'none' };
  const report = await paced(forkForTests(policies, changes));
  if (!report) return { tests: 'moved' };
  const { cases, failures } = report;
  const [first] = failures;
  if (!first) return { tests: 'passed', report };
  const more = failures.length === 1 ? '' : `; ${failures.length} of ${cases} cases fail`;
  throw new Refusal(
    'documents_invalid',
    `the case '${first.case}' of the Test '${first.document.name}' fails: ${first.message}${more}`,
    { errors: failures.slice(0, MAX_ERRORS).map(locate) },
  );
}

/** Throws Refusal for a policy by which more rules concern a request than may. False: the state moved on in between. */
async function checkCrowds(policies: PolicySet, changes: readonly DocumentChange[], locate: Locate): Promise<boolean> {
  const written = changes.filter(({ kind, stored }) => kind === 'Policy' && stored);
  if (written.length === 0) return true;
  const fork = policies.fork(changes);
  const turn = pace(() => !fork.isStale);
  for (const crowd of crowds(fork, new Set(written.map(({ name }) => name)))) {
    if (crowd) throw crowded(crowd, locate);
    if (!(await turn())) return false;
  }
  return true;
}

function crowded({ policy, server, action, resource, rules }: Crowd, locate: Locate): Refusal {
  const of = server === null ? 'of no server' : `of the server '${server}'`;
  const message =
    `${rules} rules would concern the action '${action}' on '${resource}' ${of}, and at most ${MAX_CANDIDATES} may: ` +
    'name fewer servers, actions or resources, or put several rules into one';
  const problem = locate({
    code: 'too_many_candidates',
    message,
    document: { kind: 'Policy', name: policy },
    path: 'target',
  });
  return new Refusal('documents_invalid', message, { errors: [problem] });
}

/** The report, or undefined if the state moved on in between. */
async function paced(fork: PolicySet): Promise<TestReport | undefined> {
  const turn = pace(() => !fork.isStale);
  const steps = testSteps(fork, operationWord);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
    if (!(await turn())) return undefined;
  }
}

function documentChange(operation: Operation): DocumentChange[] {
  switch (operation.op) {
    case 'put_document':
      return [{ kind: operation.kind, name: operation.name, stored: { document: operation.body, version: 0 } }];
    case 'delete_document':
      return [{ kind: operation.kind, name: operation.name }];
    default:
      return [];
  }
}

import { pace } from '#decision';
import { Refusal } from '#http';
import { operationWord } from '#mcp';
import {
  forkForTests,
  hasTests,
  testSteps,
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
 * Runs all Test documents of a state as it would be after some writes, on the whole of that state. Throws Refusal where a
 * case fails. Others have their turn every few milliseconds; where there are no tests this costs nothing.
 */
export async function testChange(
  policies: PolicySet,
  operations: readonly Operation[],
  locate: Locate = (problem) => problem,
): Promise<Tested> {
  const changes = operations.flatMap(documentChange);
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

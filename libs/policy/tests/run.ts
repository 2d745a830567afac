import type { PolicySet } from '../compile/policy-set.js';
import { Provisioned } from '../compile/provisioned.js';
import type { CompiledRule } from '../compile/rules.js';
import { decide, type Decision } from '../decide/decide.js';
import { agreementsTo } from '../decide/requirements.js';
import type { DecisionInput } from '../decide/request.js';
import { resolve } from '../decide/resolve.js';
import { candidatesOf, principalsOf } from '../decide/weigh.js';
import type { DocumentProblem } from '../documents/problems.js';
import { documentName, type TestDocument } from '../documents/schema.js';
import type { DocumentChange, DocumentSet } from '../documents/set.js';
import { wholeRequest } from '../documents/test-request.js';
import { CoverageSoFar, type Coverage } from './coverage.js';
import { answerOf, mismatch, nameOf, type TestAnswer, type TestCase } from './expectation.js';
import { inputOf, TEST_NOW, type OperationOf } from './input.js';

/** A case that came out otherwise than expected. */
export interface TestFailure extends DocumentProblem {
  readonly code: 'test_failed';
  readonly document: { readonly kind: 'Test'; readonly name: string };
  readonly case: string;
  readonly path: string;
  readonly expected: TestCase['expect'];
  readonly got: TestAnswer;
  /** What is probably wrong with the case itself. */
  readonly hint: string | null;
}

/** What came of all cases of all Test documents of a set. */
export interface TestReport {
  readonly tests: number;
  readonly cases: number;
  readonly failures: readonly TestFailure[];
  readonly coverage: Coverage;
}

/**
 * The set on which the Test documents of a state are run: the state after some changes, with nobody suspended or kept out, and every
 * directory heard of. A kill switch that is on must not keep the policies from being mended.
 */
export function forkForTests(base: PolicySet, changes: readonly DocumentChange[]): PolicySet {
  const suspensions = [...base.documents.all('Suspension')].map(({ document }) => documentName(document));
  const lifted = suspensions.map((name): DocumentChange => ({ kind: 'Suspension', name }));
  const fork = base.fork([...changes, ...lifted], Provisioned.NOBODY);
  fork.silence(new Set());
  return fork;
}

/** Whether there is a Test document in a set. */
export const hasTests = (documents: DocumentSet): boolean => documents.count('Test') > 0;

/**
 * Runs all Test documents of a set, a case at a time: between two steps others may have their turn. Undefined if the set
 * below a fork moved on in between, so that nothing is known.
 */
export function* testSteps(set: PolicySet, operationOf: OperationOf): Generator<undefined, TestReport | undefined> {
  const tests = [...set.documents.all('Test')]
    .map(({ document }) => document)
    .sort((left, right) => (left.name < right.name ? -1 : 1));
  const coverage = new CoverageSoFar();
  const failures: TestFailure[] = [];
  let cases = 0;
  for (const test of tests) {
    for (const [index, each] of test.cases.entries()) {
      if (set.isStale) return undefined;
      const failure = runCase(set, test, index, each, operationOf, coverage);
      if (failure) failures.push(failure);
      cases++;
      yield;
    }
  }
  const total = set.isStale ? undefined : yield* coverage.total(set);
  return total && { tests: tests.length, cases, failures, coverage: total };
}

/** The same at once, for a set that nobody changes. */
export function runTests(set: PolicySet, operationOf: OperationOf): TestReport {
  const steps = testSteps(set, operationOf);
  for (;;) {
    const { done, value } = steps.next();
    if (!done) continue;
    if (!value) throw new Error('the set was changed while its tests ran');
    return value;
  }
}

function runCase(
  set: PolicySet,
  test: TestDocument,
  index: number,
  each: TestCase,
  operationOf: OperationOf,
  coverage: CoverageSoFar,
): TestFailure | undefined {
  const request = wholeRequest(test.defaults, each.request);
  // The schema refuses such a document.
  if ('wrong' in request) throw new Error(`the case '${each.name}' of the test '${test.name}' asks nothing`);
  const input = inputOf(set, request, operationOf);
  const now = request.now === undefined ? TEST_NOW : Date.parse(request.now);
  const decision = decideWith(set, input, new Set(each.consents), now);
  coverage.add(candidatesFor(set, input, now), decision);
  const got = answerOf(decision);
  const wrong = mismatch(set, each, got);
  if (!wrong) return undefined;
  const document = { kind: 'Test', name: test.name } as const;
  return {
    code: 'test_failed',
    ...wrong,
    document,
    case: each.name,
    path: `cases.${index}`,
    expected: each.expect,
    got,
  };
}

/** The decision as if all that the named rules ask for had been agreed to, for this request and in full. */
function decideWith(set: PolicySet, input: DecisionInput, agreed: ReadonlySet<string>, now: number): Decision {
  const decision = decide(set, input, [], now);
  if (decision.effect !== 'ask' || agreed.size === 0) return decision;
  const named = decision.requirements.filter(({ rule }) => agreed.has(rule ? nameOf(rule) : 'default'));
  return decide(set, input, agreementsTo(named), now);
}

/** The rules that were looked at for a request; none where it was answered before any rule. */
function candidatesFor(set: PolicySet, input: DecisionInput, now: number): readonly CompiledRule[] {
  const resolution = resolve(set, input);
  if ('denied' in resolution) return [];
  const { request } = resolution;
  const { rules, shadows } = candidatesOf(set, request, principalsOf(set, request, now));
  return [...rules, ...shadows];
}

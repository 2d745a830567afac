export type { Coverage } from './coverage.js';
export { describeAnswer, describeExpected } from './expectation.js';
export { forkForTests, hasTests, runTests, testSteps, type TestFailure, type TestReport } from './run.js';

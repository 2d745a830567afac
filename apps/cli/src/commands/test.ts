import { operationWord } from '#mcp';
import { describeAnswer, describeExpected, PolicySet, runTests, type TestFailure, type TestReport } from '#policy';
import { documentSets, type DocumentFiles } from '../files.js';
import { readOffline } from '../offline.js';
import { counted, coverageLines, EXIT, type Output } from '../output.js';

/** What came of the tests of one set, and where its cases stand. */
interface Outcome {
  readonly name: string;
  readonly report: TestReport;
  readonly placeOf: (failure: TestFailure) => { readonly file?: string; readonly line?: number | undefined };
}

/**
 * `test DIR|FILE...`: runs the Test documents on the documents beside them, taking these for all that there are. Asks no
 * service. What cannot be saved fails, and so does it if there is no test at all.
 */
export function test(output: Output, paths: readonly string[], json: boolean): number {
  const outcomes = documentSets(paths).map(outcomeOf);
  if (json) output.line(JSON.stringify(outcomes.map(jsonOf), null, 2));
  else for (const outcome of outcomes) print(output, outcome, outcomes.length > 1);
  const isTested = outcomes.some(({ report }) => report.tests > 0);
  return isTested && outcomes.every(({ report }) => report.failures.length === 0) ? EXIT.ok : EXIT.failure;
}

function outcomeOf({ name, files }: DocumentFiles): Outcome {
  const { documents, set } = readOffline(files);
  const report = runTests(PolicySet.of(documents.map(({ document }) => ({ document, version: 0 }))), operationWord);
  return {
    name,
    report,
    placeOf: ({ document: { name: of }, path }) => {
      const stored = set.find('Test', of)!.document;
      const proposed = documents.find(({ document }) => document === stored)!;
      const { file } = proposed.source;
      const [cases, index] = path.split('.');
      const { line } = proposed.position([cases!, Number(index)]);
      return { ...(file === undefined ? {} : { file }), line };
    },
  };
}

function print(output: Output, { name, report, placeOf }: Outcome, named: boolean): void {
  const { tests, cases, failures, coverage } = report;
  if (named) output.line(`${name}:`);
  if (tests === 0) return output.line(`there is no Test document in ${name}`);
  for (const failure of failures) {
    const { file, line } = placeOf(failure);
    output.line(`FAILED ${file ?? ''}:${line}: ${failure.document.name}: ${failure.case}`);
    output.line(`  expected: ${describeExpected(failure.expected)}`);
    output.line(`  got:      ${describeAnswer(failure.got)}`);
    if (failure.hint !== null) output.line(`  ${failure.hint}`);
  }
  const failed = failures.length === 0 ? 'all pass' : `${failures.length} failed`;
  output.line(`${counted(cases, 'case')} in ${counted(tests, 'test')}: ${failed}`);
  for (const line of coverageLines(coverage)) output.line(line);
}

function jsonOf({ name, report, placeOf }: Outcome): object {
  return { set: name, ...report, failures: report.failures.map((failure) => ({ ...placeOf(failure), ...failure })) };
}

import { parseDocuments, type Coverage, type LintFinding } from '#policy';
import type { Api } from '../api.js';
import { countsOf, printChanges, summary, type ChangedDocument } from '../changes.js';
import { readPolicyFiles, type PolicyFile } from '../files.js';
import { counted, coverageLine, finding, type Output } from '../output.js';

interface ChangeBody {
  readonly revision?: number;
  readonly documents: readonly ChangedDocument[];
  readonly warnings: readonly LintFinding[];
  /** Absent where there are no tests. */
  readonly tests?: { readonly documents: number; readonly cases: number; readonly coverage: Coverage };
}

/** `apply DIR`: prints what changes, then changes it, all or nothing. With `--dry-run` it only prints. */
export async function apply(
  api: Api,
  output: Output,
  directory: string,
  options: { readonly prune: boolean; readonly dryRun: boolean; readonly message: string | undefined },
): Promise<void> {
  const files = policyFiles(output, directory);
  const planned = await api.post<ChangeBody>('/api/v1/documents/validate', { files, prune: options.prune });
  const changes = planned.documents.filter(({ change }) => change !== 'unchanged');
  printChanges(output, changes);
  printWarnings(output, planned);
  const unchanged = planned.documents.length - changes.length;
  if (changes.length === 0) {
    const rest = unchanged === 1 ? 'is as it should be' : 'are as they should be';
    return output.line(`nothing to do: ${counted(unchanged, 'document')} ${rest}`);
  }
  printTests(output, planned);
  if (options.dryRun)
    return output.line(`${summary(countsOf(changes))}, ${unchanged} unchanged; nothing was changed (--dry-run)`);
  const why = options.message === undefined ? '' : `?message=${encodeURIComponent(options.message)}`;
  const applied = await api.post<ChangeBody>(`/api/v1/documents/apply${why}`, { files, prune: options.prune });
  output.line(`${summary(countsOf(changes))}, ${unchanged} unchanged; revision ${applied.revision}`);
}

/** `validate DIR`: the same questions, and no change. */
export async function validate(api: Api, output: Output, directory: string): Promise<void> {
  const files = policyFiles(output, directory);
  const planned = await api.post<ChangeBody>('/api/v1/documents/validate', { files });
  const { documents } = planned;
  printWarnings(output, planned);
  const are = documents.length === 1 ? 'is' : 'are';
  output.line(`${counted(documents.length, 'document')} in ${counted(files.length, 'file')} ${are} valid`);
  printTests(output, planned);
}

/** The files of a folder. One that has no document in it is named: somebody thinks that it has. */
export function policyFiles(output: Output, directory: string): PolicyFile[] {
  const files = readPolicyFiles(directory);
  for (const { path, text } of files) {
    const { documents, problems } = parseDocuments({ text });
    if (documents.length === 0 && problems.length === 0)
      output.note(`placet: warning: there is no document in ${path}`);
  }
  return files;
}

export function printWarnings(output: Output, { warnings }: Pick<ChangeBody, 'warnings'>): void {
  for (const warning of warnings) output.note(`warning: ${finding(warning)}`);
}

function printTests(output: Output, { tests }: ChangeBody): void {
  if (!tests) return;
  const { cases, documents, coverage } = tests;
  output.line(`${counted(cases, 'case')} in ${counted(documents, 'test')}: all pass; ${coverageLine(coverage)}`);
}

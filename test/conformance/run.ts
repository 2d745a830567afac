import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Standalone } from '../support/standalone.js';
import { Administrator } from './administrator.js';
import { authzenCertification } from './authzen-certification.js';
import { authzenDecisions } from './authzen-decisions.js';
import type { CaseResult, VectorSet } from './case.js';
import { mcpMapping } from './mcp-mapping.js';

/** The kinds of vectors that can be run, by the file that each is recognised by. */
const KINDS: readonly { file: string; open: (directory: string, administrator: Administrator) => VectorSet }[] = [
  { file: 'decisions.json', open: authzenDecisions },
  { file: 'fixture.json', open: authzenCertification },
  { file: 'default-mappings.json', open: mcpMapping },
];

/** How many cases of a folder came out how. */
export type Tally = Record<CaseResult['outcome'], number>;

/** Whether a folder holds vectors that can be run. */
export const hasVectors = (directory: string): boolean => KINDS.some(({ file }) => existsSync(join(directory, file)));

/** Runs all vectors of a folder against a service, whose documents they replace. */
export async function runVectors(
  directory: string,
  service: Pick<Standalone, 'url' | 'ownerKey'>,
  write: (line: string) => void,
): Promise<Tally> {
  const tally: Tally = { passed: 0, failed: 0, 'not run': 0 };
  for (const { file, open } of KINDS) {
    if (!existsSync(join(directory, file))) continue;
    const vectors = open(directory, new Administrator(service));
    write(vectors.title);
    for await (const { id, outcome, detail } of vectors.run()) {
      tally[outcome]++;
      write(`  ${outcome.padEnd(8)}${id}${detail === undefined ? '' : ` (${detail})`}`);
    }
  }
  return tally;
}

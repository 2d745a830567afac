import type { SourceDocument } from '../documents/parse.js';
import { KINDS, type AnyDocument } from '../documents/schema.js';
import type { DocumentSet } from '../documents/set.js';
import { lintArguments } from './arguments.js';
import { lintBoundaries } from './boundaries.js';
import { lintConditions } from './conditions.js';
import { Facts } from './facts.js';
import { reporter, type LintFinding, type Report, type Subject } from './finding.js';
import { lintGrants } from './grants.js';
import { lintIdentity } from './identity.js';
import { lintNames } from './names.js';
import { lintRoles } from './roles.js';
import { lintShadowed } from './shadow.js';

/**
 * What in some documents of a set can be saved and is hardly meant. Only what is certain by the set as it is: whatever
 * else could be so is passed over. The cost follows the number of documents that are looked at.
 * @param about the documents to look at, as they were read; left out: all of the set
 */
export function lint(set: DocumentSet, about?: readonly SourceDocument[]): LintFinding[] {
  const facts = new Facts(set);
  const findings: LintFinding[] = [];
  for (const subject of about ?? everything(set)) lintDocument(facts, subject.document, reporter(subject, findings));
  return findings;
}

function* everything(set: DocumentSet): Iterable<Subject> {
  for (const kind of KINDS) yield* set.all(kind);
}

function lintDocument(facts: Facts, document: AnyDocument, report: Report): void {
  lintNames(facts, document, report);
  lintRoles(facts, document, report);
  lintIdentity(facts, document, report);
  if (document.kind !== 'Policy') return;
  lintConditions(facts, document, report);
  lintShadowed(facts, document, report);
  lintBoundaries(facts, document, report);
  lintGrants(facts, document, report);
  lintArguments(facts, document, report);
}

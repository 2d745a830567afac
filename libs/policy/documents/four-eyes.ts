import type { DocumentProblem, SourceDocument } from './parse.js';
import { problemAt } from './report.js';
import type { AnyDocument, Kind } from './schema.js';
import type { DocumentSet } from './set.js';
import { FOUR_EYES, type FourEyes } from './tenant-members.js';

/** A document that would be written, or (undefined) that would go. */
export interface ChangedDocument {
  readonly kind: Kind;
  readonly after: AnyDocument | undefined;
}

/** Whether a tenant has two people for something. */
export function hasFourEyes(documents: DocumentSet, what: FourEyes): boolean {
  for (const { document } of documents.all('Tenant')) if (demandedBy(document).includes(what)) return true;
  return false;
}

/**
 * Whether two people must have seen a change of documents. Suspensions are for one, since what is to be stopped does not wait.
 *
 * INVARIANT: what takes such a demand back is a change that two people must have seen, whatever it is for.
 */
export function wantsFourEyes(present: DocumentSet, changes: readonly ChangedDocument[]): boolean {
  const authored = changes.filter(({ kind }) => kind !== 'Suspension');
  if (authored.length === 0) return false;
  if (hasFourEyes(present, 'publish')) return true;
  if (hasFourEyes(present, 'guardrails') && authored.some(({ kind }) => kind === 'Guardrail')) return true;
  const left = authored.flatMap(({ kind, after }) => (kind === 'Tenant' ? [demandedBy(after)] : []));
  return left.some((demanded) => FOUR_EYES.some((what) => hasFourEyes(present, what) && !demanded.includes(what)));
}

/** What asks for two people where nobody could be one: no Issuer lets people sign in. */
export function checkFourEyes(
  after: DocumentSet,
  {
    documents,
    deletions,
  }: { readonly documents: readonly SourceDocument[]; readonly deletions: readonly { readonly kind: Kind }[] },
): DocumentProblem[] {
  const touches = (kind: string): boolean => kind === 'Tenant' || kind === 'Issuer';
  if (![...documents.map(({ document }) => document), ...deletions].some(({ kind }) => touches(kind))) return [];
  const tenant = [...after.all('Tenant')].find(({ document }) => demandedBy(document).length > 0)?.document;
  if (!tenant || [...after.all('Issuer')].some(({ document }) => document.signIn !== undefined)) return [];
  const message =
    'fourEyes wants two people, and no Issuer lets people sign in (signIn), so that nobody could ever change it back';
  const path = ['administration', 'fourEyes'];
  const proposed = documents.find(({ document }) => document.kind === 'Tenant');
  return proposed
    ? [problemAt(proposed, 'invalid', message, path, { position: proposed.position(path) })]
    : [{ code: 'invalid', message, document: { kind: 'Tenant', name: tenant.name }, path: path.join('.') }];
}

const demandedBy = (document: AnyDocument | undefined): readonly FourEyes[] =>
  document?.kind === 'Tenant' ? (document.administration?.fourEyes ?? []) : [];

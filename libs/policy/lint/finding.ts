import type { SourceDocument } from '../documents/parse.js';
import { documentName, type AnyDocument } from '../documents/schema.js';

/** What lint can find. A closed list: `docs/policy.md` has a line on each. */
export const LINT_CODES = [
  'never_matches',
  'shadowed_by_deny',
  'outside_boundary',
  'unconditional_allow_on_destructive_tool',
  'matches_everything',
  'unknown_server',
  'unknown_tool',
  'unknown_host',
  'role_nobody_has',
  'error_without_argument',
  'never_fires',
  'administration_for_all',
  'issuer_for_nothing',
  'any_token_type',
] as const;

export type LintCode = (typeof LINT_CODES)[number];

/** Something in a document that can be saved and is hardly meant, with where it stands as far as that is known. */
export interface LintFinding {
  readonly code: LintCode;
  readonly message: string;
  readonly document: { readonly kind: string; readonly name: string };
  readonly rule?: string;
  /** Where in the document, as in `rules.0.when`. */
  readonly path: string;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
}

/** Reports a finding at a member of a document; with `offset`, at that character of a text. */
export type Report = (
  code: LintCode,
  message: string,
  path: readonly PropertyKey[],
  more?: { readonly rule?: string; readonly offset?: number },
) => void;

/** A document, with its source where that is known. */
export type Subject = Pick<SourceDocument, 'document'> & Partial<SourceDocument>;

export function reporter(subject: Subject, findings: LintFinding[]): Report {
  const { document, source, position } = subject;
  return (code, message, path, { rule, offset } = {}) => {
    findings.push({
      code,
      message,
      document: named(document),
      ...(rule === undefined ? {} : { rule }),
      path: path.join('.'),
      ...(source?.file === undefined ? {} : { file: source.file }),
      ...position?.(path, offset),
    });
  };
}

const named = (document: AnyDocument) => ({ kind: document.kind, name: documentName(document) });

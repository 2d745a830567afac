import { LineCounter, parseAllDocuments, type Document } from 'yaml';
import type { z } from 'zod';
import type { Json, JsonObject } from '../model.js';
import { offsetOfMember, offsetOfName } from './positions.js';
import { describeFinding, type Described, type DocumentProblem, type Position } from './problems.js';
import { AUTHORED_KINDS, documentName, documentSchemas, type AnyDocument, type Kind } from './schema.js';
import { isEmpty, structuralProblem, syntaxMessage } from './structure.js';
import { findings, placeOf, PLAIN_WORDS } from './wording.js';

export type { DocumentProblem, Position } from './problems.js';

/** A source text: one file of a policy directory, or the body of a request. */
export interface Source {
  readonly file?: string;
  readonly text: string;
}

/** A document that has passed its schema, and the way back from its members to the text. */
export interface SourceDocument {
  readonly document: AnyDocument;
  readonly source: Source;
  /**
   * Where a member stands; for a text with `offset`, where that character of it stands as nearly as can be told. Nothing
   * of a document that was read from a value.
   */
  position(path: readonly PropertyKey[], offset?: number): Partial<Position>;
}

export interface ParsedSource {
  readonly documents: readonly SourceDocument[];
  readonly problems: readonly DocumentProblem[];
}

/** More mistakes of syntax than this in one document follow from the first ones. */
const MAX_SYNTAX_PROBLEMS = 10;

/** Reads one or many documents from YAML or JSON (which is YAML as well). Every mistake is reported, not only the first. */
export function parseDocuments(source: Source): ParsedSource {
  const lines = new LineCounter();
  const parsed = parseAllDocuments(source.text, {
    lineCounter: lines,
    uniqueKeys: true,
    version: '1.2',
    schema: 'core',
  });
  const documents: SourceDocument[] = [];
  const problems: DocumentProblem[] = [];
  for (const tree of 'empty' in parsed ? [] : parsed) {
    if (isEmpty(tree)) continue;
    const found = readDocument(tree, source, lines);
    if ('problems' in found) problems.push(...found.problems);
    else documents.push(found);
  }
  return { documents, problems };
}

function readDocument(
  tree: Document.Parsed,
  source: Source,
  lines: LineCounter,
): SourceDocument | { problems: DocumentProblem[] } {
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const file = source.file === undefined ? {} : { file: source.file };
  const problem = (code: DocumentProblem['code'], message: string, position: Position): DocumentProblem => ({
    code,
    message,
    ...file,
    ...position,
  });

  if (tree.errors.length > 0) {
    return {
      problems: tree.errors
        .slice(0, MAX_SYNTAX_PROBLEMS)
        .map((error) => problem('syntax', syntaxMessage(error.message), at(error.pos[0]))),
    };
  }
  const structural = structuralProblem(tree);
  if (structural) return { problems: [problem('syntax', structural.message, at(structural.offset))] };

  const position = (path: readonly PropertyKey[], offset = 0): Position =>
    at(offsetOfMember(tree, source.text, path, offset));
  const read = readValue(tree.toJS() as Json);
  if ('document' in read) return { ...read, source, position };
  const problems = read.described.map(({ at: path, named, ...rest }): DocumentProblem => {
    const name = named ? offsetOfName(tree, path) : undefined;
    return { ...rest, ...file, ...(name === undefined ? position(path) : at(name)) };
  });
  return { problems };
}

/** Reads documents that were read before, and stored: what they were allowed to be then, they need not be any more. */
export function parseValues(values: readonly Json[]): ParsedSource {
  const documents: SourceDocument[] = [];
  const problems: DocumentProblem[] = [];
  for (const value of values) {
    const read = readValue(value);
    if ('document' in read) documents.push({ ...read, source: { text: '' }, position: () => ({}) });
    else problems.push(...read.described.map(({ at: _at, named: _named, ...rest }) => rest));
  }
  return { documents, problems };
}

function readValue(value: Json): Pick<SourceDocument, 'document'> | { described: Described[] } {
  const kind = (value as JsonObject | null)?.kind;
  if (!AUTHORED_KINDS.includes(kind as Kind)) {
    const message = `kind is one of ${AUTHORED_KINDS.join(', ')}`;
    return { described: [{ code: 'unknown_kind', message, at: ['kind'] }] };
  }
  const parsed = documentSchemas[kind as Kind].safeParse(value, PLAIN_WORDS);
  const dropped = parsed.success ? droppedMember(value, parsed.data as Json) : undefined;
  if (parsed.success && !dropped) return { document: parsed.data };
  const issues = parsed.success ? [droppedIssue(dropped!)] : parsed.error.issues;
  const described = findings({ issues }, value).map((finding): Described => {
    const found = describeFinding(finding, kind as Kind, value as JsonObject);
    return { ...found, path: placeOf(found.at) };
  });
  return { described };
}

/** The first member that a schema has dropped without a word: zod takes no `__proto__` into a record. */
function droppedMember(before: Json, after: Json, path: readonly PropertyKey[] = []): PropertyKey[] | undefined {
  if (typeof before !== 'object' || before === null) return undefined;
  for (const key of Object.keys(before)) {
    const at = [...path, key];
    if (!Object.hasOwn(after as JsonObject, key)) return at;
    const found = droppedMember((before as JsonObject)[key]!, (after as JsonObject)[key]!, at);
    if (found) return found;
  }
  return undefined;
}

const droppedIssue = (path: PropertyKey[]): z.core.$ZodIssue => ({
  code: 'unrecognized_keys',
  keys: [String(path.at(-1))],
  path: path.slice(0, -1),
  message: 'dropped',
});

/** Two documents of one source, or of several, with the same kind and name. */
export function duplicateNames(documents: readonly SourceDocument[]): DocumentProblem[] {
  const seen = new Set<string>();
  const problems: DocumentProblem[] = [];
  for (const proposed of documents) {
    const { document, source } = proposed;
    const name = documentName(document);
    const key = `${document.kind}\n${name}`;
    if (seen.has(key)) {
      problems.push({
        code: 'duplicate_name',
        message: `there is another ${document.kind} named '${name}'`,
        document: { kind: document.kind, name },
        ...(source.file === undefined ? {} : { file: source.file }),
        ...proposed.position(['name']),
      });
    }
    seen.add(key);
  }
  return problems;
}

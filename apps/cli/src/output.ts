import type { Coverage } from '#policy';

/** Where a command writes: what it was asked for to standard output, notes for the person to standard error. */
export interface Output {
  text(text: string): void;
  line(text: string): void;
  note(text: string): void;
}

export const terminal: Output = {
  text: (text) => void process.stdout.write(text),
  line: (text) => void process.stdout.write(`${text}\n`),
  note: (text) => void process.stderr.write(`${text}\n`),
};

/** What a command's exit code means. */
export const EXIT = { ok: 0, failure: 1, usage: 2, deny: 3, ask: 4 } as const;

/** A number of things, as in `1 file` or `3 files`. */
export const counted = (count: number, thing: string): string => `${count} ${thing}${count === 1 ? '' : 's'}`;

/** A text of somebody else's as one line, with nothing in it on which a terminal would act. */
export const plain = (text: string): string =>
  text.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, (sign) => `\\u{${sign.codePointAt(0)!.toString(16)}}`);

/** Something that was found in a document. */
export interface Placed {
  readonly message: string;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  readonly document?: { readonly kind: string; readonly name: string };
  readonly rule?: string;
  /** Of a Test. */
  readonly case?: string;
}

/**
 * One mistake as compilers tell it: file, line, column, what, where in the document. Without a file the text was made
 * here, and lines of it mean nothing to anybody.
 */
export function placed({ message, file, line, column, document, rule, case: of }: Placed): string {
  const place = file === undefined ? [] : [file, line, column].filter((part) => part !== undefined);
  const part = rule !== undefined ? `, rule ${rule}` : of !== undefined ? `, case '${of}'` : '';
  const where = document ? ` (${document.kind} ${document.name}${part})` : '';
  return `${place.length === 0 ? '' : `${place.join(':')}: `}${message}${where}`;
}

/** What lint has found, with the code by which the documentation explains it. */
export const finding = ({ code, ...found }: Placed & { readonly code: string }): string => `${placed(found)} [${code}]`;

/** How many rules the cases of tests have shown to do something. */
export function coverageLine({ rules, covered, percent, shadow }: Coverage): string {
  const shadows = shadow.rules === 0 ? '' : `; ${shadow.covered} of ${counted(shadow.rules, 'shadow rule')}`;
  return `${covered} of ${counted(rules, 'rule')} covered (${percent} %)${shadows}`;
}

/** The same, and those that they have not, the first of many. */
export function coverageLines(coverage: Coverage): string[] {
  const { rules, covered, uncovered } = coverage;
  const more = rules - covered - uncovered.length;
  const named = uncovered.map(
    ({ rule, evaluated }) => `  not covered: ${rule}, ${evaluated ? 'never true' : 'never reached'}`,
  );
  return [coverageLine(coverage), ...named, ...(more > 0 ? [`  and ${more} more`] : [])];
}

/**
 * Characters that a reader does not see, or that change what they see: controls, format characters (which reorder text or
 * have no width), halves of surrogate pairs, private use and what is not assigned; separators of lines, blanks that are no
 * space, and whatever Unicode lets a font leave out, letters and marks though some are; marks that are drawn over others;
 * parts of Korean syllables, which look like the whole ones; and the brackets that stand around code points here.
 */
const HIDDEN =
  /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}[\p{Zs}--[ ]]\p{Me}\u0334-\u0338\u20d0-\u20ff\u2800\u{16fe4}\u{1d159}\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff⟨⟩]/v;

/** Most marks on one letter: more of them cover the lines around. */
const MOST_MARKS = 4;

/** Spaces in a row that are left as they are within a text of several lines, as indentation. */
const MOST_SPACES = 40;

/**
 * A text in which everything can be seen that is there: what cannot stands as its code point, as in ⟨U+202E⟩, and more of the
 * same as in ⟨12 × U+200B⟩; so do spaces at its ends, and all but single ones within.
 *
 * INVARIANT: two texts are shown as the same only if they are the same: what is shown can be read back, and is in Unicode's
 * form C, so that of two spellings of one letter only one is shown as that letter.
 */
export const visible = (text: string): string =>
  PLAIN.test(text) ? text : collapsed(composed(piecesOf(text, (run, isAtEnd) => run.length === 1 && !isAtEnd)));

/**
 * A text of several lines in which everything can be seen that is there: as `visible`, but that lines end where they end,
 * with a sign for it, so that nobody makes up lines of ours; and that some spaces in a row are left, as indentation.
 */
export function visibleLines(text: string): string {
  const lines = text.split('\n');
  return lines
    .map((line, index) => {
      const isLeft = (run: string, isAtEnd: boolean, at: number): boolean =>
        run.length <= MOST_SPACES && (!isAtEnd || (at === 0 && index > 0 && run.length < line.length));
      return PLAIN.test(line) ? line : collapsed(composed(piecesOf(line, isLeft)));
    })
    .join('↵\n');
}

/** Whether a text has something in it that a reader would not see. */
export const hasUnseen = (text: string): boolean =>
  UNSEEN.test(text) || ODD_MARKS.test(text) || text.normalize('NFC') !== text;

/** As `hasUnseen`, of a text of several lines. */
export const hasUnseenInLines = (text: string): boolean => hasUnseen(text.replace(/[\n\t]/g, '.'));

/**
 * Whether what is written from right to left stands among what is not: its parts stand in another order than that in which
 * they are read.
 */
export const mixesDirections = (text: string): boolean =>
  RIGHT_TO_LEFT.test(text) && /[\p{Script=Latin}\d]/u.test(text);

const PLAIN = /^(?:[\x21-\x7e]+(?: [\x21-\x7e]+)*)?$/;

const UNSEEN = new RegExp(HIDDEN.source.replace('⟨⟩', ''), 'v');

const ODD_MARKS = new RegExp(`(?:^|[^\\p{L}\\p{M}])\\p{M}|\\p{M}{${MOST_MARKS + 1},}`, 'u');

const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

/** A character with its marks, or spaces in a row. */
const PIECE = / +|\P{M}?\p{M}*/gsu;

/** @param isLeft whether spaces in a row are left as they are: whether they are at an end of the text, and where they begin */
function piecesOf(text: string, isLeft: (spaces: string, isAtEnd: boolean, at: number) => boolean): string[] {
  return [...text.matchAll(PIECE)].flatMap(({ 0: piece, index }) => {
    if (!piece.startsWith(' ')) return seen(piece);
    const isAtEnd = index === 0 || index + piece.length === text.length;
    return [isLeft(piece, isAtEnd, index) ? piece : codePoints(piece)];
  });
}

/** One character with its marks: they are left where they are few, on a letter, and in the one spelling of it. */
function seen(piece: string): readonly string[] {
  if (/^[\x21-\x7e]?$/.test(piece)) return [piece];
  const [base = '', ...marks] = piece;
  if (marks.length === 0) return [isSeen(piece) && !/^\p{M}$/u.test(piece) ? piece : codePoints(piece)];
  const isWhole = /^\p{L}$/u.test(base) && marks.length <= MOST_MARKS && isSeen(base) && isSeen(piece);
  return isWhole ? [piece] : [...seen(base), codePoints(marks.join(''))];
}

const isSeen = (text: string): boolean => !HIDDEN.test(text) && text.normalize('NFC') === text;

/** Pieces as one text in form C: where neighbours would become another letter together, none of them is left as it is. */
function composed(pieces: readonly string[]): string {
  const text = pieces.join('');
  if (text.normalize('NFC') === text) return text;
  return pieces.map((piece) => (/^[\x20-\x7e]*$|^⟨/.test(piece) ? piece : codePoints(piece))).join('');
}

const codePoints = (text: string): string =>
  [...text].map((one) => `⟨U+${one.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}⟩`).join('');

/** More than three of the same are counted. */
const collapsed = (text: string): string =>
  text.replace(
    /(⟨U\+[0-9A-F]+⟩)\1{3,}/g,
    (all: string, one: string) => `⟨${all.length / one.length} × ${one.slice(1)}`,
  );

/**
 * Characters that a reader does not see, or that change what they see: controls, format characters (which reorder text or
 * have no width), separators of lines, blanks that are no space, surrogates, private use and what is not assigned; and
 * variation selectors and fillers, which are letters or marks by their category and invisible all the same.
 */
const UNSEEN =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\uffa0\ufe00-\ufe0f\u{e0100}-\u{e01ef}]/gu;

/** A text in which everything can be seen that is there: what cannot stands as its code point, as in ⟨U+202E⟩. */
export const visible = (text: string): string =>
  text.replace(UNSEEN, (character) => `⟨U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}⟩`);

/** Whether a text has something in it that a reader would not see. */
export const hasUnseen = (text: string): boolean => text.search(UNSEEN) >= 0;

/** Alphabets of which letters look like those of others. */
const ALPHABETS = [
  /\p{Script=Latin}/u,
  /\p{Script=Cyrillic}/u,
  /\p{Script=Greek}/u,
  /\p{Script=Armenian}/u,
  /\p{Script=Cherokee}/u,
];

/** Whether one word of a text mixes alphabets whose letters look alike, as in a name that is made to look like another. */
export const mixesAlphabets = (text: string): boolean =>
  (text.match(/[\p{L}\p{M}\p{N}]+/gu) ?? []).some(
    (word) => ALPHABETS.filter((alphabet) => alphabet.test(word)).length > 1,
  );

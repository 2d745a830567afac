/** Alphabets of which letters look like those of others. */
const ALPHABETS = [
  /\p{Script=Latin}/u,
  /\p{Script=Cyrillic}/u,
  /\p{Script=Greek}/u,
  /\p{Script=Armenian}/u,
  /\p{Script=Cherokee}/u,
  /\p{Script=Coptic}/u,
  /\p{Script=Lisu}/u,
  /\p{Script=Georgian}/u,
  /\p{Script=Deseret}/u,
  /\p{Script=Osage}/u,
];

/** Letters of other alphabets that look like Latin ones (Unicode's confusables.txt, the plain ones of it). */
const LIKE_LATIN = [
  { alphabet: /\p{Script=Cyrillic}/gu, alike: /^[аеорсухіјѕһԁԛԝѵкАВЕЅІЈКМНОРСТУХԌԚԜ]+$/u },
  { alphabet: /\p{Script=Greek}/gu, alike: /^[ονρικΑΒΕΖΗΙΚΜΝΟΡΤΥΧ]+$/u },
];

/** Digits of each system: those of one stand for other values than the same shapes of another. */
const DIGITS = /\p{Nd}/gu;

/**
 * Whether a text may be made to look like another: a word of it mixes alphabets whose letters look alike, or digits of two
 * systems; all that it has of another alphabet looks like Latin letters; or it has characters that stand in for those of
 * ASCII, as the wide and the mathematical ones do.
 */
export const hasLookAlikes = (text: string): boolean =>
  !/^[\x00-\x7f]*$/.test(text) && (mixesInWords(text) || passesForLatin(text) || hasStandIns(text));

const mixesInWords = (text: string): boolean =>
  (text.match(/[\p{L}\p{M}\p{N}]+/gu) ?? []).some(
    (word) => ALPHABETS.filter((alphabet) => alphabet.test(word)).length > 1 || systemsOf(word).size > 1,
  );

/** The systems of the digits in a word, by the digit that stands for zero (Unicode keeps each ten of them together). */
const systemsOf = (word: string): Set<number> => new Set((word.match(DIGITS) ?? []).map((digit) => zeroOf(digit)));

function zeroOf(digit: string): number {
  let point = digit.codePointAt(0)!;
  // The mathematical ones, five tens without a gap, are stand-ins anyway.
  for (let steps = 0; steps < 9 && /\p{Nd}/u.test(String.fromCodePoint(point - 1)); steps++) point--;
  return point;
}

const passesForLatin = (text: string): boolean =>
  LIKE_LATIN.some(({ alphabet, alike }) => {
    const letters = text.match(alphabet);
    return letters !== null && alike.test(letters.join(''));
  });

/** Superscripts that people do write are left out. */
const hasStandIns = (text: string): boolean =>
  [...new Set(text.match(/[^\x00-\x7f\u00a0\u00aa\u00b2\u00b3\u00b9\u00ba]/gu))].some((one) =>
    /^[\x21-\x7e]$/.test(one.normalize('NFKC')),
  );

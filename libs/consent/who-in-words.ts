const WORDS: Readonly<Record<string, string>> = {
  subject: 'the person on whose behalf it is done',
  manager: 'the manager of that person',
  owner: 'the owner of the server',
};

/** Who may agree, as in the `by` of a consent block, for people who know no policies; names and roles as they are. */
export const whoInWords = (by: readonly string[]): string =>
  by.map((one) => (Object.hasOwn(WORDS, one) ? WORDS[one]! : one)).join(', or ');

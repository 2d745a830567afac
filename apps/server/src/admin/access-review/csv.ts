/**
 * A line of CSV (RFC 4180) that no spreadsheet takes for anything but texts: each is quoted, control characters are spaces, and
 * what a formula could begin with is preceded by an apostrophe, also after what other settings than ours take for a
 * separator (OWASP, CSV Injection).
 */
export const csvLine = (cells: readonly string[]): string => `${cells.map(cell).join(',')}\r\n`;

const CONTROL = /[\p{Cc}\u2028\u2029]/gu;
const FORMULA = /(^|[;,|])(["'\s]*)([=+\-@\uFF1D\uFF0B\uFF0D\uFF20])/g;

const cell = (text: string): string =>
  `"${text.replaceAll(CONTROL, ' ').replaceAll(FORMULA, "$1'$2$3").replaceAll('"', '""')}"`;

/** How transcripts are written: at most this many columns wide, with colours only where a person looks at it. */
export const COLUMNS = 100;

const COLOURS = { allow: 32, ask: 33, deny: 31 } as const;

/** An effect as it stands in an answer. */
export function coloured(effect: keyof typeof COLOURS, colours: boolean): string {
  const text = effect.toUpperCase();
  return colours ? `\u001b[${COLOURS[effect]};1m${text}\u001b[0m` : text;
}

/** The first line of a block. */
export function heading(number: number, title: string, colours: boolean): string {
  const text = `${String(number).padStart(2)}. ${title}`;
  return colours ? `\u001b[1m${text}\u001b[0m` : text;
}

/** A text over the whole width, with things below it of which each has a line. */
export function paragraph(text: string, items: readonly string[]): string {
  return `\n${wrap(text, COLUMNS).join('\n')}\n${items.map((item) => `    ${item}\n`).join('')}\n`;
}

/** A text with a label beside it, on as many lines as it takes. */
export function line(label: string, text: string): string[] {
  const indent = ' '.repeat(12);
  return wrap(text, COLUMNS - indent.length).map((part, at) => (at === 0 ? `    ${label.padEnd(8)}` : indent) + part);
}

/** Breaks at blanks and commas, and in the middle of what is longer than a line. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let rest = text;
  while (rest.length > width) {
    const blank = Math.max(rest.lastIndexOf(' ', width), rest.lastIndexOf(',', width - 1) + 1);
    const end = blank > width / 2 ? blank : width;
    lines.push(rest.slice(0, end).trimEnd());
    rest = rest.slice(end).trimStart();
  }
  return [...lines, rest];
}

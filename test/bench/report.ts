import { cpus, totalmem } from 'node:os';

/** A promise about a figure: what it must be, what it was. */
export interface Bar {
  readonly name: string;
  readonly value: number;
  readonly bound: string;
  readonly met: boolean;
}

export const atMost = (name: string, value: number, limit: number): Bar => ({
  name,
  value: round(value),
  bound: `<= ${limit}`,
  met: value <= limit,
});
export const atLeast = (name: string, value: number, limit: number): Bar => ({
  name,
  value: round(value),
  bound: `>= ${limit}`,
  met: value >= limit,
});
export const exactly = (name: string, value: number, wanted: number): Bar => ({
  name,
  value,
  bound: `= ${wanted}`,
  met: value === wanted,
});

const round = (value: number): number => Number(value.toPrecision(4));

/** Prints rows as a table with a line under its head. */
export function printTable(head: readonly string[], rows: readonly (readonly (string | number)[])[]): void {
  const cells = [head, ...rows].map((row) =>
    row.map((cell) => (typeof cell === 'number' ? String(round(cell)) : cell)),
  );
  const widths = head.map((_name, column) => Math.max(...cells.map((row) => row[column]!.length)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join('  ');
  console.log(line(cells[0]!));
  console.log(widths.map((width) => '-'.repeat(width)).join('  '));
  for (const row of cells.slice(1)) console.log(line(row));
  console.log();
}

/** Prints the bars, then everything as one line of JSON, and says whether all bars are met. */
export function conclude(bench: string, figures: object, bars: readonly Bar[]): boolean {
  printTable(
    ['bar', 'value', 'bound', 'met'],
    bars.map(({ name, value, bound, met }) => [name, value, bound, met ? 'yes' : 'NO']),
  );
  const machine = {
    cpus: cpus().length,
    model: cpus()[0]?.model ?? 'unknown',
    memory: Math.round(totalmem() / 2 ** 30),
    node: process.version,
  };
  const met = bars.every((bar) => bar.met);
  console.log(JSON.stringify({ bench, met, bars, figures, machine }));
  return met;
}

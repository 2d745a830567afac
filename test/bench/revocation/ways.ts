import { atLeast, printTable, type Bar } from '../report.js';
import { quantile } from '../stats.js';
import type { Phase } from './phases.js';

/** What came of one of several ways in which something ended, in all phases. Times in ms. */
interface WaySummary {
  readonly way: string;
  readonly times: number;
  readonly allows: number;
  readonly askedAfterwards: number;
  readonly p50: number;
  readonly p99: number;
}

/** Sums up the phases by way. */
export const summarizeWays = (ways: readonly string[], phases: readonly Phase[]): WaySummary[] =>
  ways.map((way) => {
    const ends = phases.flatMap((phase) => phase.ends.filter((end) => end.way === way));
    const times = ends.map(({ ms }) => ms);
    return {
      way,
      times: ends.length,
      allows: ends.reduce((sum, end) => sum + end.allows, 0),
      askedAfterwards: ends.reduce((sum, end) => sum + end.askedAfterwards, 0),
      p50: quantile(times, 0.5),
      p99: quantile(times, 0.99),
    };
  });

export function printWays(ways: readonly WaySummary[]): void {
  printTable(
    ['what ended, in all phases', 'times', 'allowed before', 'asked afterwards', 'p50 ms', 'p99 ms'],
    ways.map((row) => [row.way, row.times, row.allows, row.askedAfterwards, row.p50, row.p99]),
  );
}

/** A way that nobody was allowed in before, or asked in afterwards, would show nothing. */
export const wayBars = (ways: readonly WaySummary[]): Bar[] => [
  atLeast('fewest allows of what ended in one way', Math.min(...ways.map(({ allows }) => allows)), 100),
  atLeast('fewest questions after an end in one way', Math.min(...ways.map((row) => row.askedAfterwards)), 100),
];

import type { OPTIONS, Values } from './options.js';
import type { Output } from './output.js';

/** One command: its arguments, the options that it takes, and what it does; the number is what the process exits with. */
interface Command {
  /** What its arguments are called. */
  readonly takes: readonly string[];
  /** How many of them there must be; undefined: all. */
  readonly needs?: number;
  /** Whether there may be more of the last one. */
  readonly many?: true;
  readonly options: readonly (keyof typeof OPTIONS)[];
  run(given: readonly string[], values: Values, output: Output): number | void | Promise<number | void>;
}

/** Commands by their names, of one word or two. */
export type Commands = Readonly<Record<string, Command>>;

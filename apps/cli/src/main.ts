import { SettingError } from '#config';
import { CommandError } from './api.js';
import { COMMANDS } from './commands.js';
import { USAGE, usageOf } from './help.js';
import { parse } from './options.js';
import { EXIT, terminal, type Output } from './output.js';
import { unreadOption, UsageError } from './usage.js';

/** Runs one command line and says with what the process is to exit. */
async function run(args: readonly string[], output: Output): Promise<number> {
  try {
    const { values, positionals, tokens } = parse(args);
    if (values.help || (positionals.length === 1 && positionals[0] === 'help')) {
      output.text(helpFor(positionals));
      return EXIT.ok;
    }
    const [name, ...given] = commandOf(positionals);
    const options = tokens.flatMap((token) => (token.kind === 'option' ? [token.name] : []));
    check(name, given, options);
    return (await COMMANDS[name]!.run(given, values, output)) ?? EXIT.ok;
  } catch (error) {
    const mistake = error instanceof UsageError ? error.message : unreadOption(error);
    if (mistake !== undefined) {
      output.note(`placet: ${mistake} (see placet --help)`);
      return EXIT.usage;
    }
    if (!(error instanceof CommandError) && !(error instanceof SettingError)) throw error;
    output.note(`placet: ${error.message}`);
    return EXIT.failure;
  }
}

/** All commands, or those that begin with the word that was given. */
function helpFor([word]: readonly string[]): string {
  if (word === undefined || word === 'help') return USAGE;
  const usage = usageOf(word);
  if (usage === undefined) throw new UsageError(`there is no command '${word}'`);
  return usage;
}

/** The name of a command, of one word or two, and what is given to it. */
function commandOf([first, second, ...rest]: readonly string[]): [string, ...string[]] {
  if (first === undefined) throw new UsageError('which command?');
  const two = `${first} ${second}`;
  if (second !== undefined && Object.hasOwn(COMMANDS, two)) return [two, ...rest];
  const given = second === undefined ? [] : [second, ...rest];
  if (Object.hasOwn(COMMANDS, first)) return [first, ...given];
  const near = Object.keys(COMMANDS).find((name) => name.startsWith(`${first} `));
  const hint = near === undefined ? '' : `: there is '${near}'`;
  throw new UsageError(`there is no command '${[first, ...given].join(' ')}'${hint}`);
}

/** A word or an option too many would otherwise be passed over, a --dry-run among them. */
function check(name: string, given: readonly string[], options: readonly string[]): void {
  const { takes, needs = takes.length, many = false, options: known } = COMMANDS[name]!;
  if (given.length < needs) throw new UsageError(`'${name}' needs ${takes.slice(given.length).join(' ')}`);
  const superfluous = given[takes.length];
  if (superfluous !== undefined && !many)
    throw new UsageError(`'${name}' takes ${takes.join(' ') || 'options'} only, and not '${superfluous}'`);
  const unknown = options.find((option) => !(known as readonly string[]).includes(option));
  if (unknown !== undefined) throw new UsageError(`'${name}' has no option '--${unknown}'`);
}

// A reader that has seen enough, as `head` has, is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

process.exitCode = await run(process.argv.slice(2), terminal);

import { demoOf } from './demos.js';

const say = (text: string): void => void process.stderr.write(`placet: ${text}\n`);

/**
 * Runs a demo; exits with 0 if all came out as expected, with 1 if not, with 2 if there is no such demo, with 130 if it was
 * interrupted.
 */
async function main(args: readonly string[]): Promise<number> {
  const run = demoOf(args);
  if (!run) {
    process.stderr.write('usage: npm run demo, or npm run demo -- sso\n');
    return 2;
  }
  const interrupted = interruption();
  try {
    const { surprises } = await run({
      write: (text) => void process.stdout.write(text),
      progress: say,
      colours: process.stdout.isTTY && process.env.NO_COLOR === undefined,
      signal: interrupted,
    });
    for (const surprise of surprises) say(surprise);
    return surprises.length === 0 ? 0 : 1;
  } catch (error) {
    if (interrupted.aborted) {
      say('stopped, and nothing is left behind');
      return 130;
    }
    say(
      `the demo could not be carried through: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
    return 1;
  }
}

/** Aborts at the first signal to stop, or when nobody reads any more; a second signal ends the process at once. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      process.once(signal, () => process.exit(130));
      controller.abort();
    });
  }
  process.stdout.on('error', () => controller.abort());
  return controller.signal;
}

process.exit(await main(process.argv.slice(2)));

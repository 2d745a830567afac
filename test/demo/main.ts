import { lookAt } from './answering.js';
import { answerOf, demoOf, type AnswerCommand } from './demos.js';
import { letQuickstartSignIn } from './quickstart-people.js';

const say = (text: string): void => void process.stderr.write(`placet: ${text}\n`);

/**
 * Runs a demo; exits with 0 if all came out as expected, with 1 if not, with 2 if there is no such demo, with 130 if it was
 * interrupted.
 */
async function main(args: readonly string[]): Promise<number> {
  const given = answerOf(args);
  if (given) return answer(given);
  if (args.join() === 'people') return people();
  const run = demoOf(args);
  if (!run) {
    process.stderr.write(USAGE);
    return 2;
  }
  const interrupted = interruption();
  try {
    const { surprises } = await run({
      write: (text) => void process.stdout.write(text),
      progress: say,
      colours: process.stdout.isTTY && process.env.NO_COLOR === undefined,
      // Where there is no terminal, there is nobody to answer at another one.
      answers: args.includes('--yes') || !process.stdin.isTTY || !process.stdout.isTTY ? 'demo' : 'elsewhere',
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

const USAGE = `usage: npm run demo                          answers are given at a second terminal
       npm run demo -- --yes                 the demo answers by itself
       npm run demo -- answer URL [--no]     answers what a demo asks, as ann
       npm run demo -- sso [--saml | --ldap]  (--ldap needs OpenLDAP's slapd)
       npm run demo -- people                lets ann and john of the quickstart sign in at a service that
                                             runs here (PLACET_URL, with the owner's key in PLACET_KEY)
`;

/** Lets people sign in until it is interrupted; exits with 1 where the service does not take that. */
async function people(): Promise<number> {
  try {
    await letQuickstartSignIn({ write: (text) => void process.stdout.write(text), signal: interruption() });
    return 0;
  } catch (error) {
    say(`nobody can sign in: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
}

/** Answers what a demo asks, as the person whom it asks; exits with 1 where that is not taken. */
async function answer({ page, answer: given }: AnswerCommand): Promise<number> {
  try {
    const found = await lookAt(page);
    if (!found) {
      say('there is no such request that ann may answer');
      return 1;
    }
    process.stdout.write(`${found.text}\n`);
    const status = await found.answer(given);
    process.stdout.write(`ann ${given === 'agree' ? 'agrees' : 'refuses'}: the request is ${status}\n`);
    return 0;
  } catch (error) {
    say(`it could not be answered: ${error instanceof Error ? error.message : String(error)}`);
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

import type { Ran } from './command-line.js';
import type { Stage } from './stage.js';
import type { Seen, Step } from './step.js';

const LOGIN = ['login', '--no-browser'];

/** A command line that acts for Ann, without a browser or a secret of its own (RFC 8628). */
export const COMMAND_LINE_STEPS: readonly Step[] = [
  {
    title: 'Her command line asks to act for her, and she lets it',
    expected: { exit: 0, asked: true, signedIn: true },
    act: logIn,
  },
  {
    title: 'It reads the policies, as she may',
    expected: { exit: 0, output: 'Policy tickets (version 1)' },
    act: ({ commandLine }) => shown(commandLine.run(['get', 'Policy']), ['get', 'Policy']),
  },
  {
    title: 'It does nothing that she may not',
    expected: { exit: 1, output: '' },
    act: ({ commandLine }) => shown(commandLine.run(['key', 'list']), ['key', 'list']),
  },
];

async function logIn({ commandLine, ann }: Stage): Promise<Seen> {
  let page: string | undefined;
  let isAsked = false;
  const { exit, notes } = await commandLine.run(LOGIN, async (text) => {
    const prompt = /open (\S+) in a browser and enter the code (\S+)\n/.exec(text);
    if (!prompt || isAsked) return;
    isAsked = true;
    page = await ann.confirmDevice(prompt[1]!, prompt[2]!);
  });
  const [first, last] = [notes.split('\n')[0]!, notes.trim().split('\n').at(-1)!];
  return {
    came: { exit, asked: page?.includes('You are: Ann Example') ?? false, signedIn: last.startsWith('signed in to ') },
    lines: [
      ['runs', `placet ${LOGIN.join(' ')}`],
      ['says', first],
      ['reads', page ?? 'nothing'],
      ['says', last],
    ],
  };
}

/** A command, what it has said, and how it ended. */
async function shown(ran: Promise<Ran>, args: readonly string[]): Promise<Seen> {
  const { exit, output, notes } = await ran;
  return {
    came: { exit, output: output.trim() },
    lines: [
      ['runs', `placet ${args.join(' ')}`],
      ['says', `${(output + notes).trim().replace(/\s*\n\s*/g, ' | ')} (exit code ${exit})`],
    ],
  };
}

import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lookAt } from '../demo/answering.js';
import { answerOf } from '../demo/demos.js';
import { COLUMNS } from '../demo/layout.js';
import { DEMO_OPERATIONS } from '../demo/operations.js';
import type { DemoOutcome } from '../demo/outcome.js';
import { runDemo, type DemoReport } from '../demo/run.js';
import { PRIVATE_KEY } from '../demo/sandbox.js';

let report: DemoReport;
let transcript = '';

beforeAll(async () => {
  const write = (text: string) => void (transcript += text);
  report = await runDemo({ write, progress: () => undefined, colours: false });
}, 120_000);

afterAll(() => expect(existsSync(homeOf(transcript))).toBe(false));

const homeOf = (text: string): string => /^ +~ +(\S+)$/m.exec(text)![1]!;

const outcomeOf = (title: string): DemoOutcome => report.outcomes.find(({ operation }) => operation.title === title)!;

/** The lines of one operation. */
const blockOf = (title: string): string =>
  transcript.split('\n\n').find((block) => block.split('\n')[0]!.endsWith(`. ${title}`))!;

describe('the demo', () => {
  it('comes out as it says', () => {
    expect(report.surprises).toEqual([]);
    expect(report.outcomes).toHaveLength(DEMO_OPERATIONS.length);
  });

  // What the demo expects of itself is not what it is checked against here.
  it.each<[string, string, string, string | undefined]>([
    ['Connect to the file server', 'allow', 'allowed', 'connecting/employees'],
    ['Connect to a server that nobody has registered', 'deny', 'server_unknown', undefined],
    ['See what the file server can do', 'allow', 'allowed', 'connecting/employees'],
    ['Read a plan', 'allow', 'allowed', 'own-files/employees'],
    ['Write a file beside it', 'allow', 'allowed', 'own-files/employees'],
    ['Read the private key', 'deny', 'outside_boundary', undefined],
    ['Read the private key by way of the projects', 'deny', 'outside_boundary', undefined],
    ['The same, percent-encoded', 'deny', 'outside_boundary', undefined],
    ['Read notes that are a symbolic link to the private key', 'deny', 'obligation_failed', 'own-files/employees'],
    ['Echo a greeting', 'allow', 'allowed', 'everything/harmless-tools'],
    ['Echo a password', 'deny', 'denied_by_rule', 'everything/no-secrets-in-echo'],
    [
      'Read all environment variables, which the server calls harmless',
      'deny',
      'denied_by_rule',
      'no-environment/nobody',
    ],
    ['Add a number and a text', 'deny', 'arguments_invalid', undefined],
    ['Look up customers', 'allow', 'allowed', 'database/look-things-up'],
    ['Delete a customer', 'allow', 'allowed_by_consent', 'database/delete-with-consent'],
    ['The same once more, with the same approval', 'ask', 'consent_required', 'database/delete-with-consent'],
    ['Drop the table', 'deny', 'outside_boundary', undefined],
    ['Write to a colleague', 'allow', 'allowed', 'mail/employees'],
    ['Write to twelve people', 'ask', 'approval_required', 'mail/mass-mail-needs-a-person'],
    ["Read the customers of ann's own region", 'allow', 'allowed', 'customer-records/own-region'],
    ['Read the customers of another region', 'deny', 'no_rule_allows', undefined],
  ])('%s: %s, %s', (title, effect, code, rule) => {
    const { decision, came } = outcomeOf(title);
    expect(decision).toMatchObject({ effect, reason: { code } });
    expect(decision.rules.map(({ policy, rule: name }) => `${policy}/${name}`)).toEqual(
      rule === undefined ? [] : [rule],
    );
    expect(decision.evaluationId).toEqual(expect.any(String));
    expect(came !== undefined).toBe(effect === 'allow');

    const block = blockOf(title);
    expect(block).toContain(`answer  ${effect.toUpperCase()}`);
    expect(block.replace(/\s+/g, ' ')).toContain(code);
    if (rule !== undefined) expect(block).toContain(`rule    ${rule.replace('/', ' / ')}`);
    expect(block.includes('nothing was sent')).toBe(effect !== 'allow');
  });

  it('really reads a file, and really writes one', () => {
    expect(outcomeOf('Read a plan').came).toBe('# Plan\nShip on Friday.\n');
    expect(outcomeOf('Write a file beside it').came).toContain('Successfully wrote');
    expect(blockOf('Read a plan')).toContain('Ship on Friday.');
  });

  it('hides tools that could only be denied', () => {
    const { shownItems, hidden, came } = outcomeOf('See what the file server can do');
    const shown = ['get_file_info', 'list_directory', 'read_multiple_files', 'read_text_file', 'write_file'];
    expect(shownItems!.toSorted()).toEqual(shown);
    expect(came!.split(', ').sort()).toEqual(shown);
    expect(hidden).toEqual(expect.arrayContaining(['read_file', 'edit_file', 'move_file', 'directory_tree']));
  });

  it('says where the link leads that the policy could not know of', () => {
    const { message } = outcomeOf('Read notes that are a symbolic link to the private key').decision.reason;
    expect(message).toMatch(/Projects\/notes\.txt' leads to '.*\/\.ssh\/id_rsa'/);
  });

  it('lets nothing of what was not allowed reach the servers', () => {
    expect(report.journal).toEqual([
      'database-server query',
      'database-server delete_database_record',
      'mail-server send_email',
      'crm read db://customers/emea',
    ]);
    expect(transcript).not.toContain(PRIVATE_KEY);
  });

  it('has ann asked, deletes once she agrees, and asks again', () => {
    const block = blockOf('Delete a customer').replace(/\s+/g, ' ');
    expect(block).toMatch(/answer ASK .*consent_required.* shown .* id = 41.* ann agrees.* answer ALLOW/);
    expect(block).toContain('The application of the quickstart wants to use the tool delete_database_record');
    expect(outcomeOf('Delete a customer').came).toBe('record 41 is gone');
    const again = outcomeOf('The same once more, with the same approval');
    expect(again.decision).toMatchObject({ effect: 'ask', approval: { state: 'used', reason: 'consent_used' } });
    expect(blockOf('The same once more, with the same approval')).toContain('approval that was named is used');
  });

  it('has nobody agree to mail to many in the place of those who may', () => {
    const { ask, came, unanswered } = outcomeOf('Write to twelve people');
    expect([ask!.text, came, unanswered!.code]).toEqual([undefined, undefined, 'cancelled']);
    expect(blockOf('Write to twelve people')).toContain('may not answer it');
  });

  it('is readable in a terminal, and without colours where there is none', () => {
    expect(Math.max(...transcript.split('\n').map((line) => line.length))).toBeLessThanOrEqual(COLUMNS);
    expect(transcript).not.toContain('\u001b');
  });
});

describe('a demo that is interrupted', () => {
  it('leaves nothing behind', async () => {
    const controller = new AbortController();
    let text = '';
    const write = (block: string) => {
      text += block;
      if (text.includes(' 3. ')) controller.abort();
    };
    const run = runDemo({ write, progress: () => undefined, colours: false, signal: controller.signal });
    await expect(run).rejects.toThrow('aborted');
    expect(text).not.toContain(' 4. ');
    expect(existsSync(homeOf(text))).toBe(false);
  }, 120_000);
});

/** The command that stands in a transcript for a second terminal. */
const commandIn = (text: string): string[] | undefined =>
  /^npm run demo -- (answer http:\S+)$/m.exec(text)?.[1]!.split(' ');

describe('a demo that is answered at a second terminal', () => {
  it('waits, and takes no for an answer', async () => {
    let [text, answered] = ['', ''];
    const write = (block: string) => {
      text += block;
      const command = commandIn(text);
      if (answered !== '' || !command) return;
      answered = 'begun';
      const { page, answer } = answerOf([...command, '--no'])!;
      void lookAt(page).then(async (found) => (answered = await found!.answer(answer)));
    };
    const { surprises, journal, outcomes } = await runDemo({
      write,
      progress: () => undefined,
      colours: false,
      answers: 'elsewhere',
    });
    expect(surprises).toEqual([]);
    expect(answered).toBe('denied');
    expect(journal).toEqual(['database-server query', 'mail-server send_email', 'crm read db://customers/emea']);
    const refused = outcomes.find(({ operation }) => operation.title === 'Delete a customer')!;
    expect(refused).toMatchObject({ decision: { effect: 'ask' }, unanswered: { code: 'denied' } });
  }, 120_000);

  it('can be interrupted while it waits', async () => {
    const controller = new AbortController();
    let text = '';
    const write = (block: string) => {
      text += block;
      if (commandIn(text)) controller.abort();
    };
    const { signal } = controller;
    const run = runDemo({ write, progress: () => undefined, colours: false, answers: 'elsewhere', signal });
    await expect(run).rejects.toThrow('aborted');
    expect(text).not.toContain('once more');
    expect(existsSync(homeOf(text))).toBe(false);
  }, 120_000);
});

describe('the command for a second terminal', () => {
  const page = `http://127.0.0.1:8360/t/default/requests/cr_${'a'.repeat(22)}`;

  it.each<[string[], ReturnType<typeof answerOf>]>([
    [['answer', page], { page, answer: 'agree' }],
    [['answer', page, '--no'], { page, answer: 'refuse' }],
    [['answer', page, '--maybe'], undefined],
    [['answer', page, '--no', '--no'], undefined],
    [['answer'], undefined],
    [['answer', page.replace('127.0.0.1', 'placet.example.com')], undefined],
    [['answer', `${page}/../x`], undefined],
    [['sso', page], undefined],
  ])('%j', (args, expected) => expect(answerOf(args)).toEqual(expected));
});

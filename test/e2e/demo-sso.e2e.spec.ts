import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { demoOf } from '../demo/demos.js';
import { COLUMNS } from '../demo/layout.js';
import { runDemo } from '../demo/run.js';
import { runSamlDemo } from '../demo/saml/run.js';
import { runLdapDemo } from '../demo/sso/ldap.js';
import { runSsoDemo, type SsoReport } from '../demo/sso/run.js';
import { hasOpenLdap } from '../support/directories/open-ldap.js';
import { STEPS } from '../demo/sso/steps.js';

let report: SsoReport;
let transcript = '';

beforeAll(async () => {
  const write = (text: string) => void (transcript += text);
  report = await runSsoDemo({ write, progress: () => undefined, colours: false });
}, 180_000);

afterAll(() => expect(existsSync(keptIn(transcript))).toBe(false));

/** Where the command line kept its sign-in. */
const keptIn = (text: string): string => /keeps its sign-in in (\S+)$/m.exec(text)![1]!;

const cameOf = (title: RegExp) => [...report.came].find(([each]) => title.test(each))![1];

/** The lines of one step. */
const blockOf = (title: RegExp): string => transcript.split('\n\n').find((block) => title.test(block.split('\n')[0]!))!;

describe('the demo of single sign-on', () => {
  it('comes out as it says', () => {
    expect(report.surprises).toEqual([]);
    expect(report.came.size).toBe(STEPS.length);
  });

  // What the demo expects of itself is not what it is checked against here.
  it('signs a person in who administers by groups and claims', () => {
    expect(cameOf(/Ann signs in/)).toMatchObject({ name: 'Ann Example', roles: ['approver', 'policy-author'] });
    expect(blockOf(/Ann signs in/)).toMatch(/__Host-placet=\.\.\.; Path=\/; Secure; HttpOnly; SameSite=Lax/);
    expect(blockOf(/Ann signs in/)).toContain('user:company/ann');
  });

  it('lets a command line act for her, as far as she may', () => {
    expect(cameOf(/command line asks/)).toMatchObject({ exit: 0, signedIn: true });
    expect(blockOf(/command line asks/)).toMatch(/enter the code\s+[A-Z]{4}-[A-Z]{4}/);
    expect(cameOf(/reads the policies/)).toMatchObject({ exit: 0, output: 'Policy tickets (version 1)' });
    expect(cameOf(/nothing that she may not/)).toMatchObject({ exit: 1, output: '' });
    expect(blockOf(/nothing that she may not/)).toContain('no role that lets it read Key');
  });

  it.each([
    [/asks for Ann/, 'allow', 'allowed'],
    [/another tool/, 'deny', 'no_rule_allows'],
    [/For Bob, whose/, 'deny', 'no_rule_allows'],
    [/signature of somebody else/, 'deny', 'pdp_refused'],
    [/is suspended/, 'deny', 'pdp_refused'],
    [/goes on/, 'deny', 'pdp_refused'],
  ])('decides by what a token proves: %s: %s, %s', (title, effect, code) => {
    expect(cameOf(title)).toMatchObject({ effect, code });
    const block = blockOf(title);
    expect(block).toContain(`answer  ${effect.toUpperCase()}`);
    expect(block.replace(/\s+/g, ' ')).toContain(code);
  });

  it('says how a role was reached', () => {
    expect(blockOf(/asks for Ann/)).toContain('role developer: held (user:company/ann by mapping company/engineering)');
    expect(blockOf(/For Bob, whose/)).toContain('role developer: not held');
  });

  it('takes everything from who is suspended, and does not give it back', () => {
    expect(cameOf(/is suspended/)).toMatchObject({ session: 401, exit: 1, signIn: 403 });
    expect(cameOf(/goes on/)).toMatchObject({ session: 401, exit: 1, signIn: 303, name: 'Ann Example' });
    expect(cameOf(/signs out/)).toEqual({ upstream: true, session: 401 });
  });

  it('is readable in a terminal, without colours where there is none, and without secrets', () => {
    expect(Math.max(...transcript.split('\n').map((line) => line.length))).toBeLessThanOrEqual(COLUMNS);
    expect(transcript).not.toContain('\u001b');
    expect(transcript).not.toMatch(/eyJ|placet_dev_|__Host-placet=(?!\.\.\.)/);
  });
});

describe('a demo of single sign-on that is interrupted', () => {
  it('leaves nothing behind', async () => {
    const controller = new AbortController();
    let text = '';
    const write = (block: string) => {
      text += block;
      if (text.includes(' 2. ')) controller.abort();
    };
    const run = runSsoDemo({ write, progress: () => undefined, colours: false, signal: controller.signal });
    await expect(run).rejects.toThrow('aborted');
    expect(text).not.toContain(' 3. ');
    expect(existsSync(keptIn(text))).toBe(false);
  }, 180_000);
});

describe('the demo of SAML', () => {
  it('comes out as it says, without a secret in what it shows', async () => {
    let text = '';
    const write = (block: string) => void (text += block);
    const { surprises, came } = await runSamlDemo({ write, progress: () => undefined, colours: false });
    expect(surprises).toEqual([]);
    const statuses = [...came.values()].map(({ status }) => status);
    expect(statuses).toEqual([200, 400, 400, 403, 403, 200, 403]);
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(COLUMNS);
    expect(text).not.toMatch(/__Host-placet=(?!\.\.\.)|BEGIN/);
  }, 180_000);
});

describe('the name of a demo', () => {
  it.each([
    [[], runDemo],
    [['sso'], runSsoDemo],
    [['sso', '--saml'], runSamlDemo],
    [['--saml'], undefined],
    [['sso', '--ldap'], runLdapDemo],
    [['toString'], undefined],
    [['sso', 'twice'], undefined],
  ])('%j', (args, demo) => expect(demoOf(args)).toBe(demo));
});

describe('the demo of sign-in by a directory', () => {
  const run = async () => {
    let text = '';
    const options = { progress: () => undefined, colours: false };
    const { surprises } = await runLdapDemo({ ...options, write: (block) => void (text += block) });
    return { surprises, text };
  };

  it.skipIf(!hasOpenLdap)(
    `comes out as it says${hasOpenLdap ? '' : ' (OpenLDAP is not installed here)'}`,
    async () => {
      const { surprises, text } = await run();
      expect(surprises).toEqual([]);
      expect(text).toContain('The user name or the password is wrong');
      expect(text).not.toContain('pw-of-ann');
    },
    180_000,
  );

  it.skipIf(hasOpenLdap)('says what it needs where that is missing', async () => {
    expect((await run()).surprises).toEqual([expect.stringContaining('slapd')]);
  });
});

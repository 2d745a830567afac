import type { GivenAnswer } from './answering.js';
import type { DemoOptions, DemoVerdict } from './demo.js';
import { runDemo } from './run.js';
import { runSamlDemo } from './saml/run.js';
import { runLdapDemo } from './sso/ldap.js';
import { runSsoDemo } from './sso/run.js';

type Demo = (options: DemoOptions) => Promise<DemoVerdict>;

/** Demos by name; the one of the quickstart has none. */
const DEMOS: Readonly<Record<string, Demo>> = {
  '': runDemo,
  '--yes': runDemo,
  sso: runSsoDemo,
  'sso --saml': runSamlDemo,
  'sso --ldap': runLdapDemo,
};

/** The demo that a command line means; undefined: there is none. */
export function demoOf(words: readonly string[]): Demo | undefined {
  const name = words.join(' ');
  return Object.hasOwn(DEMOS, name) ? DEMOS[name] : undefined;
}

/** An answer to what a demo asks. */
export interface AnswerCommand {
  /** Where the request is looked at. */
  readonly page: string;
  readonly answer: GivenAnswer;
}

/** The answer that a command line at a second terminal means; undefined: it means none. */
export function answerOf([name, page = '', ...flags]: readonly string[]): AnswerCommand | undefined {
  const refuses = flags.length === 1 && flags[0] === '--no';
  if (name !== 'answer' || !PAGE.test(page) || (flags.length > 0 && !refuses)) return undefined;
  return { page, answer: refuses ? 'refuse' : 'agree' };
}

/** Only of this machine: somebody is signed in there. */
const PAGE = /^http:\/\/127\.0\.0\.1:\d+\/t\/default\/requests\/cr_[A-Za-z0-9_-]{22}$/;

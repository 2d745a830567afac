import { setTimeout as after } from 'node:timers/promises';
import type { Api } from '../api.js';
import { openPage } from '../open-page.js';
import { EXIT, plain, type Output } from '../output.js';
import { UsageError } from '../usage.js';
import { linesOf, type Trial } from './mappings.js';

export interface TestOptions {
  /** Whether somebody tries to sign in, besides. */
  readonly signIn: boolean;
  readonly browser: boolean;
  /** For how long that is waited for, in seconds. */
  readonly wait: string;
  readonly json: boolean;
}

interface Step {
  readonly step: string;
  readonly outcome: 'ok' | 'failed' | 'unknown';
  readonly found: string;
  readonly mend?: string;
}

interface SignInTest {
  readonly state: 'waiting' | 'sent' | 'over';
  readonly steps: readonly Step[];
  readonly refused: string | null;
  readonly came: (Trial & { readonly claims: Readonly<Record<string, unknown>> | null }) | null;
}

/** Between two looks at how far a browser has come, in ms. */
const EVERY_MS = 500;

/**
 * `idp test ISSUER`: tries a way to sign in step by step, without a person and, where that is wanted, with one at a browser.
 * Nobody is signed in by it.
 */
export async function testIssuer(api: Api, output: Output, issuer: string, options: TestOptions): Promise<number> {
  const limit = secondsOf(options.wait);
  const told = new Told(output, options.json);
  const examined = await api.post<{ protocol: string; steps: readonly Step[] }>(`${pathOf(issuer)}/examine`, {});
  told.steps(examined.steps);
  const test = options.signIn ? await tried(api, output, issuer, options, limit, told) : undefined;
  if (options.json) output.line(JSON.stringify({ issuer, ...examined, ...(test ? { test } : {}) }, null, 2));
  return told.hasFailed ? EXIT.failure : EXIT.ok;
}

async function tried(
  api: Api,
  output: Output,
  issuer: string,
  { browser }: TestOptions,
  limit: number,
  told: Told,
): Promise<SignInTest> {
  const { id, url } = await api.post<{ id: string; url: string }>(`${pathOf(issuer)}/sign-in-tests`, {});
  output.note(`open ${plain(url)} in a browser and sign in there: nobody will be signed in here`);
  if (browser) openPage(url);
  const until = performance.now() + limit * 1000;
  let shown = 0;
  for (;;) {
    const test = await api.get<SignInTest>(`/api/v1/sign-in-tests/${encodeURIComponent(id)}`);
    told.steps(test.steps.slice(shown));
    if (shown === 0 && test.state === 'sent')
      output.note(
        'the browser was sent on its way: if it shows an error there and does not come back, that is what is wrong',
      );
    shown = test.steps.length;
    if (test.state === 'over') {
      told.end(issuer, test);
      return test;
    }
    if (performance.now() > until) {
      const missing = missingOf(test.state, limit);
      told.steps([missing]);
      return { ...test, steps: [...test.steps, missing] };
    }
    await after(EVERY_MS);
  }
}

const pathOf = (issuer: string): string => `/api/v1/issuers/${encodeURIComponent(issuer)}`;

/** What has not happened in time. */
const missingOf = (state: SignInTest['state'], limit: number): Step =>
  state === 'sent'
    ? {
        step: 'response',
        outcome: 'failed',
        found: `the browser did not come back within ${limit} s`,
        mend: 'look at the page that it shows: a redirect URI or a client that the provider does not know ends there',
      }
    : {
        step: 'request',
        outcome: 'failed',
        found: `nobody has opened the address within ${limit} s`,
        mend: 'open it, or look at PLACET_PUBLIC_URL where it leads nowhere',
      };

/** Tells steps as they come, and remembers whether one failed. */
class Told {
  hasFailed = false;

  constructor(
    private readonly output: Output,
    private readonly isQuiet: boolean,
  ) {}

  steps(steps: readonly Step[]): void {
    for (const { step, outcome, found, mend } of steps) {
      this.hasFailed ||= outcome === 'failed';
      if (this.isQuiet) continue;
      this.output.line(`${outcome.padEnd(8)} ${step.padEnd(22)} ${plain(found)}`);
      if (mend !== undefined) this.output.line(`${' '.repeat(32)}mend: ${plain(mend)}`);
    }
  }

  /** Who it was, and what they would get. */
  end(issuer: string, { refused, came }: SignInTest): void {
    this.hasFailed ||= refused !== null;
    if (this.isQuiet) return;
    this.output.line('');
    if (refused !== null) this.output.line(`nobody would be signed in: ${plain(refused)}`);
    if (!came) return;
    const { claims, ...trial } = came;
    for (const line of linesOf({ issuer, ...trial })) this.output.line(plain(line));
    for (const [name, value] of Object.entries(claims ?? {}))
      this.output.line(plain(`claim ${name}: ${JSON.stringify(value)}`));
    if (refused === null) this.output.line('somebody would be signed in; it was a test, and nobody was');
  }
}

function secondsOf(text: string): number {
  if (/^[1-9]\d{0,2}$/.test(text) && Number(text) <= 900) return Number(text);
  throw new UsageError('--wait needs a number of seconds up to 900');
}

import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { SignInError, type Attempt, type Connector, type Received, type VerifiedSignIn } from './connector.js';

// The example of docs/connectors.md, as it stands there.
// begin
/** As much of a passport strategy as is needed; it takes a request and calls one of the functions that it is given. */
interface Strategy {
  authenticate(request: object, options: object): void;
}

/** What a strategy comes to: the browser is sent elsewhere, or somebody is known. */
type Outcome = { readonly redirect: string } | { readonly user: { readonly id: string; readonly name: string } };

/** Runs a strategy once. A copy of it for each request, as passport itself makes them: it keeps what it is given. */
const run = (strategy: Strategy, request: object): Promise<Outcome> =>
  new Promise((resolve, reject) => {
    const refuse = (why: unknown) => reject(new SignInError('provider_refused', String(why)));
    const one = Object.assign(Object.create(strategy) as Strategy, {
      redirect: (url: string) => resolve({ redirect: url }),
      success: (user: { id: string; name: string }) => resolve({ user }),
      fail: refuse,
      error: refuse,
      pass: () => refuse('the strategy takes no part'),
    });
    one.authenticate(request, {});
  });

/** A way to sign in by any strategy of passport. It finds what it put into `session` again: that is the attempt's own. */
class PassportConnector implements Connector {
  readonly kind = 'passport';

  constructor(
    readonly name: string,
    private readonly strategy: Strategy,
  ) {}

  async begin({ secrets }: Attempt): Promise<URL> {
    const outcome = await run(this.strategy, { query: {}, session: { state: secrets.state } });
    if ('redirect' in outcome) return new URL(outcome.redirect);
    throw new SignInError('provider_refused', 'somebody is known before anybody was asked');
  }

  async finish({ url }: Received, { secrets }: Attempt): Promise<VerifiedSignIn> {
    const query = Object.fromEntries(url.searchParams);
    const outcome = await run(this.strategy, { query, session: { state: secrets.state } });
    if (!('user' in outcome)) throw new SignInError('response_invalid', 'the strategy asks again');
    const { id, name } = outcome.user;
    return {
      issuer: this.name,
      subject: { type: 'user', id: `${this.name}/${id}` },
      claims: { sub: id },
      name,
      email: null,
      upstreamSession: null,
      assurance: { acr: null, amr: [], authTime: null },
      evidence: hash('sha256', url.search, 'base64url'),
      logoutHint: null,
    };
  }
}
// end

/** A strategy of the smallest kind: whoever comes back with the state is who they say. */
const tiny: Strategy & Record<string, unknown> = {
  authenticate(
    this: { redirect(url: string): void; success(user: object): void; fail(why: string): void },
    { query, session }: { query: Record<string, string>; session: { state: string } },
  ) {
    if (query['who'] === undefined) return this.redirect(`https://company.example/in?state=${session.state}`);
    if (query['state'] !== session.state) return this.fail('another state');
    this.success({ id: query['who'], name: 'Ann' });
  },
};

const attempt: Attempt = {
  callback: 'https://placet.example/t/default/sign-in/tiny/callback',
  secrets: { state: 's', nonce: 'n', verifier: 'v' },
  demand: { acr: [], maxAge: null },
};
const back = (query: string): Received => ({ method: 'GET', url: new URL(`${attempt.callback}?${query}`) });

describe('a passport strategy as a connector', () => {
  const connector = new PassportConnector('tiny', tiny);

  it('sends the browser on, and knows who comes back', async () => {
    expect((await connector.begin(attempt)).href).toBe('https://company.example/in?state=s');
    expect(await connector.finish(back('who=ann&state=s'), attempt)).toMatchObject({
      issuer: 'tiny',
      subject: { type: 'user', id: 'tiny/ann' },
    });
  });

  it('refuses what the strategy refuses', async () => {
    await expect(connector.finish(back('who=ann&state=x'), attempt)).rejects.toMatchObject({ name: 'SignInError' });
    await expect(connector.finish(back(''), attempt)).rejects.toMatchObject({ reason: 'response_invalid' });
  });

  it('is the example of the documentation', () => {
    const [, example] = readFileSync(import.meta.filename, 'utf8').split(/^\/\/ (?:begin|end)$/m);
    expect(readFileSync('docs/connectors.md', 'utf8')).toContain(example!.trim());
  });
});

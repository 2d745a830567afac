import type { Cookies } from './browser.js';
import type { TestService } from './service.js';

/** One look, as the service tells it. */
interface ToldStep {
  readonly step: string;
  readonly outcome: 'ok' | 'failed' | 'unknown';
  readonly found: string;
  readonly mend?: string;
}

/** A test of a sign-in, as the service tells it. */
export interface ToldTest {
  readonly state: string;
  readonly steps: readonly ToldStep[];
  readonly refused: string | null;
  readonly came: Readonly<Record<string, unknown>> | null;
}

/** What is tried of an Issuer without a person. */
export async function examined(service: TestService, issuer = 'company'): Promise<readonly ToldStep[]> {
  const { status, body } = await service.call('POST', `/api/v1/issuers/${issuer}/examine`);
  if (status !== 200) throw new Error(JSON.stringify(body));
  return body.steps as ToldStep[];
}

/** Steps that are not good, as in `failed tls`. */
export const faults = (steps: readonly ToldStep[]): string[] =>
  steps.filter(({ outcome }) => outcome !== 'ok').map(({ outcome, step }) => `${outcome} ${step}`);

/** Begins a test, as an administrator. */
export async function begunTest(service: TestService, issuer = 'company', key = service.owner) {
  const { status, body } = await service.call('POST', `/api/v1/issuers/${issuer}/sign-in-tests`, { key });
  if (status !== 201) throw new Error(JSON.stringify(body));
  return body as { readonly id: string; readonly url: string };
}

/** What a test has come to. */
export async function toldTest(service: TestService, id: string, url = service.url): Promise<ToldTest> {
  const { status, body } = await service.call('GET', `/api/v1/sign-in-tests/${id}`, { url });
  if (status !== 200) throw new Error(JSON.stringify(body));
  return body as ToldTest;
}

/** Opens the address of a test in a browser and begins it: where the browser is sent to. */
export async function sentOn(cookies: Cookies, url: string): Promise<string> {
  const page = await (await cookies.fetch(url)).text();
  const id = /name="id" value="([^"]+)"/.exec(page)?.[1];
  if (id === undefined) throw new Error(`there is no test to begin: ${page}`);
  const { origin, pathname } = new URL(url);
  const answer = await cookies.fetch(origin + pathname, {
    method: 'POST',
    body: new URLSearchParams({ id }),
    headers: { Origin: origin },
  });
  const to = /^0; url=(.+)$/.exec(answer.headers.get('refresh') ?? '')?.[1];
  if (to === undefined) throw new Error(`${answer.status}: ${await answer.text()}`);
  return to;
}

/** What there must be no more of after a test than before. */
export async function traces(service: TestService): Promise<Record<string, number>> {
  const client = await service.database.connect('superuser');
  try {
    const { rows } = await client.query<Record<string, number>>(
      `select (select count(*)::int from placet.session) as sessions, (select count(*)::int from placet.person) as people,
         (select count(*)::int from placet.oauth_state) as tokens, (select max(revision)::int from placet.tenant_state) as revision`,
    );
    return rows[0]!;
  } finally {
    await client.end();
  }
}

import { randomBytes } from 'node:crypto';
import { startService, type Service } from '../../apps/server/src/service.js';
import type { ServiceOptions } from '../../apps/server/src/service-options.js';
import { Log } from '../../apps/server/src/operations/log.js';
import { generateApiKey, type KeyCheck } from '#identity';
import { freshDatabase, type TestDatabase } from './database.js';
import { MadeSecrets } from './secrets.js';

/** A whole service of one spec's own: its database, its HTTP server, and the keys of its owner and of a host. */
export interface TestService {
  readonly url: string;
  readonly database: TestDatabase;
  readonly owner: string;
  /** What it holds credentials against. */
  readonly keyCheck: KeyCheck;
  /** The key of the quickstart's host, if the quickstart was loaded. */
  readonly host: string;
  /** Every line of the log so far. */
  readonly log: readonly string[];
  /** What must not be in it: every secret that went over the wire is added; others can be. Looked for at the end. */
  readonly secrets: MadeSecrets;
  /** Another replica on the same database. */
  replica(over?: Partial<ServiceOptions>): Promise<Service>;
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  /** Another tenant on the same service, with a host that may speak for everybody. */
  secondTenant(name?: string): Promise<TestTenant>;
  close(): Promise<void>;
}

export interface TestTenant {
  readonly id: string;
  readonly name: string;
  readonly owner: string;
  readonly host: string;
  /** As its owner. */
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
}

interface CallOptions {
  readonly key?: string | null;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly url?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- what comes over the wire is looked at, not relied on
  readonly body: any;
}

/** What a spec may set. */
export type TestOptions = Partial<
  Pick<
    ServiceOptions,
    | 'quickstart'
    | 'trustedProxies'
    | 'attempts'
    | 'secrets'
    | 'tenantIdleMinutes'
    | 'sweepEveryMs'
    | 'privateIdentityProviders'
    | 'webhookHosts'
    | 'privateWebhooks'
    | 'notifyEveryMs'
    | 'devicePollSeconds'
  >
>;

export async function startTestService({ quickstart = true, ...options }: TestOptions = {}): Promise<TestService> {
  const database = await freshDatabase();
  const pepper = randomBytes(32);
  const owner = generateApiKey('test').text;
  const secrets = new MadeSecrets();
  secrets.add(owner, pepper.toString('hex'), pepper.toString('base64'), new URL(database.address.url).password);
  const log: string[] = [];
  const start = (bootstrapKey?: string, over: Partial<ServiceOptions> = {}) =>
    startService({
      ...options,
      host: '127.0.0.1',
      port: 0,
      publicUrl: undefined,
      environment: 'test',
      bootstrapKey,
      quickstart,
      database: database.address,
      pepper,
      log: new Log('info', (line) => log.push(line)),
      ...over,
    });
  const services = [await start(owner)];
  const { url, firstKeys } = services[0]!;
  secrets.add(firstKeys.quickstartHost);
  return {
    url,
    database,
    owner,
    keyCheck: { pepper, environment: 'test' },
    host: firstKeys.quickstartHost ?? '',
    log,
    secrets,
    async replica(over) {
      const service = await start(undefined, over);
      services.push(service);
      return service;
    },
    async call(method, path, given = {}) {
      const made = { key: owner, ...given };
      secrets.addFrom(made);
      const answer = await call(made.url ?? url, method, path, made);
      secrets.addFrom(answer.body);
      return answer;
    },
    secondTenant: (name = 'second') => tenantOf(url, owner, name),
    async close() {
      await Promise.all(services.map((service) => service.stop()));
      await database.close();
      const leaks = secrets.foundIn(log);
      if (leaks.length > 0) throw new Error(`the log has secrets in it: ${leaks[0]}`);
    },
  };
}

async function tenantOf(url: string, operator: string, name: string): Promise<TestTenant> {
  const made = await call(url, 'POST', '/api/v1/tenants', { key: operator, body: { name } });
  if (made.status !== 201) throw new Error(JSON.stringify(made.body));
  const owner = made.body.owner_key.key as string;
  const asOwner: TestTenant['call'] = (method, path, options = {}) =>
    call(options.url ?? url, method, path, { key: owner, ...options });
  await asOwner('PUT', '/api/v1/documents/Host/desk', { body: { kind: 'Host', name: 'desk' } });
  const rights = { subjects: ['*'], subjectProperties: ['*'], resourceProperties: ['*'], explain: true };
  const key = await asOwner('POST', '/api/v1/keys', { body: { host: 'desk', rights } });
  if (key.status !== 201) throw new Error(JSON.stringify(key.body));
  return { id: made.body.id, name, owner, host: key.body.key, call: asOwner };
}

/** A call as a client would make it. A text or bytes are sent as they are, anything else as JSON; a null key sends none. */
async function call(
  url: string,
  method: string,
  path: string,
  { key, body, headers = {} }: CallOptions,
): Promise<Answer> {
  const raw = typeof body === 'string' || body instanceof Uint8Array;
  const response = await fetch(url + path, {
    method,
    redirect: 'manual',
    headers: {
      ...(key ? { Authorization: `Bearer ${key}` } : {}),
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: raw ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const json = /[/+]json/.test(response.headers.get('content-type') ?? '');
  return { status: response.status, headers: response.headers, body: json ? JSON.parse(text) : text };
}

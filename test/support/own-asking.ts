import type { Cookies } from './browser.js';
import { startCompany, type Company } from './signed-in.js';
import type { Answer } from './service.js';
import type { TestOptions } from './service.js';

/** A company whose host `desk` asks people about the tool `send` of the server `mail`. */
export interface AskingCompany extends Company {
  /** Of the host. */
  readonly key: string;
  /** What the host asks, as a decision. */
  decide(asked?: Asked): Promise<Answer['body']>;
  /** Asks for what a decision asks; the id of the request. */
  ask(asked?: Asked): Promise<string>;
  /** A person's call with the cookie of their session, from a page of ours. */
  as(who: Cookies, method: string, path: string, body?: unknown): Promise<Answer>;
  /** Somebody answers a request. */
  answer(who: Cookies, id: string, given?: object, route?: string): Promise<Answer>;
}

export interface Asked {
  readonly arguments?: object;
  readonly approval?: string;
  readonly subject?: string;
  readonly tool?: object;
  readonly server?: string;
}

export const DEFINITION = { name: 'send', description: 'Sends a mail', inputSchema: { type: 'object' } };

/** The policy that asks: of everybody who calls a tool of the server, by a consent block. */
export const askingPolicy = (consent: object, over: object = {}) => ({
  kind: 'Policy',
  name: 'mail',
  target: { servers: ['*'], actions: ['tools/call'], resources: ['*'] },
  rules: [
    { name: 'all', effect: 'allow', to: ['any'] },
    { name: 'consent', effect: 'ask', to: ['any'], consent },
  ],
  ...over,
});

export async function startAsking(options: TestOptions = {}): Promise<AskingCompany> {
  const company = await startCompany(options);
  await company.apply(
    { kind: 'Tenant', name: 'default', defaults: { effect: 'deny', hostScope: {} } },
    { kind: 'Host', name: 'desk', title: 'Desk' },
    { kind: 'Server', name: 'mail', title: 'Mail', identity: { url: 'https://mail.example.com/mcp' } },
    { kind: 'Role', name: 'lead' },
    { kind: 'Binding', name: 'leads', subjects: ['user:company/bob'], roles: ['lead'] },
  );
  const made = await company.service.call('POST', '/api/v1/keys', {
    body: { host: 'desk', rights: { subjects: ['*'] } },
  });
  const key = made.body.key as string;
  const call = (path: string, body: unknown) => company.service.call('POST', path, { key, body });
  const asking: AskingCompany = {
    ...company,
    key,
    async decide(asked = {}) {
      const answer = await call('/mcp/v1/decisions', message(asked));
      if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
      return answer.body;
    },
    async ask(asked = {}) {
      const { evaluation_id } = await asking.decide(asked);
      const opened = await call('/access/v1/requests', { denial: { evaluation_id }, mcp: message(asked) });
      if (opened.status !== 201) throw new Error(JSON.stringify(opened.body));
      return opened.body.task.id as string;
    },
    async as(who, method, path, body) {
      const response = await who.fetch(company.service.url + path, {
        method,
        headers: {
          'Placet-Request': '1',
          'Sec-Fetch-Site': 'same-origin',
          ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      const isJson = /[/+]json/.test(response.headers.get('content-type') ?? '');
      return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
    },
    async answer(who, id, given = {}, route = 'me/requests') {
      const found = await asking.as(who, 'GET', `/api/v1/${route}/${id}`);
      const shown = found.body.shown_digest as string;
      return asking.as(who, 'POST', `/api/v1/${route}/${id}/answer`, { answer: 'agree', shown, ...given });
    },
  };
  return asking;
}

const message = ({
  arguments: given = { to: 'eve' },
  approval,
  subject = 'company/ann',
  tool,
  server = 'mail',
}: Asked) => ({
  subject: { type: 'user', id: subject },
  server,
  direction: 'client_to_server',
  message: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'send', arguments: given } },
  tool: tool ?? { definition: DEFINITION },
  ...(approval === undefined ? {} : { approval: { id: approval } }),
});

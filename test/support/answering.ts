import { type Cookies } from './browser.js';
import { startCompany, type Company } from './signed-in.js';
import type { Answer, TestOptions } from './service.js';

const DEFINITION = { name: 'send', description: 'Sends a mail', inputSchema: { type: 'object' } };

/** What a decision is asked about: the tool `send` of the server `mail`, on behalf of Ann. */
interface Asked {
  readonly arguments?: object;
  readonly approval?: string;
  readonly subject?: string;
}

/** A company whose policy asks, with a host that does. */
export interface Asking extends Company {
  /** The key of the host. */
  readonly key: string;
  /** Lets the tool be used with consent of this kind alone; what was agreed to before is agreed to no more. */
  asks(consent: object): Promise<void>;
  decide(asked?: Asked): Promise<Answer['body']>;
  /** Asks people for what a decision asks. Returns the id of the request. */
  request(asked?: Asked): Promise<string>;
  /** Where a request stands, for the host. */
  status(id: string): Promise<string>;
  /** A request to a page, as by a link, or with the form of a page of ours. */
  page(who: Cookies, path: string, form?: Record<string, string>, headers?: Record<string, string>): Promise<Page>;
}

export interface Page {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

export async function startAsking(options: TestOptions = {}): Promise<Asking> {
  const company = await startCompany(options);
  await company.apply(
    { kind: 'Tenant', name: 'default', defaults: { effect: 'deny', hostScope: {} } },
    { kind: 'Host', name: 'desk', title: 'Desk' },
    { kind: 'Server', name: 'mail', title: 'Mail' },
    { kind: 'Role', name: 'lead' },
    { kind: 'Binding', name: 'leads', subjects: ['user:company/bob'], roles: ['lead'] },
  );
  const { service } = company;
  const made = await service.call('POST', '/api/v1/keys', { body: { host: 'desk', rights: { subjects: ['*'] } } });
  const key = made.body.key as string;
  const call = (method: string, path: string, body?: unknown) =>
    service.call(method, path, { key, ...(body === undefined ? {} : { body }) });
  const message = ({ arguments: given = { to: 'eve' }, approval, subject = 'company/ann' }: Asked) => ({
    subject: { type: 'user', id: subject },
    server: 'mail',
    direction: 'client_to_server',
    message: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'send', arguments: given } },
    tool: { definition: DEFINITION },
    ...(approval === undefined ? {} : { approval: { id: approval } }),
  });
  let round = 0;
  const asking: Asking = {
    ...company,
    key,
    asks: (consent) =>
      company.apply({
        kind: 'Policy',
        name: 'mail',
        target: { servers: ['mail'], actions: ['tools/call'], resources: ['*'] },
        rules: [
          { name: 'all', effect: 'allow', to: ['any'] },
          // With another name nothing is joined, and nothing that was agreed to counts.
          { name: `ask-${round++}`, effect: 'ask', to: ['any'], consent },
        ],
      }),
    decide: async (asked = {}) => (await call('POST', '/mcp/v1/decisions', message(asked))).body,
    async request(asked = {}) {
      const { evaluation_id } = await asking.decide(asked);
      const opened = await call('POST', '/access/v1/requests', { denial: { evaluation_id }, mcp: message(asked) });
      if (opened.status !== 201) throw new Error(JSON.stringify(opened.body));
      return opened.body.task.id as string;
    },
    status: async (id) => (await call('GET', `/access/v1/requests/${id}`)).body.task.status as string,
    async page(who, path, form, headers = { 'Sec-Fetch-Site': 'same-origin', Origin: 'null' }) {
      const answer = await who.fetch(service.url + path, {
        ...(form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) }),
        headers: form === undefined ? {} : headers,
      });
      return { status: answer.status, headers: answer.headers, text: await answer.text() };
    },
  };
  return asking;
}

/** The hidden fields of the first form of a page. */
export function fieldsOf({ text }: Page): Record<string, string> {
  const form = /<form[^]*?<\/form>/.exec(text)?.[0] ?? '';
  const fields = [...form.matchAll(/<input\s+type="hidden"\s+name="([^"]*)"\s+value="([^"]*)"/g)];
  return Object.fromEntries(fields.map(([, name, value]) => [name!, value!]));
}

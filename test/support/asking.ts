import { expect } from 'vitest';
import { SESSION_COOKIE } from '#identity';
import type { Cookies } from './browser.js';
import type { Answer, TestOptions } from './service.js';
import { startCompany, type Company } from './signed-in.js';

/** The tool that everything here is about, as its server declares it. */
export const SEND = { name: 'send', description: 'Sends a mail', inputSchema: { type: 'object' } };

/** What a host asks, and how: what is left out is as in every other question. */
export interface Asked {
  readonly front?: 'mcp' | 'authzen';
  /** Of the replica. */
  readonly url?: string;
  readonly key?: string;
  readonly arguments?: object;
  readonly approval?: string;
  /** The id of a user. */
  readonly subject?: string;
  readonly session?: string;
  readonly server?: string;
  readonly agent?: string;
  readonly purpose?: string;
  readonly definition?: object;
  /** Of a retry: the evaluation that it goes on with, and what the server said that it is to send. */
  readonly continues?: string;
  readonly requestState?: string;
}

/** An answer, as either front gives it. */
export interface Said {
  readonly effect: 'allow' | 'deny' | 'ask';
  readonly reason: string;
  readonly id: string;
  /** What is said of the approval that was named, and of the evaluation. */
  readonly approval?: { readonly state?: string; readonly reason?: string; readonly next_action?: string };
  readonly continues?: { readonly evaluation_id: string; readonly state: string };
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- what comes over the wire is looked at, not relied on
  readonly body: any;
}

/** A company whose people are asked before mails are sent by the host `desk`; Bob has the role `lead`. */
export interface AskingCompany extends Company {
  /** The key of the host `desk`. */
  readonly key: string;
  /** Lets mails be sent with consent of this kind alone; what was agreed to before is agreed to no more. */
  asks(...consents: readonly object[]): Promise<void>;
  decide(asked?: Asked): Promise<Said>;
  /** Asks people for what a decision asks. */
  request(asked?: Asked): Promise<Answer>;
  /** As `request`, where it is opened or joined; the id of the request. */
  ask(asked?: Asked): Promise<string>;
  /** Where a request stands, for the host. */
  status(id: string): Promise<string>;
  /** The id of a request that has been agreed to by somebody. */
  approved(who: Cookies, asked?: Asked, given?: Given): Promise<string>;
  answer(who: Cookies, id: string, given?: Given): Promise<Pick<Answer, 'status' | 'body'>>;
  /** A person's call with the cookie of their session, from a page of ours. */
  as(who: Cookies, method: string, path: string, body?: unknown, url?: string): Promise<Answer>;
  keyOf(host: string, rights?: object): Promise<string>;
}

/** What somebody answers, and where: what is left out is to agree, at the first replica. */
export interface Given {
  readonly answer?: 'agree' | 'refuse';
  readonly choice?: object;
  readonly break_glass?: string;
  readonly url?: string;
  readonly route?: 'me/requests' | 'approvals';
}

/** The policy `mail`, by which everybody may send, with further rules. */
export const mailPolicy = (...rules: object[]) => ({
  kind: 'Policy',
  name: 'mail',
  target: { servers: ['mail'], actions: ['tools/call'], resources: ['*'] },
  rules: [{ name: 'all', effect: 'allow', to: ['any'] }, ...rules],
});

export const askingRule = (consent: object, name = 'consent') => ({ name, effect: 'ask', to: ['any'], consent });

export async function startAskingCompany(options: TestOptions = {}): Promise<AskingCompany> {
  const company = await startCompany(options);
  const { service } = company;
  await company.apply(
    { kind: 'Tenant', name: 'default', defaults: { effect: 'deny', hostScope: {} } },
    { kind: 'Host', name: 'desk', title: 'Desk' },
    { kind: 'Server', name: 'mail', title: 'Mail' },
    { kind: 'Role', name: 'lead' },
    { kind: 'Binding', name: 'leads', subjects: ['user:company/bob'], roles: ['lead'] },
  );
  const keyOf: AskingCompany['keyOf'] = async (host, rights = {}) => {
    const body = { host, rights: { subjects: ['*'], ...rights } };
    return (await service.call('POST', '/api/v1/keys', { body })).body.key as string;
  };
  const key = await keyOf('desk');
  const as: AskingCompany['as'] = async (who, method, path, body, url = service.url) => {
    // Replicas have one name for browsers, and here several.
    who.put(url, SESSION_COOKIE, who.get(service.url, SESSION_COOKIE) ?? '');
    const response = await who.fetch(url + path, {
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
  };
  let round = 0;
  const asking: AskingCompany = {
    ...company,
    key,
    keyOf,
    as,
    // With another name nothing is joined, and nothing that was agreed to counts.
    asks: (...consents) => company.apply(mailPolicy(...consents.map((each) => askingRule(each, `ask-${round++}`)))),
    async decide(asked = {}) {
      const path = asked.front === 'authzen' ? '/access/v1/evaluation' : '/mcp/v1/decisions';
      const body = asked.front === 'authzen' ? evaluationOf(asked) : messageOf(asked);
      const answer = await service.call('POST', path, { key: asked.key ?? key, body, url: asked.url ?? service.url });
      expect(answer.status, JSON.stringify(answer.body)).toBe(200);
      return saidBy(answer.body);
    },
    async request(asked = {}) {
      const { id } = await asking.decide(asked);
      const denial = { evaluation_id: id };
      const body = asked.front === 'authzen' ? { denial, ...evaluationOf(asked) } : { denial, mcp: messageOf(asked) };
      return service.call('POST', '/access/v1/requests', {
        key: asked.key ?? key,
        body,
        url: asked.url ?? service.url,
      });
    },
    async ask(asked) {
      const opened = await asking.request(asked);
      expect(opened.status, JSON.stringify(opened.body)).toBe(201);
      return opened.body.task.id as string;
    },
    async status(id) {
      const { body } = await service.call('GET', `/access/v1/requests/${id}`, { key });
      return body.task.status as string;
    },
    async approved(who, asked, given) {
      const id = await asking.ask(asked);
      expect(await asking.answer(who, id, given)).toEqual({ status: 200, body: { status: 'approved' } });
      return id;
    },
    async answer(who, id, { url, route = 'me/requests', ...given } = {}) {
      const found = await as(who, 'GET', `/api/v1/${route}/${id}`, undefined, url);
      const shown = (found.body.shown_digest as string | undefined) ?? '0'.repeat(64);
      const answer = { answer: 'agree', shown, ...given };
      const { status, body } = await as(who, 'POST', `/api/v1/${route}/${id}/answer`, answer, url);
      return { status, body };
    },
  };
  return asking;
}

const messageOf = ({
  arguments: given = { to: 'eve' },
  subject = 'company/ann',
  server = 'mail',
  definition = SEND,
  approval,
  session,
  agent,
  purpose,
  continues,
  requestState,
}: Asked) => ({
  subject: { type: 'user', id: subject },
  server,
  direction: 'client_to_server',
  message: {
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'send', arguments: given, ...(requestState === undefined ? {} : { requestState }) },
  },
  tool: { definition },
  ...(approval === undefined ? {} : { approval: { id: approval } }),
  ...(session === undefined ? {} : { session: { id: session } }),
  ...(agent === undefined ? {} : { agent }),
  ...(purpose === undefined ? {} : { purpose }),
  ...(continues === undefined ? {} : { continues: { evaluation_id: continues } }),
});

const evaluationOf = ({
  arguments: given = { to: 'eve' },
  subject = 'company/ann',
  server = 'mail',
  definition = SEND,
  approval,
  session,
  agent,
  purpose,
}: Asked) => ({
  subject: { type: 'user', id: subject },
  action: { name: 'tools/call' },
  resource: { type: 'tool', id: 'send' },
  context: {
    server,
    arguments: given,
    tool: { definition },
    ...(approval === undefined ? {} : { approval: { id: approval } }),
    ...(session === undefined ? {} : { session: { id: session } }),
    ...(agent === undefined ? {} : { agent }),
    ...(purpose === undefined ? {} : { purpose }),
  },
});

function saidBy(body: Answer['body']): Said {
  if ('effect' in body) {
    const { effect, reason, evaluation_id: id, approval, continues } = body;
    return { effect, reason: reason.code, id, approval, continues, body };
  }
  const { reason, evaluation_id: id, approval, access_request: request } = body.context;
  const effect = body.decision === true ? 'allow' : request === undefined ? 'deny' : 'ask';
  return { effect, reason, id, approval, body };
}

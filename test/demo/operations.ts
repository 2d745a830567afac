import type { GuardedClient } from '#client';
import type { Client } from '@modelcontextprotocol/client';
import type { ServerName } from './servers.js';

export type DemoClient = GuardedClient<Client>;

/** One thing that the application does on behalf of ann, and what Placet must come to about it. */
export interface DemoOperation {
  readonly title: string;
  readonly server: ServerName;
  /**
   * Does it, and says what came back. `connect` stands for the connection itself; `again` asks Placet once more what was
   * asked last, as it was asked.
   */
  readonly act: ((client: DemoClient, signal: AbortSignal | undefined) => Promise<string>) | 'connect' | 'again';
  /** Where people are asked: whether ann is one who may agree. */
  readonly ann?: 'may agree' | 'may not agree';
  readonly effect: 'allow' | 'deny' | 'ask';
  readonly code: string;
  /** As `policy / rule`; undefined: no rule decided. */
  readonly rule: string | undefined;
  /** Told in one line. */
  readonly short?: true;
  /** What must be in what came back. */
  readonly shows?: string;
}

const PROJECTS = '~/Documents/Projects';

const manyPeople = Array.from({ length: 12 }, (_, at) => `person${at + 1}@example.com`);

/** In the order in which they happen. */
export const DEMO_OPERATIONS: readonly DemoOperation[] = [
  {
    ...connecting('Connect to the file server', 'file-server'),
    shows: 'connected',
  },
  {
    title: 'Connect to a server that nobody has registered',
    server: 'somebody-elses-server',
    act: 'connect',
    effect: 'deny',
    code: 'server_unknown',
    rule: undefined,
  },
  {
    title: 'See what the file server can do',
    server: 'file-server',
    act: async (client) => (await client.listTools()).tools.map(({ name }) => name).join(', '),
    effect: 'allow',
    code: 'allowed',
    rule: 'connecting / employees',
    shows: 'get_file_info',
  },
  {
    title: 'Read a plan',
    ...allowedFile(call('read_text_file', { path: `${PROJECTS}/plan.md` })),
    shows: 'Ship on Friday',
  },
  {
    title: 'Write a file beside it',
    ...allowedFile(call('write_file', { path: `${PROJECTS}/done.md`, content: 'Shipped.' })),
    shows: 'Successfully wrote',
  },
  {
    title: 'Read the private key',
    ...outsideFile(call('read_text_file', { path: '~/.ssh/id_rsa' })),
  },
  {
    title: 'Read the private key by way of the projects',
    ...outsideFile(call('read_text_file', { path: `${PROJECTS}/../../.ssh/id_rsa` })),
  },
  {
    title: 'The same, percent-encoded',
    ...outsideFile(call('read_text_file', { path: `${PROJECTS}/%2e%2e/%2e%2e/.ssh/id_rsa` })),
  },
  {
    title: 'Read notes that are a symbolic link to the private key',
    server: 'file-server',
    act: call('read_text_file', { path: `${PROJECTS}/notes.txt` }),
    effect: 'deny',
    code: 'obligation_failed',
    rule: 'own-files / employees',
  },
  { ...connecting('Connect to the public demonstration server', 'everything'), short: true },
  {
    title: 'Echo a greeting',
    server: 'everything',
    act: call('echo', { message: 'hello' }),
    effect: 'allow',
    code: 'allowed',
    rule: 'everything / harmless-tools',
    shows: 'hello',
  },
  {
    title: 'Echo a password',
    server: 'everything',
    act: call('echo', { message: 'my password is hunter2' }),
    effect: 'deny',
    code: 'denied_by_rule',
    rule: 'everything / no-secrets-in-echo',
  },
  {
    title: 'Read all environment variables, which the server calls harmless',
    server: 'everything',
    act: call('get-env', {}),
    effect: 'deny',
    code: 'denied_by_rule',
    rule: 'no-environment / nobody',
  },
  {
    title: 'Add a number and a text',
    server: 'everything',
    act: call('get-sum', { a: 1, b: '2' }),
    effect: 'deny',
    code: 'arguments_invalid',
    rule: undefined,
  },
  { ...connecting('Connect to the database server', 'database-server'), short: true },
  {
    title: 'Look up customers',
    server: 'database-server',
    act: call('query', { region: 'emea' }),
    effect: 'allow',
    code: 'allowed',
    rule: 'database / look-things-up',
    shows: 'Ilse Aigner',
  },
  {
    title: 'Delete a customer',
    server: 'database-server',
    act: listedCall('delete_database_record', { id: 41 }),
    ann: 'may agree',
    effect: 'allow',
    code: 'allowed_by_consent',
    rule: 'database / delete-with-consent',
    shows: 'record 41 is gone',
  },
  {
    title: 'The same once more, with the same approval',
    server: 'database-server',
    act: 'again',
    effect: 'ask',
    code: 'consent_required',
    rule: 'database / delete-with-consent',
  },
  {
    title: 'Drop the table',
    server: 'database-server',
    act: call('drop_table', { table: 'customers' }),
    effect: 'deny',
    code: 'outside_boundary',
    rule: undefined,
  },
  { ...connecting('Connect to the mail server', 'mail-server'), short: true },
  {
    title: 'Write to a colleague',
    server: 'mail-server',
    act: call('send_email', { recipients: ['bob@example.com'], subject: 'Lunch', body: 'At noon?' }),
    effect: 'allow',
    code: 'allowed',
    rule: 'mail / employees',
    shows: 'sent to bob@example.com',
  },
  {
    title: 'Write to twelve people',
    server: 'mail-server',
    act: listedCall('send_email', { recipients: manyPeople, subject: 'News', body: 'We have moved.' }),
    ann: 'may not agree',
    effect: 'ask',
    code: 'approval_required',
    rule: 'mail / mass-mail-needs-a-person',
  },
  { ...connecting('Connect to the CRM', 'crm'), short: true },
  {
    title: "Read the customers of ann's own region",
    server: 'crm',
    act: read('db://customers/emea'),
    effect: 'allow',
    code: 'allowed',
    rule: 'customer-records / own-region',
    shows: 'Ilse Aigner',
  },
  {
    title: 'Read the customers of another region',
    server: 'crm',
    act: read('db://customers/apac'),
    effect: 'deny',
    code: 'no_rule_allows',
    rule: undefined,
  },
];

/** What the company's servers must have received in the end: what was allowed, and nothing else. */
export const EXPECTED_JOURNAL: readonly string[] = [
  'database-server query',
  'database-server delete_database_record',
  'mail-server send_email',
  'crm read db://customers/emea',
];

/** What ann can also say to what she is asked, and what it then comes to. */
export const REFUSED = {
  effect: 'ask',
  code: 'consent_required',
  journal: EXPECTED_JOURNAL.filter((entry) => !entry.includes('delete')),
} as const;

function connecting(title: string, server: ServerName): DemoOperation {
  return { title, server, act: 'connect', effect: 'allow', code: 'allowed', rule: 'connecting / employees' };
}

function allowedFile(act: DemoOperation['act']): Omit<DemoOperation, 'title'> {
  return { server: 'file-server', act, effect: 'allow', code: 'allowed', rule: 'own-files / employees' };
}

function outsideFile(act: DemoOperation['act']): Omit<DemoOperation, 'title'> {
  return { server: 'file-server', act, effect: 'deny', code: 'outside_boundary', rule: undefined };
}

/** People agree to one definition of a tool, so the application must know it. */
function listedCall(name: string, given: Record<string, unknown>): Exclude<DemoOperation['act'], string> {
  return async (client, signal) => {
    await client.listTools();
    return call(name, given)(client, signal);
  };
}

function call(name: string, given: Record<string, unknown>): Exclude<DemoOperation['act'], string> {
  return async (client, signal) => {
    const { content, isError } = await client.callTool({ name, arguments: given }, signal ? { signal } : {});
    const text = content.map((block) => (block.type === 'text' ? block.text : block.type)).join(' ');
    if (isError) throw new Error(`${name} failed at the server: ${text}`);
    return text;
  };
}

function read(uri: string): (client: DemoClient) => Promise<string> {
  return async (client) =>
    (await client.readResource({ uri })).contents.map((part) => ('text' in part ? part.text : '')).join(' ');
}

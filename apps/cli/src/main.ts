import { parseArgs, type ParseArgsConfig } from 'node:util';
import { SettingError } from '#config';
import { Api, CommandError } from './api.js';
import { whatCan, whoCan } from './commands/access.js';
import { apply, validate } from './commands/apply.js';
import { createClient, disableClient, listClients, rotateClient } from './commands/clients.js';
import { decide, decisionRequest } from './commands/decide.js';
import { get } from './commands/documents.js';
import { deleteDraft, listDrafts, publish, saveDraft, showDraft } from './commands/drafts.js';
import { createHost, newKey } from './commands/keys.js';
import { login, logout } from './commands/login.js';
import { changeKey, createAdministratorKey, createKey, listKeys, type KeyOptions } from './commands/host-keys.js';
import { lint } from './commands/lint.js';
import { diff, history, rollback } from './commands/revisions.js';
import { tryMapping } from './commands/mappings.js';
import { listPeople, listSessions, signOut } from './commands/people.js';
import { resume, suspend } from './commands/suspensions.js';
import {
  createTenant,
  deleteTenant,
  exportTenant,
  listTenants,
  resumeTenant,
  suspendTenant,
} from './commands/tenants.js';
import { test } from './commands/test.js';
import { EXIT, terminal, type Output } from './output.js';
import { unreadOption, UsageError } from './usage.js';

const USAGE = `usage: placet COMMAND

  apply DIR [--prune] [--dry-run]      make the documents be as in DIR: prints a diff, then changes all or nothing;
      [-m MESSAGE]                       what is not in DIR is deleted with --prune only; MESSAGE says why
  validate DIR                         say what is wrong with the documents in DIR
  lint DIR                             say what in the documents is hardly meant, taking DIR for all that there
                                       are, without asking a service; exits with 1 if there is anything
  test DIR|FILE... [--json]            run the Test documents in DIR on the documents there, without asking a
                                       service; exits with 1 if a case fails, or there is none
  get [KIND [NAME]] [--json]           list documents, or print one as YAML
  draft save NAME DIR                  keep the documents in DIR as a draft, which decides nothing; prints what
      [--prune] [--delete KIND/NAME]...  publishing it would change, and what stands in the way
      [--description TEXT]
      [--base REVISION]                  what others changed after REVISION is in conflict (default: the present one)
  draft show NAME                      the same of a draft that is there
  draft list, draft delete NAME        list drafts, or throw one away
  publish NAME -m MESSAGE              make a draft hold, all or nothing; the draft is then gone
  history [--all]                      who changed which documents when and why, newest first; everything with --all
  diff [FROM [TO]]                     what differs between two revisions; without any: what the last change did
  rollback REVISION -m MESSAGE         make the documents be what they were at REVISION, as a new revision;
                                       suspensions and keys stay as they are
  suspend OF NAME [--reason TEXT]      stop a Server, a Host, a Subject (as in user:ann) or the Tenant (default) at once
  resume OF NAME                       let it go on
  people list                          who has signed in
  people sessions PERSON               where somebody (as in user:entra/3f2c) is signed in
  people sign-out PERSON               sign them out everywhere, and end the tokens that they have
  host create NAME [--title TEXT]      register a host and make a key for it
      [--may-speak-for PATTERN]...       subjects it may name, as in 'user:*' (default: none)
      [--may-assert ATTRIBUTE]...        attributes of subjects it may assert
      [--may-assert-resource ATTRIBUTE]... attributes of resources it may assert
      [--explain]                        tell it in detail what stood in the way
  client create HOST                   make an OAuth client of a host (the options of host create say what it may)
      [--keys FILE]                      by public keys of its own (a JWK set) and not by a secret
      [--issuer NAME --subject SUB]      a workload that an Issuer vouches for
  client list, client rotate ID        list OAuth clients, or give one a new secret
  client disable ID                    end one and its tokens at once
      [--scope NAME]...                  what it may ask for: decisions, listings, search, filter (default: all)
      [--may-act-for PATTERN]...         of a gateway: the hosts that it may act for, one named in each request
  key create --host NAME               make another key for a host, with the options above, and
      [--cidr NETWORK]...                from where it may be used (default: anywhere)
      [--expires DATE]                   until when
  key change ID                        change one: what is said replaces what there was (--cidr any, --expires never)
  key list [--host NAME] [--json]      keys, and when each was last used
  decide --subject TYPE:ID --server NAME --tool NAME [--arguments JSON]
  decide --file FILE                   ask for a decision (PLACET_KEY is the key of a host);
                                       exits with 0 for allow, 3 for deny, 4 for ask
      [--explain]                        say why, to be read: the key must have that right
  who-can --server NAME --tool NAME [--arguments JSON] [--host NAME] [--json]
  who-can --resource TYPE:ID [--server NAME] [--action NAME] [...]
                                       everybody who could do this, and by which rules
  what-can [--subject TYPE:ID] [--host NAME] [--server NAME] [--json]
                                       what a person, or anybody through a host, could do
  mapping try --token-file FILE        whom a token proves, and what each rule of the Mappings gives them, and why;
  mapping try --claims FILE --issuer NAME   or claims that such a token would have (a FILE of - is the input) [--json];
                                       exits with 3 where the token is not believed
  tenant create NAME [--title TEXT]    make a tenant and a key for its owner, as an operator: an owner of the tenant
                                       'default'; so are the following
  tenant list                          every tenant
  tenant suspend NAME [--reason TEXT]  stop a whole tenant; nobody of it can lift that
  tenant resume NAME                   let it go on
  tenant export NAME FILE              write everything of it but secrets into FILE; prints the SHA-256 of the export
  tenant delete NAME --export SHA256   delete a suspended tenant of which there is that export
  login [--tenant NAME]                sign in with a browser, which can be on another machine
      [--no-browser]                     and do not open one here
  logout                               end that
  key create --administrator NAME      make a key for an administrator; you must have its roles yourself
      --role ROLE...                     owner, policy-author, publisher, registrar, approver, auditor, user,
      [--cidr NETWORK]... [--expires DATE] operator, or the name of an AdministratorRole
  key new [--environment NAME]         make a key without asking a service, for PLACET_BOOTSTRAP_KEY

The service is found by PLACET_URL (default http://127.0.0.1:8360), with the key in PLACET_KEY
or, where that is not set, as who has signed in.
`;

const OPTIONS = {
  prune: { type: 'boolean', default: false },
  'dry-run': { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false, short: 'h' },
  title: { type: 'string' },
  'may-speak-for': { type: 'string', multiple: true, default: [] as string[] },
  'may-assert': { type: 'string', multiple: true, default: [] as string[] },
  'may-assert-resource': { type: 'string', multiple: true, default: [] as string[] },
  explain: { type: 'boolean', default: false },
  scope: { type: 'string', multiple: true, default: [] as string[] },
  'may-act-for': { type: 'string', multiple: true, default: [] as string[] },
  cidr: { type: 'string', multiple: true, default: [] as string[] },
  expires: { type: 'string' },
  message: { type: 'string', short: 'm' },
  delete: { type: 'string', multiple: true, default: [] as string[] },
  description: { type: 'string' },
  base: { type: 'string' },
  all: { type: 'boolean', default: false },
  reason: { type: 'string' },
  export: { type: 'string' },
  subject: { type: 'string' },
  server: { type: 'string' },
  tool: { type: 'string' },
  arguments: { type: 'string' },
  file: { type: 'string' },
  host: { type: 'string' },
  resource: { type: 'string' },
  action: { type: 'string' },
  'token-file': { type: 'string' },
  claims: { type: 'string' },
  environment: { type: 'string', default: 'dev' },
  keys: { type: 'string' },
  issuer: { type: 'string' },
  tenant: { type: 'string', default: 'default' },
  'no-browser': { type: 'boolean', default: false },
  administrator: { type: 'string' },
  role: { type: 'string', multiple: true, default: [] as string[] },
} as const satisfies ParseArgsConfig['options'];

type Values = ReturnType<typeof parse>['values'];

/** What a key of a host may do. */
const RIGHTS = ['may-speak-for', 'may-assert', 'may-assert-resource', 'explain', 'scope', 'may-act-for'] as const;

const keyOptions = (values: Values): KeyOptions => ({
  subjects: values['may-speak-for'],
  subjectProperties: values['may-assert'],
  resourceProperties: values['may-assert-resource'],
  explain: values.explain,
  scopes: values.scope,
  agents: values['may-act-for'],
  cidrs: values.cidr,
  expires: values.expires,
});

interface Command {
  /** What its arguments are called. */
  readonly takes: readonly string[];
  /** How many of them there must be; undefined: all. */
  readonly needs?: number;
  /** Whether there may be more of the last one. */
  readonly many?: true;
  readonly options: readonly (keyof typeof OPTIONS)[];
  run(given: readonly string[], values: Values, output: Output): number | void | Promise<number | void>;
}

const COMMANDS: Readonly<Record<string, Command>> = {
  apply: {
    takes: ['DIR'],
    options: ['prune', 'dry-run', 'message'],
    run: ([directory], { prune, 'dry-run': dryRun, message }, output) =>
      apply(new Api(), output, directory!, { prune, dryRun, message }),
  },
  validate: { takes: ['DIR'], options: [], run: ([directory], _, output) => validate(new Api(), output, directory!) },
  lint: { takes: ['DIR'], options: [], run: ([directory], _, output) => lint(output, directory!) },
  test: {
    takes: ['DIR|FILE...'],
    many: true,
    options: ['json'],
    run: (paths, { json }, output) => test(output, paths, json),
  },
  get: {
    takes: ['KIND', 'NAME'],
    needs: 0,
    options: ['json'],
    run: ([kind, name], { json }, output) => get(new Api(), output, kind, name, json),
  },
  'draft save': {
    takes: ['NAME', 'DIR'],
    options: ['prune', 'delete', 'description', 'base'],
    run: ([name, directory], { prune, delete: deletions, description, base }, output) =>
      saveDraft(new Api(), output, name!, directory!, { prune, deletions, description, base }),
  },
  'draft show': {
    takes: ['NAME'],
    options: [],
    run: async ([name], _, output) => void (await showDraft(new Api(), output, name!)),
  },
  'draft list': { takes: [], options: [], run: (_, __, output) => listDrafts(new Api(), output) },
  'draft delete': { takes: ['NAME'], options: [], run: ([name], _, output) => deleteDraft(new Api(), output, name!) },
  publish: {
    takes: ['NAME'],
    options: ['message'],
    run: ([name], { message }, output) => publish(new Api(), output, name!, message),
  },
  history: { takes: [], options: ['all'], run: (_, { all }, output) => history(new Api(), output, all) },
  diff: {
    takes: ['FROM', 'TO'],
    needs: 0,
    options: [],
    run: ([from, to], _, output) => diff(new Api(), output, from, to),
  },
  rollback: {
    takes: ['REVISION'],
    options: ['message'],
    run: ([revision], { message }, output) => rollback(new Api(), output, revision!, message),
  },
  suspend: {
    takes: ['OF', 'NAME'],
    options: ['reason'],
    run: ([of, name], { reason }, output) => suspend(new Api(), output, of!, name!, reason),
  },
  resume: { takes: ['OF', 'NAME'], options: [], run: ([of, name], _, output) => resume(new Api(), output, of!, name!) },
  'people list': { takes: [], options: [], run: (_, __, output) => listPeople(new Api(), output) },
  'people sessions': {
    takes: ['PERSON'],
    options: [],
    run: ([person], _, output) => listSessions(new Api(), output, person!),
  },
  'people sign-out': {
    takes: ['PERSON'],
    options: [],
    run: ([person], _, output) => signOut(new Api(), output, person!),
  },
  'host create': {
    takes: ['NAME'],
    options: ['title', ...RIGHTS],
    run: ([name], values, output) =>
      createHost(new Api(), output, name!, { title: values.title, ...keyOptions(values) }),
  },
  'client create': {
    takes: ['HOST'],
    options: ['may-speak-for', 'may-assert', 'may-assert-resource', 'explain', 'keys', 'issuer', 'subject'],
    run: ([host], values, output) =>
      createClient(new Api(), output, host!, {
        subjects: values['may-speak-for'],
        subjectProperties: values['may-assert'],
        resourceProperties: values['may-assert-resource'],
        explain: values.explain,
        keys: values.keys,
        issuer: values.issuer,
        subject: values.subject,
      }),
  },
  'client list': { takes: [], options: [], run: (_, __, output) => listClients(new Api(), output) },
  'client rotate': { takes: ['ID'], options: [], run: ([id], _, output) => rotateClient(new Api(), output, id!) },
  'client disable': { takes: ['ID'], options: [], run: ([id], _, output) => disableClient(new Api(), output, id!) },
  decide: {
    takes: [],
    options: ['subject', 'server', 'tool', 'arguments', 'file', 'explain'],
    run: (_, { subject, server, tool, arguments: given, file, explain }, output) => {
      const request = decisionRequest({ subject, server, tool, arguments: given, file });
      return decide(new Api(), output, request, explain);
    },
  },
  'who-can': {
    takes: [],
    options: ['server', 'tool', 'resource', 'action', 'arguments', 'host', 'json'],
    run: (_, { server, tool, resource, action, arguments: given, host, json }, output) =>
      whoCan(new Api(), output, { server, tool, resource, action, arguments: given, host }, json),
  },
  'what-can': {
    takes: [],
    options: ['subject', 'host', 'server', 'json'],
    run: (_, { subject, host, server, json }, output) => whatCan(new Api(), output, { subject, host, server }, json),
  },
  login: {
    takes: [],
    options: ['tenant', 'no-browser'],
    run: (_, { tenant, 'no-browser': noBrowser }, output) => login(output, tenant, !noBrowser),
  },
  logout: { takes: [], options: [], run: (_, __, output) => logout(output) },
  'mapping try': {
    takes: [],
    options: ['token-file', 'claims', 'issuer', 'json'],
    run: (_, { 'token-file': tokenFile, claims, issuer, json }, output) =>
      tryMapping(new Api(), output, { tokenFile, claims, issuer }, json),
  },
  'key create': {
    takes: [],
    options: ['host', ...RIGHTS, 'administrator', 'role', 'cidr', 'expires'],
    run: (_, values, output) => {
      const { administrator, host, role: roles } = values;
      if ((host === undefined) === (administrator === undefined))
        throw new UsageError("'key create' needs --host NAME or --administrator NAME");
      if (administrator !== undefined)
        return createAdministratorKey(new Api(), output, administrator, { ...keyOptions(values), roles });
      if (roles.length > 0) throw new UsageError("'--role' is for --administrator");
      return createKey(new Api(), output, host!, keyOptions(values));
    },
  },
  'key change': {
    takes: ['ID'],
    options: [...RIGHTS, 'cidr', 'expires'],
    run: ([id], values, output) => changeKey(new Api(), output, id!, keyOptions(values)),
  },
  'key list': {
    takes: [],
    options: ['host', 'json'],
    run: (_, { host, json }, output) => listKeys(new Api(), output, host, json),
  },
  'tenant create': {
    takes: ['NAME'],
    options: ['title'],
    run: ([name], { title }, output) => createTenant(new Api(), output, name!, title),
  },
  'tenant list': { takes: [], options: [], run: (_, __, output) => listTenants(new Api(), output) },
  'tenant suspend': {
    takes: ['NAME'],
    options: ['reason'],
    run: ([name], { reason }, output) => suspendTenant(new Api(), output, name!, reason),
  },
  'tenant resume': { takes: ['NAME'], options: [], run: ([name], _, output) => resumeTenant(new Api(), output, name!) },
  'tenant export': {
    takes: ['NAME', 'FILE'],
    options: [],
    run: ([name, file], _, output) => exportTenant(new Api(), output, name!, file!),
  },
  'tenant delete': {
    takes: ['NAME'],
    options: ['export'],
    run: ([name], { export: digest }, output) => deleteTenant(new Api(), output, name!, digest),
  },
  'key new': { takes: [], options: ['environment'], run: (_, { environment }, output) => newKey(output, environment) },
};

const parse = (args: readonly string[]) =>
  parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true, tokens: true });

/** Runs one command line and says with what the process is to exit. */
async function run(args: readonly string[], output: Output): Promise<number> {
  try {
    const { values, positionals, tokens } = parse(args);
    if (values.help || (positionals.length === 1 && positionals[0] === 'help')) {
      output.text(USAGE);
      return EXIT.ok;
    }
    const [name, ...given] = commandOf(positionals);
    const options = tokens.flatMap((token) => (token.kind === 'option' ? [token.name] : []));
    check(name, given, options);
    return (await COMMANDS[name]!.run(given, values, output)) ?? EXIT.ok;
  } catch (error) {
    const mistake = error instanceof UsageError ? error.message : unreadOption(error);
    if (mistake !== undefined) {
      output.note(`placet: ${mistake} (see placet --help)`);
      return EXIT.usage;
    }
    if (!(error instanceof CommandError) && !(error instanceof SettingError)) throw error;
    output.note(`placet: ${error.message}`);
    return EXIT.failure;
  }
}

/** The name of a command, of one word or two, and what is given to it. */
function commandOf([first, second, ...rest]: readonly string[]): [string, ...string[]] {
  if (first === undefined) throw new UsageError('which command?');
  const two = `${first} ${second}`;
  if (second !== undefined && Object.hasOwn(COMMANDS, two)) return [two, ...rest];
  const given = second === undefined ? [] : [second, ...rest];
  if (Object.hasOwn(COMMANDS, first)) return [first, ...given];
  const near = Object.keys(COMMANDS).find((name) => name.startsWith(`${first} `));
  const hint = near === undefined ? '' : `: there is '${near}'`;
  throw new UsageError(`there is no command '${[first, ...given].join(' ')}'${hint}`);
}

/** A word or an option too many would otherwise be passed over, a --dry-run among them. */
function check(name: string, given: readonly string[], options: readonly string[]): void {
  const { takes, needs = takes.length, many = false, options: known } = COMMANDS[name]!;
  if (given.length < needs) throw new UsageError(`'${name}' needs ${takes.slice(given.length).join(' ')}`);
  const superfluous = given[takes.length];
  if (superfluous !== undefined && !many)
    throw new UsageError(`'${name}' takes ${takes.join(' ') || 'options'} only, and not '${superfluous}'`);
  const unknown = options.find((option) => !(known as readonly string[]).includes(option));
  if (unknown !== undefined) throw new UsageError(`'${name}' has no option '--${unknown}'`);
}

// A reader that has seen enough, as `head` has, is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

process.exitCode = await run(process.argv.slice(2), terminal);

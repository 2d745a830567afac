import { Api } from './api.js';
import { reviewAccess } from './commands/access-review.js';
import { whatCan, whoCan } from './commands/access.js';
import { apply, validate } from './commands/apply.js';
import { changeClient, createClient, disableClient, listClients, rotateClient } from './commands/clients.js';
import {
  createConnectorToken,
  disableConnectorToken,
  listConnectorTokens,
  rotateConnectorToken,
} from './commands/connector-tokens.js';
import { listConsents, revokeConsents } from './commands/consents.js';
import { decide, decisionRequest } from './commands/decide.js';
import { get } from './commands/documents.js';
import { approveDraft, deleteDraft, listDrafts, publish, saveDraft, showDraft } from './commands/drafts.js';
import { testIssuer } from './commands/idp-test.js';
import { printIssuerOf } from './commands/idp.js';
import { createHost, newKey } from './commands/keys.js';
import { login, logout } from './commands/login.js';
import { changeKey, createAdministratorKey, createKey, listKeys, type KeyOptions } from './commands/host-keys.js';
import { lint } from './commands/lint.js';
import { diff, history, rollback } from './commands/revisions.js';
import { tryMapping } from './commands/mappings.js';
import { listPeople, listSessions, signOut } from './commands/people.js';
import { verifyReceipt } from './commands/receipts.js';
import { resume, suspend } from './commands/suspensions.js';
import {
  createTenant,
  deleteTenant,
  exportTenant,
  listTenants,
  makeOwnerKey,
  resumeTenant,
  suspendTenant,
} from './commands/tenants.js';
import { test } from './commands/test.js';
import type { OPTIONS, Values } from './options.js';
import type { Output } from './output.js';
import { UsageError } from './usage.js';

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

/** One command: its arguments, the options that it takes, and what it does; the number is what the process exits with. */
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

/** Every command by its name, of one word or two. */
export const COMMANDS: Readonly<Record<string, Command>> = {
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
    needs: 1,
    options: ['prune', 'delete', 'description', 'base', 'rollback-to'],
    run: ([name, directory], { prune, delete: deletions, description, base, 'rollback-to': rollbackTo }, output) =>
      saveDraft(new Api(), output, name!, directory, { prune, deletions, description, base, rollbackTo }),
  },
  'draft show': {
    takes: ['NAME'],
    options: [],
    run: async ([name], _, output) => void (await showDraft(new Api(), output, name!)),
  },
  'draft approve': { takes: ['NAME'], options: [], run: ([name], _, output) => approveDraft(new Api(), output, name!) },
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
  'consent list': {
    takes: [],
    options: ['subject', 'agent', 'server', 'live'],
    run: (_, { subject, agent, server, live }, output) =>
      listConsents(new Api(), output, { subject, agent, server }, live),
  },
  'consent revoke': {
    takes: ['ID'],
    needs: 0,
    options: ['subject', 'agent', 'server', 'reason'],
    run: ([id], { subject, agent, server, reason }, output) =>
      revokeConsents(new Api(), output, id, { subject, agent, server }, reason),
  },
  'receipt verify': {
    takes: ['FILE'],
    options: ['keys'],
    run: ([file], { keys }, output) => {
      if (keys === undefined) throw new UsageError("'receipt verify' needs --keys FILE or --keys URL");
      return verifyReceipt(output, file!, keys);
    },
  },
  'host create': {
    takes: ['NAME'],
    options: ['title', ...RIGHTS],
    run: ([name], values, output) =>
      createHost(new Api(), output, name!, { title: values.title, ...keyOptions(values) }),
  },
  'client create': {
    takes: ['HOST'],
    options: [...RIGHTS, 'cidr', 'expires', 'keys', 'issuer', 'subject'],
    run: ([host], values, output) => {
      const { keys, issuer, subject } = values;
      return createClient(new Api(), output, host!, { ...keyOptions(values), keys, issuer, subject });
    },
  },
  'client list': { takes: [], options: [], run: (_, __, output) => listClients(new Api(), output) },
  'client change': {
    takes: ['ID'],
    options: [...RIGHTS, 'cidr', 'expires'],
    run: ([id], values, output) => changeClient(new Api(), output, id!, keyOptions(values)),
  },
  'client rotate': {
    takes: ['ID'],
    options: ['now'],
    run: ([id], { now }, output) => rotateClient(new Api(), output, id!, now),
  },
  'client disable': { takes: ['ID'], options: [], run: ([id], _, output) => disableClient(new Api(), output, id!) },
  'connector-token create': {
    takes: ['ISSUER'],
    options: ['cidr', 'expires'],
    run: ([issuer], { cidr, expires }, output) =>
      createConnectorToken(new Api(), output, issuer!, { cidrs: cidr, expires }),
  },
  'connector-token list': {
    takes: [],
    options: ['json'],
    run: (_, { json }, output) => listConnectorTokens(new Api(), output, json),
  },
  'connector-token rotate': {
    takes: ['ID'],
    options: ['now'],
    run: ([id], { now }, output) => rotateConnectorToken(new Api(), output, id!, now),
  },
  'connector-token disable': {
    takes: ['ID'],
    options: [],
    run: ([id], _, output) => disableConnectorToken(new Api(), output, id!),
  },
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
  'access review': {
    takes: ['FILE'],
    options: ['json'],
    run: ([file], { json }, output) => reviewAccess(new Api(), output, file!, json),
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
  'tenant owner-key': {
    takes: ['NAME'],
    options: ['reason'],
    run: ([name], { reason }, output) => {
      if (reason === undefined) throw new UsageError("'tenant owner-key' needs --reason TEXT");
      return makeOwnerKey(new Api(), output, name!, reason);
    },
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
  'idp metadata': {
    takes: ['FILE|URL'],
    options: ['name', 'entity', 'certificate'],
    run: ([source], { name, entity, certificate }, output) => {
      if (name === undefined) throw new UsageError("'idp metadata' needs --name NAME, of the Issuer that is to be");
      return printIssuerOf(output, source!, { name, entity, certificates: certificate });
    },
  },
  'idp test': {
    takes: ['ISSUER'],
    options: ['sign-in', 'no-browser', 'wait', 'json'],
    run: ([issuer], { 'sign-in': signIn, 'no-browser': noBrowser, wait, json }, output) =>
      testIssuer(new Api(), output, issuer!, { signIn, browser: !noBrowser, wait, json }),
  },
  'key new': { takes: [], options: ['environment'], run: (_, { environment }, output) => newKey(output, environment) },
};

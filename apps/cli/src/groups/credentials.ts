import { Api } from '../api.js';
import type { Commands } from '../command.js';
import { changeClient, createClient, disableClient, listClients, rotateClient } from '../commands/clients.js';
import {
  createConnectorToken,
  disableConnectorToken,
  listConnectorTokens,
  rotateConnectorToken,
} from '../commands/connector-tokens.js';
import { changeKey, createAdministratorKey, createKey, listKeys, type KeyOptions } from '../commands/host-keys.js';
import { createHost, newKey } from '../commands/keys.js';
import type { Values } from '../options.js';
import { UsageError } from '../usage.js';

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

/** What hosts, administrators and directories call with. */
export const CREDENTIAL_COMMANDS: Commands = {
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
  'key new': { takes: [], options: ['environment'], run: (_, { environment }, output) => newKey(output, environment) },
};

import { Api } from '../api.js';
import type { Commands } from '../command.js';
import {
  createTenant,
  deleteTenant,
  exportTenant,
  listTenants,
  makeOwnerKey,
  resumeTenant,
  suspendTenant,
} from '../commands/tenants.js';
import { UsageError } from '../usage.js';

/** Tenants, for operators. */
export const TENANT_COMMANDS: Commands = {
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
};

import { parseArgs, type ParseArgsConfig } from 'node:util';

/** Every option there is; which commands take which is said with each command. */
export const OPTIONS = {
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
  now: { type: 'boolean', default: false },
  message: { type: 'string', short: 'm' },
  delete: { type: 'string', multiple: true, default: [] as string[] },
  description: { type: 'string' },
  base: { type: 'string' },
  version: { type: 'string' },
  'rollback-to': { type: 'string' },
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
  agent: { type: 'string' },
  live: { type: 'boolean', default: false },
  issuer: { type: 'string' },
  tenant: { type: 'string', default: 'default' },
  'no-browser': { type: 'boolean', default: false },
  administrator: { type: 'string' },
  name: { type: 'string' },
  entity: { type: 'string' },
  'sign-in': { type: 'boolean', default: false },
  wait: { type: 'string', default: '600' },
  certificate: { type: 'string', multiple: true, default: [] as string[] },
  role: { type: 'string', multiple: true, default: [] as string[] },
} as const satisfies ParseArgsConfig['options'];

/** Reads a command line. Throws what `parseArgs` throws. */
export const parse = (args: readonly string[]) =>
  parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true, tokens: true });

export type Values = ReturnType<typeof parse>['values'];

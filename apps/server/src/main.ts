import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSettings, SettingError, type Settings } from '#config';
import { EmbeddedPostgresError, startEmbeddedPostgres, type EmbeddedPostgres } from '#embedded-postgres';
import { StoreError } from '#store';
import { BootstrapError } from './bootstrap.js';
import { ListenError } from './listening.js';
import { Log } from './operations/log.js';
import { startService, type Service } from './service.js';

/** Errors whose message is one sentence for whoever starts the service. */
const EXPECTED = [SettingError, EmbeddedPostgresError, StoreError, ListenError, BootstrapError];

const say = (text: string): void => void process.stdout.write(`placet: ${text}\n`);

async function main(): Promise<void> {
  const settings = readSettings();
  const stopping = stopSignal();
  let postgres: EmbeddedPostgres | undefined;
  let service: Service | undefined;
  try {
    postgres = settings.database ? undefined : await embedded(settings);
    service = await startService({
      ...settings,
      database: settings.database ?? { url: postgres!.url },
      pepper: Buffer.from(settings.pepper ?? storedPepper(settings.dataDirectory)),
      log: new Log(settings.log),
      progress: say,
    });
    announce(service, settings);
    const signal = await stopping;
    say(`${signal}: finishing open requests ...`);
  } finally {
    await service?.stop();
    await postgres?.stop();
  }
  say('stopped');
}

/** Resolves with the first signal to stop; a second one ends the process at once. */
function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        process.once(signal, () => process.exit(130));
        resolve(signal);
      });
    }
  });
}

async function embedded({ dataDirectory }: Settings): Promise<EmbeddedPostgres> {
  const postgres = await startEmbeddedPostgres({ directory: join(dataDirectory, 'postgres'), progress: say });
  if (postgres.how === 'adopted') say('took over the Postgres that an earlier process left running');
  return postgres;
}

/** The pepper of a service with an embedded database, made at its first start. It must not lie in the database itself. */
function storedPepper(dataDirectory: string): string {
  const path = join(dataDirectory, 'pepper');
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      throw new SettingError(`${path} cannot be read. Mend its permissions.`);
  }
  const pepper = randomBytes(32).toString('hex');
  mkdirSync(dataDirectory, { recursive: true });
  writeFileSync(path, pepper, { mode: 0o600, flag: 'wx' });
  return pepper;
}

function announce({ url, publicUrl, firstKeys }: Service, { dataDirectory, database, fourEyesWaived }: Settings): void {
  if (fourEyesWaived.size > 0)
    say(`PLACET_FOUR_EYES_WAIVED: one person alone may change the documents of ${[...fourEyesWaived].join(', ')}`);
  const keyFile = join(dataDirectory, 'quickstart-host.key');
  if (firstKeys.owner !== undefined) {
    say('the key of the owner, shown this once (keep it; the command line reads it from PLACET_KEY):');
    process.stdout.write(`\n    ${firstKeys.owner}\n\n`);
  }
  const keep = database === undefined;
  if (firstKeys.quickstartHost !== undefined && keep) writeFileSync(keyFile, firstKeys.quickstartHost, { mode: 0o600 });
  say(`ready at ${url}${publicUrl === url ? '' : ` (public: ${publicUrl})`}, API at ${publicUrl}/docs`);
  const key = keep && existsSync(keyFile) ? `$(cat ${quoted(keyFile)})` : firstKeys.quickstartHost;
  say(key === undefined ? 'see whether it is ready:' : 'ask for a decision:');
  process.stdout.write(`\n${key === undefined ? `curl -s ${url}/readyz` : exampleRequest(url, key)}\n\n`);
}

/** A path for a shell within double quotes. */
const quoted = (path: string): string => `'${path.replaceAll("'", `'\\''`)}'`;

function exampleRequest(url: string, key: string): string {
  const body = {
    subject: { type: 'user', id: 'ann' },
    server: 'file-server',
    direction: 'client_to_server',
    message: {
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'read_text_file', arguments: { path: '~/Documents/Projects/plan.md' } },
    },
  };
  return `curl -s ${url}/mcp/v1/decisions -H "Authorization: Bearer ${key}" -H 'Content-Type: application/json' -d '${JSON.stringify(body)}'`;
}

/** What can be expected to go wrong is told in one sentence; the rest is a fault of ours, and told in full. */
function describe(error: unknown): string {
  const ours = error instanceof StoreError && error.code === 'database_refuses';
  if (!ours && EXPECTED.some((kind) => error instanceof kind)) return (error as Error).message;
  return withCauses(error);
}

/** The stacks of an error and its causes. Not the errors whole: those of the database carry the values of statements. */
function withCauses(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.stack ?? error.message;
  return error.cause === undefined ? own : `${own}\ncaused by ${withCauses(error.cause)}`;
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`placet: ${describe(error)}\n`);
    process.exit(1);
  },
);

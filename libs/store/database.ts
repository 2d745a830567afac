import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { migrations } from '#migrations';
import { clientConfig, type Connection } from './connection.js';
import { CredentialSecretEntity } from './entities/credential-secret.entity.js';
import { CredentialUseEntity } from './entities/credential-use.entity.js';
import { CredentialEntity } from './entities/credential.entity.js';
import { DocumentVersionEntity } from './entities/document-version.entity.js';
import { DocumentEntity } from './entities/document.entity.js';
import { sqlState, StoreError } from './errors.js';

/** Where the database is. */
export interface DatabaseAddress {
  /** A login that owns the schema, or may: it creates and migrates the tables. */
  readonly url: string;
  /** The login that the service runs under. Without one, `url` must be allowed to create roles. */
  readonly serviceUrl?: string;
}

const OWNER = 'placet_owner';
const SERVICE = 'placet_service';

/** One number for "a Placet is preparing this database". */
const PREPARING = 7_062_733_918_231;

/**
 * Brings a database to the present schema and says how the service is to connect to it: under a role that owns nothing,
 * is no superuser and is subject to row level security. Replicas that start together take turns.
 */
export async function prepareDatabase(address: DatabaseAddress): Promise<Connection> {
  const client = await connect({ url: address.url }, 'preparation', 'DATABASE_URL');
  try {
    await client.query('select pg_advisory_lock($1)', [PREPARING]);
    await checkVersion(client);
    const owner = await ownerConnection(client, address.url);
    const service = await serviceConnection(client, address);
    await migrate(owner);
    await grant(owner, await roleOf(service));
    await checkService(service, await roleOf(owner));
    return service;
  } finally {
    await client.end();
  }
}

async function connect(connection: Connection, name: string, setting: string): Promise<pg.Client> {
  const client = new pg.Client(clientConfig(connection, name));
  client.on('error', () => undefined);
  try {
    await client.connect();
    return client;
  } catch (error) {
    throw unreachable(connection.url, setting, error);
  }
}

function unreachable(url: string, setting: string, error: unknown): StoreError {
  const where = URL.canParse(url) ? `${new URL(url).host}${new URL(url).pathname}` : 'the address given';
  const reason =
    error instanceof Error && error.message !== '' ? error.message : String((error as { code?: string }).code);
  return new StoreError(
    'database_unreachable',
    `The database at ${where} cannot be reached (${reason}). Start it, or mend ${setting}.`,
    { cause: error },
  );
}

async function checkVersion(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ number: string; version: string }>(
    `select current_setting('server_version_num') as number, current_setting('server_version') as version`,
  );
  if (Number(rows[0]!.number) >= 150_000) return;
  throw new StoreError('database_too_old', `The database is Postgres ${rows[0]!.version}. Placet needs 15 or newer.`);
}

interface Login {
  readonly name: string;
  readonly superuser: boolean;
  readonly createsRoles: boolean;
}

async function loginOf(client: pg.Client): Promise<Login> {
  const { rows } = await client.query<Login>(
    `select rolname as name, rolsuper as superuser, rolsuper or rolcreaterole as "createsRoles"
     from pg_roles where rolname = current_user`,
  );
  return rows[0]!;
}

/** A superuser does not own the tables itself: row level security, forced or not, says nothing to a superuser. */
async function ownerConnection(client: pg.Client, url: string): Promise<Connection> {
  const login = await loginOf(client);
  if (!login.superuser) {
    await client.query('create schema if not exists placet');
    return { url };
  }
  await createRole(client, OWNER);
  await client.query(`grant create on database ${await quotedDatabase(client)} to ${OWNER}`);
  await client.query(`create schema if not exists placet authorization ${OWNER}`);
  return { url, role: OWNER };
}

async function serviceConnection(client: pg.Client, { url, serviceUrl }: DatabaseAddress): Promise<Connection> {
  if (serviceUrl !== undefined) return { url: serviceUrl };
  const login = await loginOf(client);
  if (!login.createsRoles) {
    throw new StoreError(
      'database_roles',
      `The database user '${login.name}' may not create roles, and DATABASE_SERVICE_URL is not set. ` +
        `Create a second login (CREATE ROLE placet_service LOGIN PASSWORD '...') and set DATABASE_SERVICE_URL to it.`,
    );
  }
  await createRole(client, SERVICE);
  await client.query(`grant ${SERVICE} to current_user`);
  return { url, role: SERVICE };
}

async function createRole(client: pg.Client, role: string): Promise<void> {
  try {
    await client.query(`create role ${role} nologin`);
  } catch (error) {
    const exists = ['42710', '23505'].includes(sqlState(error) ?? '');
    if (!exists) throw error;
  }
}

async function quotedDatabase(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ name: string }>('select quote_ident(current_database()) as name');
  return rows[0]!.name;
}

async function roleOf(connection: Connection): Promise<string> {
  const client = await connect(connection, 'preparation', 'DATABASE_SERVICE_URL');
  try {
    const { rows } = await client.query<{ name: string }>('select current_user as name');
    return rows[0]!.name;
  } finally {
    await client.end();
  }
}

async function migrate(owner: Connection): Promise<void> {
  const source = new DataSource({
    type: 'postgres',
    url: owner.url,
    schema: 'placet',
    migrations,
    migrationsTableName: 'migration',
    extra: { ...clientConfig(owner, 'migration'), max: 1 },
  });
  await source.initialize();
  try {
    await source.runMigrations({ transaction: 'each' });
  } finally {
    await source.destroy();
  }
}

/** What the service may do, and no more: it can add to the ledger and to the history, and never change either. */
async function grant(owner: Connection, service: string): Promise<void> {
  const role = pg.escapeIdentifier(service);
  const client = await connect(owner, 'preparation', 'DATABASE_URL');
  try {
    await client.query(`
      revoke all on all functions in schema placet from public;
      grant usage on schema placet to ${role};
      grant execute on all functions in schema placet to ${role};
      grant usage on all sequences in schema placet to ${role};
      grant select on placet.tenant, placet.tenant_state, placet.change, placet.usage, placet.deleted_tenant, placet.notification,
        placet.receipt_key to ${role};
      grant select, insert on placet.document_version, placet.ledger_record, placet.revision to ${role};
      grant select, insert, update on placet.document, placet.credential, placet.credential_secret, placet.credential_use,
        placet.person, placet.session, placet.signing_key to ${role};
      grant select, insert on placet.consent_answer, placet.consent_use, placet.consent_retry, placet.consent_event,
        placet.consent_request, placet.consent, placet.delegation to ${role};
      grant update (status, ended_at) on placet.consent_request to ${role};
      grant update (withdrawn_at) on placet.consent_answer to ${role};
      grant update (ended_at) on placet.delegation to ${role};
      grant select, insert, update on placet.consents_settled, placet.directory_reading to ${role};
      grant update (uses_left, last_used_at, ended_at, ended_for) on placet.consent to ${role};
      grant select, insert, update, delete on placet.draft, placet.oauth_state, placet.denial to ${role};
      grant select, insert, update, delete on placet.used_once to ${role};
      grant select, insert, delete on placet.sign_in_test to ${role};
      grant update (state, sealed) on placet.sign_in_test to ${role};
      grant select, insert, update, delete on placet.scim_user, placet.scim_group, placet.scim_member to ${role};
      revoke execute on function placet.guard(regclass) from ${role};
    `);
  } finally {
    await client.end();
  }
}

async function checkService(service: Connection, owner: string): Promise<void> {
  const client = await connect(service, 'preparation', 'DATABASE_SERVICE_URL');
  try {
    const { rows } = await client.query<{ name: string; exempt: boolean; owns: boolean }>(
      `select rolname as name, rolsuper or rolbypassrls as exempt, pg_has_role(rolname, $1, 'usage') as owns
       from pg_roles where rolname = current_user`,
      [owner],
    );
    const { name, exempt, owns } = rows[0]!;
    if (!exempt && !owns) return;
    throw new StoreError(
      'database_roles',
      `The service would run as the database user '${name}', which ${exempt ? 'is exempt from row level security' : 'owns the tables'}. ` +
        'Set DATABASE_SERVICE_URL to another, ordinary login.',
    );
  } finally {
    await client.end();
  }
}

/** The tenant with a name, made if there is none yet. Runs under the owner: the service's role cannot make tenants. */
export async function ensureTenant(address: DatabaseAddress, name: string): Promise<string> {
  const client = await connect({ url: address.url }, 'preparation', 'DATABASE_URL');
  try {
    const login = await loginOf(client);
    if (login.superuser) await client.query(`set role ${OWNER}`);
    const { rows } = await client.query<{ id: string | null }>('select placet.tenant_named($1) as id', [name]);
    if (rows[0]!.id !== null) return rows[0]!.id;
    const id = randomUUID();
    await client.query('begin');
    await client.query(`select set_config('placet.tenant', $1, true)`, [id]);
    await client.query('insert into placet.tenant (id, name) values ($1, $2) on conflict (name) do nothing', [
      id,
      name,
    ]);
    await client.query('insert into placet.tenant_state (tenant) select id from placet.tenant where id = $1', [id]);
    await client.query('commit');
    const made = await client.query<{ id: string }>('select placet.tenant_named($1) as id', [name]);
    return made.rows[0]!.id;
  } finally {
    await client.end();
  }
}

/** The tables that are read through TypeORM. */
export const entities = [
  DocumentEntity,
  DocumentVersionEntity,
  CredentialEntity,
  CredentialSecretEntity,
  CredentialUseEntity,
];

import pg from 'pg';

/** How to reach the database, and under which role. */
export interface Connection {
  readonly url: string;
  /** A role to take on after connecting, where the login itself is another one. */
  readonly role?: string;
}

/** bigint columns hold revisions and counts, which stay far below 2^53. */
const INT8_OID = 20;

const typesWithNumbers: pg.CustomTypesConfig = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') => {
    const known: unknown = pg.types.getTypeParser(oid, format);
    return oid === INT8_OID ? Number : (known as (value: string) => unknown);
  },
};

/** Settings of every connection of ours. Time-outs are the server's, so that they hold when this process does not. */
export function clientConfig({ url, role }: Connection, name: string): pg.ClientConfig {
  const settings = [
    'idle_in_transaction_session_timeout=5000',
    'lock_timeout=5000',
    'default_transaction_isolation=read\\ committed',
    ...(role === undefined ? [] : [`role=${role}`]),
  ];
  return {
    connectionString: url,
    application_name: `placet ${name}`,
    options: settings.map((setting) => `-c ${setting}`).join(' '),
    connectionTimeoutMillis: 5000,
    keepAlive: true,
    types: typesWithNumbers,
  };
}

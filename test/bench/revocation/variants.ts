import pg from 'pg';

/** A planted mistake in the fence, made out of the real function's source. */
export interface Variant {
  readonly name: string;
  /** Which function; left out: the commit itself. */
  readonly of?: 'commit_decisions' | 'consents_refuse';
  readonly mutate: (source: string) => string;
}

const LOCK = /perform pg_advisory_xact_lock_shared\(placet\.lock_key\(wanted\)\);/;
const READ = /from placet\.tenant_state s where s\.tenant = wanted;/;

/** The variants that real replicas can run. C, A and A1 are shown in libs/store/fence.db.spec.ts, together with these. */
export const VARIANTS: readonly Variant[] = [
  {
    name: 'B, lock and epoch in one statement',
    mutate: (source) =>
      source
        .replace(LOCK, '')
        .replace(
          READ,
          'from placet.tenant_state s, (select pg_advisory_xact_lock_shared(placet.lock_key(wanted))) as l where s.tenant = wanted;',
        ),
  },
  { name: 'D, no lock', mutate: (source) => source.replace(LOCK, '') },
  {
    name: 'E, no check',
    mutate: (source) => source.replace(/when i\.epoch < current_epoch and exists/, 'when false and exists'),
  },
];

/** One that forgets one kind of what a decision rests on. */
const blindFor = (prefix: 'subject' | 'credential' | 'token'): Variant => ({
  name: `K, blind for the keys ${prefix}:`,
  mutate: (source) =>
    source.replace(
      /c\.keys && (string_to_array\(i\.touched, E'\\x1f'\))/,
      `c.keys && array(select k from unnest($1) k where k not like '${prefix}:%')`,
    ),
});

/** Those that only the end of a person, of a credential or of a token shows. */
export const BLIND_VARIANTS: readonly Variant[] = [blindFor('subject'), blindFor('credential'), blindFor('token')];

/** Those that the end of a person shows. */
export const SUBJECT_VARIANTS: readonly Variant[] = [...VARIANTS, blindFor('subject')];

/** Those that only the end of a consent shows. */
export const CONSENT_VARIANTS: readonly Variant[] = [
  {
    name: 'L, consents are not looked at in the commit',
    mutate: (source) => source.replace(/when i\.rests is distinct from ''/, 'when false'),
  },
  {
    name: 'M, the end of a consent is not looked at',
    of: 'consents_refuse',
    mutate: (source) => source.replace(/agreement\.ended_at is not null or/, ''),
  },
];

/** Puts a variant in the place of the real function. The result undoes it. */
export async function plant(
  databaseUrl: string,
  { mutate, of = 'commit_decisions' }: Variant,
): Promise<() => Promise<void>> {
  const client = new pg.Client(databaseUrl);
  await client.connect();
  const { rows } = await client.query<{ source: string }>(
    `select pg_get_functiondef('placet.${of}'::regproc) as source`,
  );
  const real = rows[0]!.source;
  const mutated = mutate(real);
  if (mutated === real) throw new Error('the variant is the real function');
  await client.query(mutated);
  return async () => {
    await client.query(real);
    await client.end();
  };
}

interface Change {
  readonly commit: number;
  readonly epoch: number;
  readonly keys: readonly string[];
}

interface Decision {
  readonly epoch: number;
  readonly effect: string;
  readonly keys: readonly string[];
  readonly credential: string;
  readonly token?: string;
}

/** Allows in the ledger that come after a change which touched them and ended the epoch that they were made at. */
export async function allowsAfterTheirRevocation(databaseUrl: string): Promise<number> {
  const client = new pg.Client(databaseUrl);
  await client.connect();
  const changes = await client.query<Change>(
    'select commit::float8, epoch::float8, keys from placet.change where restricting order by epoch',
  );
  const records = await client.query<{ commit: number; body: string }>(
    `select commit::float8, body from placet.ledger_record where kind = 'decision'`,
  );
  await client.end();
  return records.rows.filter(({ commit, body }) => isLate(commit, JSON.parse(body) as Decision, changes.rows)).length;
}

/** @param changes by epoch, from the oldest */
function isLate(commit: number, decision: Decision, changes: readonly Change[]): boolean {
  if (decision.effect !== 'allow') return false;
  const token = decision.token === undefined ? [] : [`token:${decision.token}`];
  const restsOn = new Set([...decision.keys, `credential:${decision.credential}`, ...token, '*']);
  for (let at = changes.length - 1; at >= 0 && changes[at]!.epoch > decision.epoch; at--) {
    if (changes[at]!.commit < commit && changes[at]!.keys.some((key) => restsOn.has(key))) return true;
  }
  return false;
}

/** Allows in the ledger on a consent that had been revoked when they were committed. */
export async function allowsOnRevokedConsents(databaseUrl: string): Promise<number> {
  const client = new pg.Client(databaseUrl);
  await client.connect();
  const { rows } = await client.query<{ n: number }>(
    `select count(*)::integer as n
     from (
       select commit, jsonb_array_elements_text(body::jsonb -> 'consents') as id from placet.ledger_record
       where kind = 'decision' and body::jsonb ->> 'effect' = 'allow' and body::jsonb ? 'consents'
     ) allowed
     join (
       select commit, jsonb_array_elements_text(body::jsonb -> 'about' -> 'consents') as id from placet.ledger_record
       where kind = 'consent' and body::jsonb -> 'about' ->> 'event' = 'revoked'
     ) revoked using (id)
     where allowed.commit > revoked.commit`,
  );
  await client.end();
  return rows[0]!.n;
}

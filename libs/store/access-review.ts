import type pg from 'pg';
import type { JsonObject, ProvisionedRow, StoredDocument } from '#policy';
import { toStoreError } from './errors.js';
import { recordEvent } from './events.js';
import type { Store } from './store.js';
import { OperationRefused, type Operator } from './tenants.js';

/** Rows that are in memory at once. */
const ROWS = 500;

/** For how long, in seconds, whoever reads may not read on: until then it holds a transaction open. */
const PATIENCE_S = 60;

/** Who has been given what, and by what. Times in ISO 8601. */
export interface AccessGrant {
  readonly kind:
    | 'binding'
    | 'administrator_binding'
    | 'mapping'
    | 'administrator_mapping'
    | 'key'
    | 'client'
    | 'connector'
    | 'group'
    | 'delegation';
  /** A subject or group; or as in `host:desk`, `administrator:ci`, `connector:entra`. */
  readonly who: string;
  /** The role; of a host's credential its rights, as JSON; of a connector's its Issuer; the group; of a delegation in whose place. */
  readonly what: string;
  /** The document, credential, mapping rule, provisioned group or delegation that gives it. */
  readonly by: string;
  /** Since when without a break; null: not known, as for what a provider said. */
  readonly since: string | null;
  readonly grantedBy: string | null;
  readonly expires: string | null;
  /** Of a credential its last use, of a person the last sign-in or decision; null: never, or a group. */
  readonly lastUsed: string | null;
}

/** Somebody who has signed in, for what the Mappings make of what was said of them last. */
export interface ReviewedPerson {
  readonly id: string;
  readonly issuer: string;
  readonly claims: JsonObject;
  readonly lastAt: string;
  /** What the connector of the Issuer says of them; null: nothing. */
  readonly provisioned: ProvisionedRow | null;
}

/** What people may by mappings is worked out on these. */
export interface ReviewedIdentity {
  readonly issuers: readonly StoredDocument<'Issuer'>[];
  readonly mappings: readonly StoredDocument<'Mapping'>[];
}

export type ReviewedRow = { readonly grant: AccessGrant } | { readonly person: ReviewedPerson };

/**
 * Everybody who has been given something, in one state of the tenant: `tell` hears on what mappings rest before the first row. That it began is in
 * the ledger before the first row, that it ended after the last. Throws OperationRefused before the first row where whoever asks
 * does not stand any more.
 *
 * INVARIANT: the state is taken while the tenant is locked against changes, after the look at whoever asks.
 */
export async function* reviewAccess(
  store: Store,
  tenant: string,
  { principal, proof }: Operator,
  tell: (identity: ReviewedIdentity) => void,
): AsyncGenerator<ReviewedRow> {
  const client = store.client('review');
  client.on('error', () => undefined);
  let rows = 0;
  try {
    await client.connect();
    await openView(client, tenant, { principal, proof });
    await recordEvent(store, tenant, 'export', { action: 'begun', of: 'access_review', by: principal });
    tell(await identityOf(client, tenant));
    for (const [query, name] of [
      [GRANTS, 'grant'],
      [PEOPLE, 'person'],
    ] as const) {
      await client.query(`declare rows no scroll cursor for ${query.replaceAll('$1', `'${tenant}'`)}`);
      for (;;) {
        const fetched = await client.query<{ row: never }>(`fetch ${ROWS} from rows`);
        if (fetched.rows.length === 0) break;
        for (const { row } of fetched.rows) {
          rows++;
          yield { [name]: row } as unknown as ReviewedRow;
        }
      }
      await client.query('close rows');
    }
    await recordEvent(store, tenant, 'export', { action: 'finished', of: 'access_review', by: principal, rows });
  } catch (error) {
    throw error instanceof OperationRefused ? error : toStoreError(error);
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function openView(client: pg.Client, tenant: string, { principal, proof }: Operator): Promise<void> {
  await client.query(`select set_config('idle_in_transaction_session_timeout', $1, false)`, [`${PATIENCE_S}s`]);
  await client.query(`select set_config('placet.tenant', $1, false)`, [tenant]);
  await client.query('select pg_advisory_lock_shared(placet.lock_key($1))', [tenant]);
  await client.query('begin isolation level repeatable read read only');
  const { rows } = await client.query<{ outcome: string }>('select placet.principal_stands($1, $2, $3) as outcome', [
    tenant,
    principal,
    JSON.stringify(proof),
  ]);
  const { outcome } = rows[0]!;
  if (outcome !== 'stands') throw new OperationRefused(outcome === 'rights' ? 'rights' : 'principal');
  await client.query('select pg_advisory_unlock_shared(placet.lock_key($1))', [tenant]);
}

async function identityOf(client: pg.Client, tenant: string): Promise<ReviewedIdentity> {
  const of = async <K extends 'Issuer' | 'Mapping'>(kind: K) =>
    (
      await client.query<StoredDocument<K>>(
        'select d.version, d.body as document from placet.document d where d.tenant = $1 and d.kind = $2 and d.body is not null',
        [tenant, kind],
      )
    ).rows;
  return { issuers: await of('Issuer'), mappings: await of('Mapping') };
}

/** As everywhere in the API: in UTC, with milliseconds. */
const time = (value: string): string => `to_char(${value} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** The texts of a binding of either sort: whom it names, and that it is in force. */
const NAMED = `coalesce(d.body -> 'subjects', d.body -> 'to')`;

/**
 * What documents, credentials and delegations give at this moment. Since when: since the first version of the document after
 * the last one that did not give it.
 */
const GRANTS = `
  select json_build_object(
    'kind', case d.kind when 'Binding' then 'binding' else 'administrator_binding' end,
    'who', w.who, 'what', r.role, 'by', d.name, 'since', ${time('s.changed_at')}, 'grantedBy', s.changed_by,
    'expires', ${time(`(d.body ->> 'expires')::timestamptz`)}, 'lastUsed', ${time('u.at')}
  ) as row
  from placet.document d
  cross join lateral (select distinct value as who from jsonb_array_elements_text(${NAMED})) w
  cross join lateral (select distinct value as role from jsonb_array_elements_text(d.body -> 'roles')) r
  cross join lateral (
    select v.changed_at, v.changed_by from placet.document_version v
    where v.tenant = d.tenant and v.kind = d.kind and v.name = d.name and v.version > coalesce((
      select max(o.version) from placet.document_version o
      where o.tenant = d.tenant and o.kind = d.kind and o.name = d.name
        and (coalesce(o.body -> 'subjects', o.body -> 'to') ? w.who and o.body -> 'roles' ? r.role) is not true
    ), 0)
    order by v.version limit 1
  ) s
  cross join lateral (
    select max(used.at) as at
    from (
      select w.who as name
      union
      -- Roles of policies are those of a stored subject, by whatever name it is asked for; rights to administer are not.
      select concat(a ->> 'type', ':', a ->> 'id') from placet.document o, jsonb_array_elements(o.body -> 'aliases') a
      where d.kind = 'Binding' and o.tenant = d.tenant and o.kind = 'Subject' and o.name = w.who
    ) n
    cross join lateral (
      select greatest(
        (select p.last_at from placet.person p where p.tenant = d.tenant and p.id = n.name),
        (select max(e.seen_at) from placet.session e where e.tenant = d.tenant and e.person = n.name and e.ended_at is null),
        case d.kind when 'Binding' then (
          select l.at from placet.ledger_record l
          where l.tenant = d.tenant and l.subject = sha256(convert_to(n.name, 'UTF8'))
          order by l.commit desc, l.seq desc limit 1
        ) end
      ) as at
    ) used
  ) u
  where d.tenant = $1 and d.kind in ('Binding', 'AdministratorBinding') and d.body is not null
    and ((d.body ->> 'expires')::timestamptz > clock_timestamp()) is not false
  union all
  select json_build_object(
    'kind', case c.kind when 'api_key' then 'key' when 'scim' then 'connector' else 'client' end,
    'who', c.principal_kind || ':' || c.principal, 'what', r.role, 'by', c.id, 'since', ${time('c.created_at')},
    'grantedBy', c.created_by, 'expires', ${time('c.expires_at')}, 'lastUsed', ${time('u.last_used_at')}
  )
  from placet.credential c
  left join placet.credential_use u on u.tenant = c.tenant and u.credential = c.id
  cross join lateral (
    select jsonb_array_elements_text(c.rights -> 'roles') as role where c.principal_kind = 'administrator'
    union all
    select c.rights::text where c.principal_kind = 'host'
    union all
    select c.issuer where c.principal_kind = 'connector'
  ) r
  where c.tenant = $1 and c.disabled_at is null and (c.expires_at > clock_timestamp()) is not false
  union all
  select json_build_object(
    'kind', 'delegation', 'who', g.to_person, 'what', g.from_person, 'by', g.id, 'since', ${time('g.created_at')},
    'grantedBy', g.from_person, 'expires', ${time('g.expires_at')}, 'lastUsed', null
  )
  from placet.delegation g where g.tenant = $1 and g.ended_at is null and g.expires_at > clock_timestamp()
  union all
  select json_build_object(
    'kind', 'group', 'who', s.who, 'what', concat('group:', i.body #>> '{groups,prefix}', s.named), 'by', g.id,
    'since', null, 'grantedBy', null, 'expires', null, 'lastUsed', ${time('p.last_at')}
  )
  from placet.document i
  join placet.scim_user u on u.tenant = i.tenant and u.issuer = i.name and u.expires_at is null and u.active
  join placet.scim_member m on m.tenant = u.tenant and m.user_id = u.id
  join placet.scim_group g on g.tenant = m.tenant and g.id = m.group_id
  cross join lateral (
    select concat(i.body ->> 'subjectType', ':', u.issuer, '/', u.identity) as who,
      case i.body #>> '{provisioning,groupName}' when 'externalId' then g.external_id else g.display_name end as named
  ) s
  left join placet.person p on p.tenant = i.tenant and p.id = s.who
  where i.tenant = $1 and i.kind = 'Issuer' and i.body #>> '{provisioning,groups}' = 'scim'
    and u.identity is not null and s.named is not null`;

/** Of two rows of one identity the one that is there counts, and not the one that was taken away. */
const PEOPLE = `
  select json_build_object('id', p.id, 'issuer', p.issuer, 'claims', p.claims, 'lastAt', ${time('p.last_at')}, 'provisioned', (
    select placet.scim_user_as_json(u) from placet.scim_user u
    where u.tenant = p.tenant and u.issuer = p.issuer and u.identity = substr(p.id, strpos(p.id, '/') + 1)
    order by u.expires_at nulls first limit 1
  )) as row
  from placet.person p where p.tenant = $1 order by p.id`;

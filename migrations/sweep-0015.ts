/** Tables from which what is over may be deleted without a new revision of the tenant. */
const ENDING = ['denial', 'credential_secret'] as const;

const onDelete = (table: string, guard: string): string => `
  drop trigger require_bump_on_delete on placet.${table};
  create trigger require_bump_on_delete after delete on placet.${table} referencing old table as changed
    for each statement execute function placet.${guard}();`;

/** Deletes at most so many rows of a table that a condition holds for; what somebody else is writing is left for later. */
const swept = (table: string, alias: string, over: string): string => `
    delete from placet.${table} gone where gone.ctid = any (array(
      select ${alias}.ctid from placet.${table} ${alias} where ${alias}.tenant = wanted and ${over} limit most for update skip locked
    ));
    get diagnostics done = row_count;
    most_done := greatest(most_done, done);`;

/**
 * What is over is deleted after a while, by a sweep and not by whoever happens to call.
 *
 * INVARIANT: nothing that is deleted can bring back what was ended. A session, a token, a grant or a key that is not there
 * is none. A denial goes a day after the last token has expired that it could refuse; what was used once goes an hour after
 * it would be too old anyway; a secret a day after it has expired, and never the newest one of a credential.
 */
export const SWEEP = `
  create function placet.blank_ended_session() returns trigger language plpgsql as $$
  begin
    new.sealed_hint := null;
    new.upstream_session := null;
    return new;
  end $$;
  comment on function placet.blank_ended_session is 'A session that is over keeps nothing that only a live one needs, above all no ID token.';
  create trigger blank_when_ended before insert or update on placet.session
    for each row when (new.ended_at is not null) execute function placet.blank_ended_session();
  -- Row level security holds for the owner as well: the sessions that are over already are blanked without it.
  alter table placet.session no force row level security;
  update placet.session set ended_at = ended_at where ended_at is not null;
  alter table placet.session force row level security;
  create index session_by_end on placet.session (tenant, (least(ended_at, idle_ends_at, ends_at)));
  create index session_by_expiry on placet.session (tenant, (least(idle_ends_at, ends_at))) where ended_at is null;
  create index signing_key_by_end on placet.signing_key (tenant, retires_at) where retires_at is not null;
  create index credential_secret_by_end on placet.credential_secret (tenant, expires_at) where expires_at is not null;

  create function placet.require_bump_unless_over() returns trigger language plpgsql as $$
  begin
    if exists (
      select from changed c
      where (c.expires_at is null or c.expires_at > clock_timestamp() - interval '1 day') and not exists (
        select from placet.tenant_state s where s.tenant = c.tenant and s.changed_by = pg_current_xact_id_if_assigned()
      )
    ) then
      raise exception 'placet: % was written without a new revision of its tenant', tg_table_name;
    end if;
    return null;
  end $$;
  ${ENDING.map((table) => onDelete(table, 'require_bump_unless_over')).join('\n')}

  -- The next tenants by their ids, to be swept one after the other.
  create function placet.tenants_to_sweep(after_id uuid, most integer) returns setof uuid
    language sql stable security definer set search_path = pg_catalog, pg_temp
    begin atomic
      select t.id from placet.tenant t where after_id is null or t.id > after_id order by t.id limit most;
    end;

  -- Deletes at most so many rows of each table of a tenant that have been over for long enough; whether there may be more.
  create function placet.sweep(wanted uuid, most integer) returns boolean
    language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
  declare
    done bigint;
    most_done bigint;
  begin
    perform set_config('placet.tenant', wanted::text, true);
    update placet.session s set ended_at = least(s.idle_ends_at, s.ends_at)
      where s.tenant = wanted and s.ended_at is null and least(s.idle_ends_at, s.ends_at) < clock_timestamp() and s.id in (
        select e.id from placet.session e
        where e.tenant = wanted and e.ended_at is null and least(e.idle_ends_at, e.ends_at) < clock_timestamp()
        limit most for update skip locked
      );
    get diagnostics most_done = row_count;
    ${swept('session', 's', `least(s.ended_at, s.idle_ends_at, s.ends_at) < clock_timestamp() - interval '30 days'`)}
    ${swept('oauth_state', 's', `s.expires_at < clock_timestamp() - interval '1 hour'`)}
    ${swept('used_once', 'u', `u.expires_at < clock_timestamp() - interval '1 hour'`)}
    ${swept('denial', 'd', `d.expires_at < clock_timestamp() - interval '1 day'`)}
    ${swept('signing_key', 'k', `k.retires_at < clock_timestamp() - interval '1 day'`)}
    ${swept(
      'credential_secret',
      's',
      `s.expires_at < clock_timestamp() - interval '1 day' and exists (
        select from placet.credential_secret n where n.tenant = s.tenant and n.credential = s.credential and n.number > s.number
      )`,
    )}
    return most_done >= most;
  end $$;
`;

/** Undoes it; what was blanked stays so. */
export const SWEEP_DROPPED = `
  drop function placet.sweep;
  drop function placet.tenants_to_sweep;
  ${ENDING.map((table) => onDelete(table, 'require_bump')).join('\n')}
  drop function placet.require_bump_unless_over;
  drop index placet.credential_secret_by_end;
  drop index placet.signing_key_by_end;
  drop index placet.session_by_expiry;
  drop index placet.session_by_end;
  drop trigger blank_when_ended on placet.session;
  drop function placet.blank_ended_session;
`;

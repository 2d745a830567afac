/** For how long whoever was taken away is kept out: as long as denials of people are kept (longer than any token is good). */
const KEPT_OUT = '366 days';

/** The live row of a user of an Issuer, and what speaks of it. */
const LIVE = "u.tenant = wanted and u.issuer = op ->> 'issuer' and u.expires_at is null";

/** What a connector does, as operations of a change. */
export const PROVISIONING_FUNCTIONS_0036 = `
-- What the tokens of an Issuer call a user, by its document's word on provisioning.
create function placet.scim_identity(provisioning jsonb, id text, external_id text, user_name text) returns text
  language sql immutable
  return case coalesce(provisioning ->> 'identity', 'externalId')
    when 'externalId' then external_id when 'userName' then user_name when 'id' then id end;

-- A provisioned user, as replicas know them. Whoever was taken away is there as inactive.
create function placet.scim_user_as_json(u placet.scim_user) returns json
  language sql stable
  return (
    select json_build_object('row', u.id, 'issuer', u.issuer, 'identity', u.identity, 'active', u.active, 'groups', (
      select coalesce(json_agg(distinct case i.body #>> '{provisioning,groupName}' when 'externalId' then g.external_id else g.display_name end), '[]')
      from placet.scim_member m join placet.scim_group g on g.tenant = m.tenant and g.id = m.group_id
      where m.tenant = u.tenant and m.user_id = u.id
    ))
    from (select) nothing
      left join placet.document i on i.tenant = u.tenant and i.kind = 'Issuer' and i.name = u.issuer
  );

-- What speaks against one operation of a connector: 'version', 'taken', or null. What was planned on another state than
-- this, or by another word of the Issuer's document, is planned anew.
create function placet.provisioning_refused(wanted uuid, op jsonb) returns text language plpgsql stable as $$
declare
  before bigint;
  rule jsonb;
begin
  case op ->> 'op'
    when 'put_scim_user', 'delete_scim_user' then
      select u.version into before from placet.scim_user u where ${LIVE} and u.id = op ->> 'id';
    when 'put_scim_group', 'delete_scim_group' then
      select g.version into before from placet.scim_group g
        where g.tenant = wanted and g.issuer = op ->> 'issuer' and g.id = op ->> 'id';
    else
      return null;
  end case;
  if (op ->> 'expected_version')::bigint is distinct from coalesce(before, 0) then
    return 'version';
  end if;
  if op ->> 'op' = 'put_scim_user' then
    select d.body -> 'provisioning' into rule from placet.document d
      where d.tenant = wanted and d.kind = 'Issuer' and d.name = op ->> 'issuer';
    if rule is null or coalesce(rule ->> 'identity', 'externalId') is distinct from op ->> 'identity_by' then
      return 'version';
    end if;
    if exists (
      select from placet.scim_user u where ${LIVE} and u.id <> op ->> 'id' and (
        lower(u.user_name) = lower(op #>> '{body,userName}') or u.external_id = op #>> '{body,externalId}'
        or u.identity = placet.scim_identity(rule, op ->> 'id', op #>> '{body,externalId}', op #>> '{body,userName}')
      )
    ) then
      return 'taken';
    end if;
  elsif op ->> 'op' = 'put_scim_group' then
    if exists (
      select from placet.scim_group g where g.tenant = wanted and g.issuer = op ->> 'issuer' and g.id <> op ->> 'id'
        and g.external_id = op #>> '{body,externalId}'
    ) then
      return 'taken';
    end if;
    if exists (
      select from jsonb_array_elements_text(op -> 'add') a (id)
      where not exists (select from placet.scim_user u where ${LIVE} and u.id = a.id)
    ) then
      return 'version';
    end if;
  end if;
  return null;
end $$;

-- A user is there, or is otherwise than before. An identity that a row does not have any more is kept out, until somebody
-- else has it.
create function placet.put_scim_user(wanted uuid, op jsonb, at_revision bigint) returns void language plpgsql volatile as $$
declare
  before text;
  new_identity text;
begin
  select placet.scim_identity(d.body -> 'provisioning', op ->> 'id', op #>> '{body,externalId}', op #>> '{body,userName}')
    into new_identity from placet.document d where d.tenant = wanted and d.kind = 'Issuer' and d.name = op ->> 'issuer';
  select u.identity into before from placet.scim_user u where ${LIVE} and u.id = op ->> 'id';
  delete from placet.scim_user u
    where u.tenant = wanted and u.issuer = op ->> 'issuer' and u.identity = new_identity and u.expires_at is not null;
  insert into placet.scim_user as u (tenant, id, issuer, external_id, user_name, active, identity, body, version, revision)
    values (wanted, op ->> 'id', op ->> 'issuer', op #>> '{body,externalId}', op #>> '{body,userName}',
      (op ->> 'active')::boolean, new_identity, op #> '{body,attributes}', 1, at_revision)
    on conflict (tenant, id) do update
      set external_id = excluded.external_id, user_name = excluded.user_name, active = excluded.active,
        identity = excluded.identity, body = excluded.body, version = u.version + 1, changed_at = clock_timestamp(),
        revision = excluded.revision;
  if before is distinct from new_identity and before is not null then
    insert into placet.scim_user (tenant, id, issuer, active, identity, body, version, expires_at, revision)
      values (wanted, gen_random_uuid()::text, op ->> 'issuer', false, before, '{}', 1,
        clock_timestamp() + interval '${KEPT_OUT}', at_revision);
  end if;
end $$;

-- A user is taken away. Nothing stays of them but that they are kept out.
create function placet.delete_scim_user(wanted uuid, op jsonb, at_revision bigint) returns void language plpgsql volatile as $$
begin
  with gone as (
    delete from placet.scim_member m where m.tenant = wanted and m.user_id = op ->> 'id' returning m.group_id
  )
  update placet.scim_group g set version = g.version + 1, changed_at = clock_timestamp()
    where g.tenant = wanted and g.id in (select group_id from gone);
  update placet.scim_user u
    set external_id = null, user_name = null, active = false, body = '{}', version = u.version + 1,
      changed_at = clock_timestamp(), expires_at = clock_timestamp() + interval '${KEPT_OUT}', revision = at_revision
    where ${LIVE} and u.id = op ->> 'id';
end $$;

-- A group is there, or has another name, or other members. Whose groups are others than before has a new revision.
create function placet.put_scim_group(wanted uuid, op jsonb, at_revision bigint) returns void language plpgsql volatile as $$
declare
  more text[] := array(select jsonb_array_elements_text(op -> 'add'));
  less text[] := array(select jsonb_array_elements_text(op -> 'remove'));
  is_renamed boolean;
begin
  select (g.display_name, g.external_id) is distinct from (op #>> '{body,displayName}', op #>> '{body,externalId}')
    into is_renamed from placet.scim_group g where g.tenant = wanted and g.id = op ->> 'id';
  insert into placet.scim_group as g (tenant, id, issuer, external_id, display_name, version)
    values (wanted, op ->> 'id', op ->> 'issuer', op #>> '{body,externalId}', op #>> '{body,displayName}', 1)
    on conflict (tenant, id) do update
      set external_id = excluded.external_id, display_name = excluded.display_name, version = g.version + 1,
        changed_at = clock_timestamp();
  delete from placet.scim_member m where m.tenant = wanted and m.group_id = op ->> 'id' and m.user_id = any (less);
  insert into placet.scim_member (tenant, group_id, user_id) select wanted, op ->> 'id', a from unnest(more) a
    on conflict do nothing;
  update placet.scim_user u set revision = at_revision where u.tenant = wanted and u.id = any (more || less);
  if is_renamed then
    update placet.scim_user u set revision = at_revision
      where u.tenant = wanted and u.id in (
        select m.user_id from placet.scim_member m where m.tenant = wanted and m.group_id = op ->> 'id'
      );
  end if;
end $$;

create function placet.delete_scim_group(wanted uuid, op jsonb, at_revision bigint) returns void language plpgsql volatile as $$
begin
  with gone as (
    delete from placet.scim_member m where m.tenant = wanted and m.group_id = op ->> 'id' returning m.user_id
  )
  update placet.scim_user u set revision = at_revision where u.tenant = wanted and u.id in (select user_id from gone);
  delete from placet.scim_group g where g.tenant = wanted and g.issuer = op ->> 'issuer' and g.id = op ->> 'id';
end $$;

-- Ends what somebody has agreed to and what was agreed to for them, by any of their names; what is being asked of them; and
-- who answers in their place, or they in another's.
create function placet.end_consents_of(wanted uuid, persons text[], by_principal text) returns void language plpgsql volatile as $$
declare
  person text;
  of_id text;
begin
  foreach person in array persons loop
    perform placet.revoke_consents(wanted, by_principal, null, by_principal,
      jsonb_build_object('mine', jsonb_build_object('names', persons, 'person', person)), 'deprovisioned');
  end loop;
  for of_id in
    update placet.consent_request r set status = 'cancelled', ended_at = clock_timestamp()
      where r.tenant = wanted and r.subject = any (persons) and r.status = 'pending' returning r.id
  loop
    perform placet.note_consent(wanted, of_id, 'cancelled', by_principal, '{"reason": "deprovisioned"}');
  end loop;
  for of_id in
    update placet.delegation d set ended_at = clock_timestamp()
      where d.tenant = wanted and (d.from_person = any (persons) or d.to_person = any (persons)) and d.ended_at is null
      returning d.id
  loop
    perform placet.record_event(wanted, 'consent',
      jsonb_build_object('event', 'delegation_ended', 'by', by_principal, 'delegation', of_id));
  end loop;
end $$;

-- Does one operation that is none of apply_operation's own.
create function placet.apply_provisioning(wanted uuid, op jsonb, at_revision bigint, by_principal text) returns void
  language plpgsql volatile as $$
begin
  case op ->> 'op'
    when 'put_scim_user' then
      perform placet.put_scim_user(wanted, op, at_revision);
    when 'delete_scim_user' then
      perform placet.delete_scim_user(wanted, op, at_revision);
    when 'put_scim_group' then
      perform placet.put_scim_group(wanted, op, at_revision);
    when 'delete_scim_group' then
      perform placet.delete_scim_group(wanted, op, at_revision);
    when 'end_consents' then
      perform placet.end_consents_of(wanted, array(select jsonb_array_elements_text(op -> 'persons')), by_principal);
    else
      raise exception 'placet: there is no operation %', op ->> 'op';
  end case;
end $$;

-- Who its users are, and what their groups are called, is as the Issuer's document says now.
create function placet.scim_follow_issuer() returns trigger language plpgsql as $$
begin
  update placet.scim_user u
    set identity = placet.scim_identity(new.body -> 'provisioning', u.id, u.external_id, u.user_name), revision = new.revision
    where u.tenant = new.tenant and u.issuer = new.name and u.expires_at is null;
  return null;
end $$;
create trigger scim_follow_issuer after update on placet.document
  for each row when (
    new.kind = 'Issuer' and new.body is not null
    and (new.body #>> '{provisioning,identity}', new.body #>> '{provisioning,groupName}')
      is distinct from (old.body #>> '{provisioning,identity}', old.body #>> '{provisioning,groupName}')
  ) execute function placet.scim_follow_issuer();

-- Deletes at most so many of those who were taken away long enough ago; whether there may be more.
create function placet.sweep_scim(wanted uuid, most integer) returns boolean
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
  done bigint;
begin
  perform set_config('placet.tenant', wanted::text, true);
  delete from placet.scim_user gone where gone.ctid = any (array(
    select u.ctid from placet.scim_user u where u.tenant = wanted and u.expires_at < clock_timestamp() - interval '1 day'
    limit most for update skip locked
  ));
  get diagnostics done = row_count;
  return done >= most;
end $$;

-- Who was taken away goes in time, and nobody is told.
drop trigger require_bump_on_delete on placet.scim_user;
create trigger require_bump_on_delete after delete on placet.scim_user referencing old table as changed
  for each statement execute function placet.require_bump_unless_over();
`;

/** What becomes otherwise in functions that are there. */
export const PATCHES_0036 = [
  {
    of: 'principal_stands',
    from: `          else
            return 'principal';
        end case;`,
    to: `          -- A connector's rights are no others than to provision its Issuer, while the document says so.
          when 'scim' then
            return case when exists (
              select from placet.credential c
                join placet.document d on d.tenant = c.tenant and d.kind = 'Issuer' and d.name = c.issuer
              where c.tenant = wanted and c.id = of_id and c.kind = 'scim' and c.disabled_at is null
                and (c.expires_at is null or c.expires_at > clock_timestamp())
                and d.body #> '{provisioning,scim}' = 'true'
            ) then 'stands' else 'principal' end;
          else
            return 'principal';
        end case;`,
  },
  {
    of: 'operation_refused',
    from: `          else
            null;
        end case;`,
    to: `          else
            return placet.provisioning_refused(wanted, op);
        end case;`,
  },
  {
    of: 'apply_operation',
    from: `            raise exception 'placet: there is no operation %', op ->> 'op';`,
    to: `            perform placet.apply_provisioning(wanted, op, at_revision, by_principal);`,
  },
  {
    // What operations have recorded of their own stands before the record of the change.
    of: 'commit_change',
    from: `        record_text := json_build_object(`,
    to: `        select * into strict state from placet.tenant_state s where s.tenant = wanted;
        record_text := json_build_object(`,
  },
] as const;

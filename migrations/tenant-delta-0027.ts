/** What each replica reads after a change, as migration 0016 made it. */
export const TENANT_DELTA_0016 = `
      create or replace function placet.tenant_delta(wanted uuid, since bigint) returns table (
        revision bigint, epoch bigint, read_at double precision, suspended boolean, decisions_per_second integer,
        documents json, credentials json, denials json
      ) language plpgsql volatile set plan_cache_mode = force_custom_plan as $$
      begin
        perform set_config('placet.tenant', wanted::text, true);
        return query
          select s.revision, s.epoch, extract(epoch from clock_timestamp())::double precision * 1000,
            t.suspended_at is not null, t.max_decisions_per_second,
            (select json_agg(json_build_object('kind', d.kind, 'name', d.name, 'version', d.version, 'body', d.body))
              from placet.document d where d.tenant = wanted and d.revision > since),
            (select json_agg(placet.credential_as_json(c))
              from placet.credential c where c.tenant = wanted and c.revision > since),
            (select json_agg(json_build_object('key', d.key, 'before', extract(epoch from d.before) * 1000,
                'expiresAt', extract(epoch from d.expires_at) * 1000))
              from placet.denial d where d.tenant = wanted and d.revision > since and d.expires_at > clock_timestamp())
          from placet.tenant_state s join placet.tenant t on t.id = s.tenant where s.tenant = wanted;
      end $$;
      drop function placet.document_as_json;
      drop function placet.denial_as_json;
`;

/** The same, with a plan for everything and one for the last change, and both kept. */
export const TENANT_DELTA_0027 = `
-- A document, and a denial, as replicas know them.
create or replace function placet.document_as_json(d placet.document) returns json
  language sql stable
  return json_build_object('kind', d.kind, 'name', d.name, 'version', d.version, 'body', d.body);

create or replace function placet.denial_as_json(d placet.denial) returns json
  language sql stable
  return json_build_object('key', d.key, 'before', extract(epoch from d.before) * 1000,
    'expiresAt', extract(epoch from d.expires_at) * 1000);

-- What of a tenant is new since a revision (0: everything), and its numbers; no row where there is no such tenant.
--
-- INVARIANT: numbers and contents are read by one statement, so contents are never older than the epoch that they are
-- used under. Nothing has a revision above the tenant's own: that it is asked for tells the planner that it is little.
create or replace function placet.tenant_delta(wanted uuid, since bigint) returns table (
  revision bigint, epoch bigint, read_at double precision, suspended boolean, decisions_per_second integer,
  documents json, credentials json, denials json
) language plpgsql volatile set plan_cache_mode = force_generic_plan as $$
begin
  perform set_config('placet.tenant', wanted::text, true);
  if since = 0 then
    return query
      select s.revision, s.epoch, extract(epoch from clock_timestamp())::double precision * 1000,
        t.suspended_at is not null, t.max_decisions_per_second,
        (select json_agg(placet.document_as_json(d)) from placet.document d where d.tenant = wanted),
        (select json_agg(placet.credential_as_json(c)) from placet.credential c where c.tenant = wanted),
        (select json_agg(placet.denial_as_json(d))
          from placet.denial d where d.tenant = wanted and d.expires_at > clock_timestamp())
      from placet.tenant_state s join placet.tenant t on t.id = s.tenant where s.tenant = wanted;
  else
    return query
      select s.revision, s.epoch, extract(epoch from clock_timestamp())::double precision * 1000,
        t.suspended_at is not null, t.max_decisions_per_second,
        (select json_agg(placet.document_as_json(d))
          from placet.document d where d.tenant = wanted and d.revision > since and d.revision <= s.revision),
        (select json_agg(placet.credential_as_json(c))
          from placet.credential c where c.tenant = wanted and c.revision > since and c.revision <= s.revision),
        (select json_agg(placet.denial_as_json(d))
          from placet.denial d
          where d.tenant = wanted and d.revision > since and d.revision <= s.revision and d.expires_at > clock_timestamp())
      from placet.tenant_state s join placet.tenant t on t.id = s.tenant where s.tenant = wanted;
  end if;
end $$;
`;

const eventsOf = (kinds: string): string => `
      create or replace function placet.record_event(wanted uuid, event text, content jsonb) returns void
        language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
      declare
        state placet.tenant_state;
        record_text text;
        new_hash bytea;
      begin
        if event is null or event not in (${kinds}) then
          raise exception 'placet: there is no event %', event;
        end if;
        perform set_config('placet.tenant', wanted::text, true);
        perform pg_advisory_xact_lock(placet.lock_key(wanted));
        select * into strict state from placet.tenant_state s where s.tenant = wanted for update;
        record_text := json_build_object(
          'v', 1, 'kind', event, 'tenant', wanted, 'writer', 0, 'seq', state.record_seq + 1,
          'prev', encode(state.record_hash, 'hex'),
          'at', to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'about', content
        )::text;
        new_hash := sha256('\\x00'::bytea || convert_to(record_text, 'UTF8'));
        update placet.tenant_state s set record_seq = s.record_seq + 1, record_hash = new_hash where s.tenant = wanted;
        insert into placet.ledger_record (tenant, writer, seq, commit, kind, body, hash)
          values (wanted, 0, state.record_seq + 1, nextval('placet.commit_number'), event, record_text, new_hash);
      end $$;
`;

const BEFORE = "'sign_in', 'sign_out', 'sign_in_refused', 'credential_refused', 'export', 'tenant'";

export const EVENTS_BEFORE_0020 = eventsOf(BEFORE);

/** Events of consents are records as well. */
export const EVENTS_0020 = eventsOf(`${BEFORE}, 'consent'`);

/**
 * What hosts and people do about consents. Each is one call that takes the tenant's lock for itself: what it finds is as it
 * is, and a revocation is over for every decision that is committed after it.
 */
export const CONSENT_FUNCTIONS_0020 = `
-- Adds to the history of a request, and to the ledger.
create function placet.note_consent(wanted uuid, of_request text, what text, who text, about jsonb) returns void
  language plpgsql volatile as $$
begin
  insert into placet.consent_event (tenant, request, kind, by, content) values (wanted, of_request, what, who, about);
  perform placet.record_event(
    wanted, 'consent', jsonb_build_object('event', what, 'request', of_request, 'by', who) || about
  );
end $$;

-- Ends consents for others that came, in the order of their requests, and says so in the history of each.
create function placet.supersede_consents(wanted uuid, ids text[], by_request text) returns void language plpgsql volatile as $$
declare
  of_request text;
  ended jsonb;
begin
  for of_request, ended in
    with over as (
      update placet.consent c set ended_at = clock_timestamp(), ended_for = 'superseded'
        where c.tenant = wanted and c.id = any (ids) and c.ended_at is null
        returning c.request, c.id
    )
    select o.request, jsonb_agg(o.id order by o.id) from over o group by o.request order by o.request
  loop
    perform placet.note_consent(wanted, of_request, 'superseded', 'request:' || by_request, jsonb_build_object('consents', ended));
  end loop;
end $$;

-- A host asks people for what a decision asked of it. An equal request that is open is joined. Outcomes: 'opened', 'joined',
-- 'sent_before' (this very request, by its idempotency key), 'other_body' (that key was used for something else), 'budget'
-- (this person or this host is asked too often, or has refused the same too often: which one is in 'why').
create function placet.open_consent_request(wanted uuid, ask jsonb, budgets jsonb)
  returns table (outcome text, request_id text, why text) language plpgsql volatile as $$
declare
  before placet.consent_request;
  key bytea := decode(ask ->> 'join_key', 'hex');
  body bytea := decode(ask ->> 'body_digest', 'hex');
begin
  perform set_config('placet.tenant', wanted::text, true);
  perform pg_advisory_xact_lock(placet.lock_key(wanted));
  if ask ->> 'idempotency_key' is not null then
    select * into before from placet.consent_request r
      where r.tenant = wanted and r.credential = ask ->> 'credential' and r.idempotency_key = ask ->> 'idempotency_key';
    if found then
      outcome := case when before.body_digest = body then 'sent_before' else 'other_body' end;
      request_id := before.id;
      return next;
      return;
    end if;
  end if;
  update placet.consent_request r set status = 'expired', ended_at = r.expires_at
    where r.tenant = wanted and r.join_key = key and r.status = 'pending' and r.expires_at <= clock_timestamp();
  select * into before from placet.consent_request r where r.tenant = wanted and r.join_key = key and r.status = 'pending';
  if found then
    outcome := 'joined';
    request_id := before.id;
    return next;
    return;
  end if;
  why := case
    when (
      select count(*) from placet.consent_request r
      where r.tenant = wanted and r.subject = ask ->> 'subject' and r.created_at > clock_timestamp() - interval '1 hour'
    ) >= (budgets ->> 'subject')::bigint then 'subject'
    when (
      select count(*) from placet.consent_request r
      where r.tenant = wanted and r.agent = ask ->> 'agent' and r.created_at > clock_timestamp() - interval '1 hour'
    ) >= (budgets ->> 'host')::bigint then 'host'
    when (
      select count(*) from placet.consent_request r
      where r.tenant = wanted and r.subject = ask ->> 'subject' and r.join_key = key and r.status = 'denied'
        and r.created_at > clock_timestamp() - interval '1 day'
    ) >= (budgets ->> 'refusals')::bigint then 'refused'
  end;
  if why is not null then
    outcome := 'budget';
    return next;
    return;
  end if;
  request_id := ask ->> 'id';
  insert into placet.consent_request (tenant, id, join_key, evaluation, credential, host, agent, subject, server, action,
      resource_type, resource_id, session, content, shown, shown_digest, idempotency_key, body_digest, expires_at)
    values (wanted, request_id, key, ask ->> 'evaluation', ask ->> 'credential', ask ->> 'host', ask ->> 'agent',
      ask ->> 'subject', ask ->> 'server', ask ->> 'action', ask ->> 'resource_type', ask ->> 'resource_id',
      ask ->> 'session', ask -> 'content', ask ->> 'shown', sha256(convert_to(ask ->> 'shown', 'UTF8')),
      ask ->> 'idempotency_key', body, clock_timestamp() + make_interval(secs => (ask ->> 'open_ms')::float8 / 1000));
  perform placet.note_consent(wanted, request_id, 'requested', 'host:' || (ask ->> 'host'), jsonb_strip_nulls(jsonb_build_object(
    'evaluation', ask -> 'evaluation', 'subject', ask -> 'subject', 'agent', ask -> 'agent', 'server', ask -> 'server',
    'action', ask -> 'action', 'resource', ask -> 'resource_id',
    'shown', encode(sha256(convert_to(ask ->> 'shown', 'UTF8')), 'hex')
  )));
  -- What was agreed to by an older block of the same rule counts for nothing any more, nor when that block comes back.
  perform placet.supersede_consents(wanted, array(
    select c.id from placet.consent c
      join placet.consent_request r on r.tenant = c.tenant and r.id = c.request
      join jsonb_array_elements(ask -> 'content' -> 'requirements') n
        on n -> 'rule' ->> 'policy' = c.policy and n -> 'rule' ->> 'rule' = c.rule
      cross join lateral (select r.content -> 'requirements' -> c.requirement as was) o
      where c.tenant = wanted and c.ended_at is null and c.subject = ask ->> 'subject' and c.agent = ask ->> 'agent'
        and o.was -> 'consent' is distinct from n -> 'consent'
        and (o.was -> 'rule' ->> 'version')::bigint < (n -> 'rule' ->> 'version')::bigint
  ), request_id);
  outcome := 'opened';
  return next;
end $$;

-- A person answers. What comes of it was worked out on the answers that were there (answers_before) and on the rights of
-- whoever answers (proof). Outcomes: 'answered'; 'moved' (somebody else has answered meanwhile, which changes what comes of
-- it); 'delegation' (it is over, by which they answer in another's place); 'principal' and 'rights' as in a change; 'missing'; 'over' (it is not open any more: status); 'again' (this person
-- has answered it); 'shown' (what they were shown is not what the request says).
create function placet.answer_consent_request(
  wanted uuid, by_principal text, proof jsonb, wanted_request text, answers_before integer, given jsonb, becomes text, consents jsonb
) returns table (outcome text, status text) language plpgsql volatile as $$
declare
  asked placet.consent_request;
  link bytea := decode(given -> 'link' ->> 'mac', 'hex');
  link_ends timestamptz := to_timestamp((given -> 'link' ->> 'until')::float8 / 1000);
begin
  perform set_config('placet.tenant', wanted::text, true);
  perform pg_advisory_xact_lock(placet.lock_key(wanted));
  outcome := nullif(placet.principal_stands(wanted, by_principal, proof), 'stands');
  if outcome is not null then
    return next;
    return;
  end if;
  select * into asked from placet.consent_request r where r.tenant = wanted and r.id = wanted_request;
  if not found then
    outcome := 'missing';
    return next;
    return;
  end if;
  status := case when asked.status = 'pending' and asked.expires_at <= clock_timestamp() then 'expired' else asked.status end;
  outcome := case
    when link is not null and (
      link_ends <= clock_timestamp() or exists (select from placet.used_once u where u.tenant = wanted and u.mac = link)
    ) then 'link'
    when exists (
      select from placet.consent_answer a
      where a.tenant = wanted and a.request = wanted_request and a.person = given ->> 'person'
    ) then 'again'
    when status <> 'pending' then 'over'
    when encode(asked.shown_digest, 'hex') is distinct from given ->> 'shown' then 'shown'
    when given ->> 'delegation' is not null and not exists (
      select from placet.delegation d
      where d.tenant = wanted and d.id = given ->> 'delegation' and d.to_person = given ->> 'person'
        and d.from_person = given ->> 'for_person' and d.ended_at is null and d.expires_at > clock_timestamp()
    ) then 'delegation'
    when answers_before is distinct from (
      select count(*)::integer from placet.consent_answer a where a.tenant = wanted and a.request = wanted_request
    ) then 'moved'
  end;
  if outcome is not null then
    return next;
    return;
  end if;
  if link is not null then
    perform placet.use_once(wanted, link, link_ends);
  end if;
  insert into placet.consent_answer (tenant, request, person, answer, choice, broke_glass, session, acr, amr,
      authenticated_at, shown_digest, for_person, delegation)
    values (wanted, wanted_request, given ->> 'person', given ->> 'answer', nullif(given -> 'choice', 'null'),
      given ->> 'broke_glass', given ->> 'session', given ->> 'acr',
      array(select jsonb_array_elements_text(given -> 'amr')),
      to_timestamp((given ->> 'authenticated_at')::float8 / 1000), asked.shown_digest, given ->> 'for_person',
      given ->> 'delegation');
  status := becomes;
  if becomes <> 'pending' then
    update placet.consent_request r set status = becomes, ended_at = clock_timestamp()
      where r.tenant = wanted and r.id = wanted_request;
  end if;
  if becomes = 'approved' then
    -- Of two agreements to the same the later counts: the person has said anew how far it reaches.
    perform placet.supersede_consents(wanted, array(
      select c.id from placet.consent c
        where c.tenant = wanted and c.ended_at is null
          and c.binding in (select decode(n ->> 'binding', 'hex') from jsonb_array_elements(consents) n)
    ), wanted_request);
    insert into placet.consent (tenant, id, request, requirement, binding, agreed, policy, rule, uses_left, session,
        expires_at, subject, agent, server)
      select wanted, n ->> 'id', wanted_request, (n ->> 'requirement')::integer, decode(n ->> 'binding', 'hex'),
        array(select jsonb_array_elements_text(n -> 'agreed')), n ->> 'policy', n ->> 'rule',
        (n ->> 'uses')::integer, n ->> 'session',
        clock_timestamp() + make_interval(secs => (n ->> 'ms')::float8 / 1000), asked.subject, asked.agent, asked.server
      from jsonb_array_elements(consents) n;
  end if;
  perform placet.note_consent(wanted, wanted_request, 'answered', given ->> 'person', jsonb_strip_nulls(jsonb_build_object(
    'answer', given -> 'answer', 'choice', given -> 'choice', 'broke_glass', given -> 'broke_glass', 'principal', by_principal,
    'for_person', given -> 'for_person', 'delegation', given -> 'delegation',
    'acr', given -> 'acr', 'shown', given -> 'shown', 'status', becomes,
    'consents', (select jsonb_agg(n -> 'id') from jsonb_array_elements(consents) n)
  )));
  outcome := 'answered';
  return next;
end $$;

-- The host takes its request back. Null: there is none of that host; else what it is then.
create function placet.cancel_consent_request(wanted uuid, wanted_request text, by_host text, by_agent text)
  returns table (outcome text, status text) language plpgsql volatile as $$
declare
  asked placet.consent_request;
begin
  perform set_config('placet.tenant', wanted::text, true);
  perform pg_advisory_xact_lock(placet.lock_key(wanted));
  select * into asked from placet.consent_request r
    where r.tenant = wanted and r.id = wanted_request and r.host = by_host and r.agent = by_agent;
  if not found then
    outcome := 'missing';
    return next;
    return;
  end if;
  if asked.status <> 'pending' or asked.expires_at <= clock_timestamp() then
    outcome := 'over';
    status := case asked.status when 'pending' then 'expired' else asked.status end;
    return next;
    return;
  end if;
  update placet.consent_request r set status = 'cancelled', ended_at = clock_timestamp()
    where r.tenant = wanted and r.id = wanted_request;
  perform placet.note_consent(wanted, wanted_request, 'cancelled', 'host:' || by_host, '{}');
  outcome := 'cancelled';
  status := 'cancelled';
  return next;
end $$;

-- The consents that are about a person, by any of their names, or to which they have agreed.
create function placet.consents_of(wanted uuid, names text[], of_person text) returns setof text
  language sql stable as $$
  select c.id from placet.consent c where c.tenant = wanted and c.subject = any (names)
  union
  select c.id from placet.consent_answer a join placet.consent c on c.tenant = a.tenant and c.request = a.request
    where a.tenant = wanted and a.person = of_person and a.answer = 'agreed' and of_person = any (c.agreed)
$$;

-- Ends live consents: those of which all that is given (id, request, subject, agent, server) is so; at least one must be.
-- With 'mine' only those about somebody (by any of their names) or to which they have agreed. When this returns, no
-- decision that is asked for afterwards is an allow on one of them. Outcomes as in a change, or 'revoked' with how many
-- there were. What has expired is ended as well, whatever the clocks of other servers say, and is not said to be revoked.
create function placet.revoke_consents(wanted uuid, by_principal text, proof jsonb, who text, which jsonb, reason text)
  returns table (outcome text, ended bigint) language plpgsql volatile set plan_cache_mode = force_custom_plan as $$
declare
  of_request text;
  ids jsonb;
begin
  perform set_config('placet.tenant', wanted::text, true);
  perform pg_advisory_xact_lock(placet.lock_key(wanted));
  outcome := nullif(placet.principal_stands(wanted, by_principal, proof), 'stands');
  if outcome is not null then
    return next;
    return;
  end if;
  if not which ?| array['id', 'request', 'subject', 'agent', 'server', 'mine'] then
    raise exception 'placet: which consents are to be revoked is not said';
  end if;
  ended := 0;
  for of_request, ids in
    with over as (
      update placet.consent c
        set ended_at = coalesce(c.ended_at, clock_timestamp()),
          ended_for = case when c.ended_at is not null or c.expires_at > clock_timestamp() then 'revoked' end
        where c.tenant = wanted
          -- What is used up still lets the operation go on that it was used for.
          and (c.ended_at is null or c.ended_for = 'used' and c.last_used_at > clock_timestamp() - interval '10 minutes')
          and (not which ? 'id' or c.id = which ->> 'id')
          and (not which ? 'request' or c.request = which ->> 'request')
          and (not which ? 'subject' or c.subject = which ->> 'subject')
          and (not which ? 'agent' or c.agent = which ->> 'agent')
          and (not which ? 'server' or c.server = which ->> 'server')
          and (not which ? 'mine' or c.id in (
            select m.id from placet.consents_of(wanted, array(select jsonb_array_elements_text(which -> 'mine' -> 'names')),
              which #>> '{mine,person}') m (id)
          ))
        returning c.request, c.id, c.ended_for
    )
    select o.request, jsonb_agg(o.id order by o.id) from over o where o.ended_for is not null group by o.request
  loop
    ended := ended + jsonb_array_length(ids);
    perform placet.note_consent(wanted, of_request, 'revoked', who, jsonb_strip_nulls(jsonb_build_object(
      'consents', ids, 'principal', by_principal, 'reason', reason
    )));
  end loop;
  outcome := 'revoked';
  return next;
end $$;
`;

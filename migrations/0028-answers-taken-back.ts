import type { MigrationInterface, QueryRunner } from 'typeorm';
import { ANSWER_CONSENT_REQUEST_0024, REVOKE_CONSENTS_0024, REVOKE_CONSENTS_0028 } from './consent-functions-0024.js';

/** People answer in parts, where several ways of signing in are asked of them, and take back what has not come to anything yet. */
export class AnswersTakenBack0028 implements MigrationInterface {
  readonly name = 'AnswersTakenBack1795132800028';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table placet.consent_answer add column number integer not null default 1, add column withdrawn_at timestamptz,
        drop constraint consent_answer_pkey, add primary key (tenant, request, person, number);
      comment on table placet.consent_answer is 'What a person has answered, how they had signed in, and what they were shown. It is only ever taken back.';
      comment on column placet.consent_answer.number is 'Of the answers of one person to one request.';
      comment on column placet.consent_answer.withdrawn_at is 'When they took it back, before anything came of it; null: it stands.';

      create function placet.answer_stays_withdrawn() returns trigger language plpgsql as $$
      begin
        raise exception 'placet: an answer that was taken back stays so' using errcode = 'insufficient_privilege';
      end $$;
      create trigger stays_withdrawn before update on placet.consent_answer
        for each row when (old.withdrawn_at is not null) execute function placet.answer_stays_withdrawn();
      drop function placet.answer_consent_request;
    `);
    await runner.query(FUNCTIONS_0028);
    await runner.query(REVOKE_CONSENTS_0028);
    await runner.query(liveConsents(AGREED_BEFORE, AGREED));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(liveConsents(AGREED, AGREED_BEFORE));
    await runner.query(`
      drop function placet.take_back_answer;
      drop function placet.answer_consent_request;
      drop trigger stays_withdrawn on placet.consent_answer;
      drop function placet.answer_stays_withdrawn;
      alter table placet.consent_answer no force row level security;
      delete from placet.consent_answer a where a.withdrawn_at is not null;
      delete from placet.consent_answer a using placet.consent_answer o
        where o.tenant = a.tenant and o.request = a.request and o.person = a.person and o.number < a.number;
      alter table placet.consent_answer force row level security, drop constraint consent_answer_pkey,
        drop column number, drop column withdrawn_at, add primary key (tenant, request, person);
      comment on table placet.consent_answer is 'What a person has answered, how they had signed in, and what they were shown. Insert-only.';
    `);
    await runner.query(ANSWER_CONSENT_REQUEST_0024);
    await runner.query(REVOKE_CONSENTS_0024);
  }
}

const AGREED_BEFORE = `a.answer = ''agreed'' and a.person`;
const AGREED = `a.answer = ''agreed'' and a.withdrawn_at is null and a.person`;

/** Changes one condition of what decisions look up, and nothing else of it. */
const liveConsents = (from: string, to: string): string => `
  do $$
  declare
    before text := pg_get_functiondef('placet.live_consents'::regproc);
  begin
    if position('${from}' in before) = 0 then
      raise exception 'placet: live_consents is not what it was';
    end if;
    execute replace(before, '${from}', '${to}');
  end $$`;

/** How often one person may answer one request, and agreements to the same thing that are live at once, for sessions. */
const MOST_ANSWERS = 10;
const MOST_SESSIONS = 20;

const FUNCTIONS_0028 = `
-- A person answers. What comes of it was worked out on the answers that were there (answers_before: how many were given, and
-- taken back) and on the rights of whoever answers (proof). Outcomes: 'answered'; 'moved' (somebody has answered or taken an
-- answer back meanwhile, which changes what comes of it); 'delegation' (it is over, by which they answer in another's place);
-- 'principal' and 'rights' as in a change; 'missing'; 'over' (it is not open any more: status); 'again' (this person has
-- agreed to it, signed in like that, or has answered too often); 'shown' (what they were shown is not what the request says).
create function placet.answer_consent_request(
  wanted uuid, by_principal text, proof jsonb, wanted_request text, answers_before integer, given jsonb, becomes text, consents jsonb
) returns table (outcome text, status text) language plpgsql volatile as $$
declare
  asked placet.consent_request;
  link bytea := decode(given -> 'link' ->> 'mac', 'hex');
  link_ends timestamptz := to_timestamp((given -> 'link' ->> 'until')::float8 / 1000);
  bindings bytea[] := array(select decode(n ->> 'binding', 'hex') from jsonb_array_elements(consents) n);
  why text;
  ids text[];
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
    when status <> 'pending' then 'over'
    when encode(asked.shown_digest, 'hex') is distinct from given ->> 'shown' then 'shown'
    when given ->> 'delegation' is not null and not exists (
      select from placet.delegation d
      where d.tenant = wanted and d.id = given ->> 'delegation' and d.to_person = given ->> 'person'
        and d.from_person = given ->> 'for_person' and d.ended_at is null and d.expires_at > clock_timestamp()
    ) then 'delegation'
    -- Whoever has agreed may still refuse, which ends it for all.
    when given ->> 'answer' = 'agreed' and (
      select count(*) >= ${MOST_ANSWERS}
          or bool_or(a.withdrawn_at is null and a.acr is not distinct from given ->> 'acr')
        from placet.consent_answer a
        where a.tenant = wanted and a.request = wanted_request and a.person = given ->> 'person'
    ) then 'again'
    when answers_before is distinct from (
      select (count(*) + count(a.withdrawn_at))::integer from placet.consent_answer a
      where a.tenant = wanted and a.request = wanted_request
    ) then 'moved'
  end;
  if outcome is not null then
    return next;
    return;
  end if;
  if link is not null then
    perform placet.use_once(wanted, link, link_ends);
  end if;
  insert into placet.consent_answer (tenant, request, person, number, answer, choice, broke_glass, session, acr, amr,
      authenticated_at, shown_digest, for_person, delegation)
    select wanted, wanted_request, given ->> 'person', count(*) + 1, given ->> 'answer', nullif(given -> 'choice', 'null'),
      given ->> 'broke_glass', given ->> 'session', given ->> 'acr',
      array(select jsonb_array_elements_text(given -> 'amr')),
      to_timestamp((given ->> 'authenticated_at')::float8 / 1000), asked.shown_digest, given ->> 'for_person',
      given ->> 'delegation'
    from placet.consent_answer a
    where a.tenant = wanted and a.request = wanted_request and a.person = given ->> 'person';
  status := becomes;
  if becomes <> 'pending' then
    update placet.consent_request r set status = becomes, ended_at = clock_timestamp()
      where r.tenant = wanted and r.id = wanted_request;
  end if;
  if becomes = 'approved' then
    -- What has expired need not be looked at by decisions any more.
    update placet.consent c set ended_at = c.expires_at
      where c.tenant = wanted and c.binding = any (bindings) and c.ended_at is null and c.expires_at <= clock_timestamp();
    -- Of two agreements to the same the later counts: the person has said anew how far it reaches. Those that reach no
    -- further than the sessions in which they were asked for stand beside each other, as many as are looked at.
    perform placet.supersede_consents(wanted, array(
      select c.id from jsonb_array_elements(consents) n join (
        select o.id, o.binding, o.uses_left is null and o.session is null as is_anywhere, r.session as asked_in,
            row_number() over (partition by o.binding order by o.created_at desc, o.id) as place
          from placet.consent o join placet.consent_request r on r.tenant = o.tenant and r.id = o.request
          where o.tenant = wanted and o.binding = any (bindings) and o.ended_at is null
      ) c on c.binding = decode(n ->> 'binding', 'hex')
        where c.is_anywhere or (n ->> 'uses' is null and n ->> 'session' is null)
          or c.asked_in is not distinct from asked.session or c.place >= ${MOST_SESSIONS}
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
  -- What can never apply, because documents have changed since it was asked, is never seen as if it could.
  for why, ids in
    select n ->> 'superseded', array_agg(n ->> 'id') from jsonb_array_elements(consents) n
      where n ->> 'superseded' is not null group by 1 order by 1
  loop
    perform placet.settle_consents(wanted, ids, why);
  end loop;
  outcome := 'answered';
  return next;
end $$;

-- Somebody takes back what they have agreed to: of an open request their answers, which count no more; of an approved one
-- all that came of it. Outcomes: 'taken_back', with what the request is, and how many consents were ended; 'nothing' (they
-- have not agreed to it); 'principal' and 'rights' as in a change.
--
-- INVARIANT: it has the tenant's turn, as every answer: either the last answer that was needed comes first, and what came of
-- it is ended here, or that answer finds this one taken back, and nothing comes of it.
create function placet.take_back_answer(wanted uuid, by_principal text, proof jsonb, wanted_request text, who text)
  returns table (outcome text, status text, ended bigint) language plpgsql volatile as $$
begin
  perform set_config('placet.tenant', wanted::text, true);
  perform pg_advisory_xact_lock(placet.lock_key(wanted));
  outcome := nullif(placet.principal_stands(wanted, by_principal, proof), 'stands');
  if outcome is not null then
    return next;
    return;
  end if;
  ended := 0;
  outcome := 'nothing';
  select case when r.status = 'pending' and r.expires_at <= clock_timestamp() then 'expired' else r.status end into status
    from placet.consent_request r where r.tenant = wanted and r.id = wanted_request;
  if exists (
    select from placet.consent_answer a
    where a.tenant = wanted and a.request = wanted_request and a.person = who and a.answer = 'agreed' and a.withdrawn_at is null
  ) then
    outcome := 'taken_back';
    if status = 'pending' then
      update placet.consent_answer a set withdrawn_at = clock_timestamp()
        where a.tenant = wanted and a.request = wanted_request and a.person = who and a.answer = 'agreed'
          and a.withdrawn_at is null;
      perform placet.note_consent(wanted, wanted_request, 'withdrawn', who, jsonb_build_object('principal', by_principal));
    elsif status = 'approved' then
      select v.ended into ended
        from placet.revoke_consents(wanted, by_principal, proof, who, jsonb_build_object('request', wanted_request), null) v;
    end if;
  end if;
  return next;
end $$;
`;

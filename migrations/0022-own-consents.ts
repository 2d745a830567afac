import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What people see and take back of their own, what ends when documents change, and who answers in whose place. */
export class OwnConsents0022 implements MigrationInterface {
  readonly name = 'OwnConsents1795132800022';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create index consent_by_time on placet.consent (tenant, created_at, id);
      create index consent_of_policy on placet.consent (tenant, policy, id) where ended_at is null;
      create index live_consent_of_server on placet.consent (tenant, server, id) where ended_at is null;
      create index consent_answer_of_person on placet.consent_answer (tenant, person);

      create table placet.delegation (
        tenant uuid not null,
        id text not null,
        from_person text not null,
        to_person text not null,
        created_at timestamptz not null default clock_timestamp(),
        expires_at timestamptz not null,
        ended_at timestamptz,
        primary key (tenant, id),
        check (from_person <> to_person),
        foreign key (tenant, from_person) references placet.person (tenant, id),
        foreign key (tenant, to_person) references placet.person (tenant, id)
      );
      comment on table placet.delegation is 'Who may answer in the place of whom, and until when.';
      create index delegation_from on placet.delegation (tenant, from_person);
      create index delegation_to on placet.delegation (tenant, to_person) where ended_at is null;
      alter table placet.consent_answer add column for_person text, add column delegation text,
        add foreign key (tenant, delegation) references placet.delegation (tenant, id),
        add check ((for_person is null) = (delegation is null));
      comment on column placet.consent_answer.for_person is 'In whose place it was answered, by that delegation; null: their own.';

      create table placet.consents_settled (
        tenant uuid primary key references placet.tenant (id),
        revision bigint not null
      );
      comment on table placet.consents_settled is 'Up to which revision it was looked at which consents can never apply any more.';
    `);
    for (const table of TABLES) {
      await runner.query(`
        alter table placet.${table} enable row level security, force row level security;
        create policy own_tenant on placet.${table}
          using (tenant = placet.current_tenant()) with check (tenant = placet.current_tenant());
      `);
    }
    await runner.query(FUNCTIONS);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop function placet.end_delegation;
      drop function placet.delegate;
      drop function placet.consents_settled_up_to;
      drop function placet.settle_consents;
      drop function placet.consents_used;
      alter table placet.consent_answer drop column delegation, drop column for_person;
      drop table placet.consents_settled;
      drop table placet.delegation;
      drop index placet.consent_answer_of_person;
      drop index placet.live_consent_of_server;
      drop index placet.consent_of_policy;
      drop index placet.consent_by_time;
    `);
  }
}

const TABLES = ['delegation', 'consents_settled'] as const;

/** How many people one may name at a time. */
const MOST_DELEGATIONS = 20;

const FUNCTIONS = `
-- When consents that any number of calls may rest on were last used; those whose uses are counted have it from the commit.
-- Under the lock that commits share: a revocation never waits for one of these rows.
create function placet.consents_used(wanted uuid, consents text[], used_at timestamptz[]) returns void
  language plpgsql volatile as $$
begin
  perform set_config('placet.tenant', wanted::text, true);
  perform pg_advisory_xact_lock_shared(placet.lock_key(wanted));
  perform from placet.consent c where c.tenant = wanted and c.id = any (consents) and c.uses_left is null
    order by c.id for no key update;
  update placet.consent c set last_used_at = greatest(c.last_used_at, n.at)
    from (select u.id, max(u.at) as at from unnest(consents, used_at) u (id, at) group by u.id) n
    where c.tenant = wanted and c.id = n.id and c.uses_left is null;
end $$;

-- Ends consents that can never apply any more. How many there were; the rest was over already.
create function placet.settle_consents(wanted uuid, ids text[], why text) returns bigint
  language plpgsql volatile as $$
declare
  of_request text;
  of_ids jsonb;
  ended bigint := 0;
begin
  perform set_config('placet.tenant', wanted::text, true);
  perform pg_advisory_xact_lock(placet.lock_key(wanted));
  for of_request, of_ids in
    with over as (
      update placet.consent c set ended_at = clock_timestamp(), ended_for = 'superseded'
        where c.tenant = wanted and c.id = any (ids) and c.ended_at is null and c.expires_at > clock_timestamp()
        returning c.request, c.id
    )
    select o.request, jsonb_agg(o.id order by o.id) from over o group by o.request
  loop
    ended := ended + jsonb_array_length(of_ids);
    perform placet.note_consent(wanted, of_request, 'superseded', 'system:consents', jsonb_build_object(
      'consents', of_ids, 'reason', why
    ));
  end loop;
  return ended;
end $$;

create function placet.consents_settled_up_to(wanted uuid, up_to bigint) returns void
  language plpgsql volatile as $$
begin
  perform set_config('placet.tenant', wanted::text, true);
  insert into placet.consents_settled as s (tenant, revision) values (wanted, up_to)
    on conflict (tenant) do update set revision = greatest(s.revision, excluded.revision);
end $$;

-- Somebody names another person who answers in their place for a time. Outcomes: 'delegated'; 'principal' and 'rights' as
-- in a change; 'unknown' (nobody has signed in by that name); 'full' (they have named too many); 'over' (the time is past).
create function placet.delegate(wanted uuid, by_principal text, proof jsonb, new jsonb) returns text
  language plpgsql volatile as $$
declare
  refused text;
begin
  perform set_config('placet.tenant', wanted::text, true);
  perform pg_advisory_xact_lock(placet.lock_key(wanted));
  refused := nullif(placet.principal_stands(wanted, by_principal, proof), 'stands');
  if refused is not null then
    return refused;
  end if;
  if not exists (select from placet.person p where p.tenant = wanted and p.id = new ->> 'to') then
    return 'unknown';
  end if;
  if ((new ->> 'until')::timestamptz > clock_timestamp()) is not true then
    return 'over';
  end if;
  if (
    select count(*) from placet.delegation d where d.tenant = wanted and d.from_person = new ->> 'from'
      and d.ended_at is null and d.expires_at > clock_timestamp()
  ) >= ${MOST_DELEGATIONS} then
    return 'full';
  end if;
  insert into placet.delegation (tenant, id, from_person, to_person, expires_at)
    values (wanted, new ->> 'id', new ->> 'from', new ->> 'to', (new ->> 'until')::timestamptz);
  perform placet.record_event(wanted, 'consent', jsonb_build_object('event', 'delegated', 'by', new -> 'from',
    'delegation', new -> 'id', 'to', new -> 'to', 'until', new -> 'until', 'principal', by_principal));
  return 'delegated';
end $$;

-- Whoever delegated takes it back. Outcomes: 'ended'; 'principal' and 'rights'; 'missing'.
create function placet.end_delegation(wanted uuid, by_principal text, proof jsonb, from_whom text, wanted_id text) returns text
  language plpgsql volatile as $$
declare
  refused text;
begin
  perform set_config('placet.tenant', wanted::text, true);
  perform pg_advisory_xact_lock(placet.lock_key(wanted));
  refused := nullif(placet.principal_stands(wanted, by_principal, proof), 'stands');
  if refused is not null then
    return refused;
  end if;
  update placet.delegation d set ended_at = clock_timestamp()
    where d.tenant = wanted and d.id = wanted_id and d.from_person = from_whom and d.ended_at is null
      and d.expires_at > clock_timestamp();
  if not found then
    return 'missing';
  end if;
  perform placet.record_event(wanted, 'consent', jsonb_build_object('event', 'delegation_ended', 'by', from_whom,
    'delegation', wanted_id, 'principal', by_principal));
  return 'ended';
end $$;
`;

import type { MigrationInterface, QueryRunner } from 'typeorm';
import { COMMIT_DECISIONS_0004, COMMIT_DECISIONS_0020 } from './commit-decisions-0020.js';
import { CONSENT_FUNCTIONS_0020, EVENTS_0020, EVENTS_BEFORE_0020 } from './consent-functions-0020.js';

/** What people are asked for, what they have answered, and the agreements that come of it. */
export class Consents0020 implements MigrationInterface {
  readonly name = 'Consents1795132800020';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table placet.ledger_record add column subject bytea;
      comment on column placet.ledger_record.subject is 'Of a decision, SHA-256 of whom it was about, by which they find it; the body says who it was.';
      create index ledger_record_of_subject on placet.ledger_record (tenant, subject, commit, seq) where subject is not null;

      create table placet.consent_request (
        tenant uuid not null references placet.tenant (id),
        id text not null,
        join_key bytea not null,
        evaluation text not null,
        credential text not null,
        host text not null,
        agent text not null,
        subject text not null,
        server text,
        action text not null,
        resource_type text not null,
        resource_id text not null,
        session text,
        content jsonb not null,
        shown text not null,
        shown_digest bytea not null,
        idempotency_key text,
        body_digest bytea not null,
        status text not null default 'pending' check (status in ('pending', 'approved', 'denied', 'expired', 'cancelled')),
        created_at timestamptz not null default clock_timestamp(),
        expires_at timestamptz not null,
        ended_at timestamptz,
        primary key (tenant, id)
      );
      comment on table placet.consent_request is 'What a host has asked people to agree to.';
      comment on column placet.consent_request.join_key is 'SHA-256 of what is asked of whom through whom: equal open requests are one.';
      comment on column placet.consent_request.evaluation is 'The decision that asked.';
      comment on column placet.consent_request.content is 'The requirements, each with what an agreement is bound to, and the choices.';
      comment on column placet.consent_request.shown is 'What people are shown, as JSON; its SHA-256 is what they answer to.';
      create unique index consent_request_open on placet.consent_request (tenant, join_key) where status = 'pending';
      create unique index consent_request_sent_once on placet.consent_request (tenant, credential, idempotency_key)
        where idempotency_key is not null;
      create index consent_request_of_subject on placet.consent_request (tenant, subject, created_at);
      create index consent_request_of_agent on placet.consent_request (tenant, agent, created_at);
      create index consent_request_pending on placet.consent_request (tenant, created_at) where status = 'pending';

      create table placet.consent_answer (
        tenant uuid not null,
        request text not null,
        person text not null,
        answer text not null check (answer in ('agreed', 'refused')),
        choice jsonb,
        broke_glass text,
        session text not null,
        acr text,
        amr text[] not null default '{}',
        authenticated_at timestamptz,
        shown_digest bytea not null,
        at timestamptz not null default clock_timestamp(),
        primary key (tenant, request, person),
        foreign key (tenant, request) references placet.consent_request (tenant, id),
        foreign key (tenant, person) references placet.person (tenant, id)
      );
      comment on table placet.consent_answer is 'What a person has answered, how they had signed in, and what they were shown. Insert-only.';
      comment on column placet.consent_answer.broke_glass is 'Why, where they were not among those who may agree and broke the glass.';

      create table placet.consent (
        tenant uuid not null,
        id text not null,
        request text not null,
        requirement integer not null,
        binding bytea not null,
        agreed text[] not null,
        policy text,
        rule text,
        uses_left integer check (uses_left >= 0),
        session text,
        created_at timestamptz not null default clock_timestamp(),
        expires_at timestamptz not null,
        ended_at timestamptz,
        ended_for text check (ended_for in ('used', 'revoked', 'superseded')),
        subject text not null,
        agent text not null,
        server text,
        last_used_at timestamptz,
        primary key (tenant, id),
        foreign key (tenant, request) references placet.consent_request (tenant, id)
      );
      comment on table placet.consent is 'What people have agreed to: one row for each requirement of a request that was met.';
      comment on column placet.consent.binding is 'SHA-256 of all that it was given for: whatever differs is something else.';
      comment on column placet.consent.agreed is 'Those who agreed: whether they still may is looked at in each use.';
      comment on column placet.consent.uses_left is 'Null: any number.';
      -- A consent that has ended stays so, and its uses only become fewer, whatever the service does.
      create function placet.consent_only_ends() returns trigger language plpgsql as $$
      begin
        if (old.ended_at is not null and new.ended_at is distinct from old.ended_at)
           or (new.uses_left is null) <> (old.uses_left is null) or new.uses_left > old.uses_left then
          raise exception 'placet: a consent only ends' using errcode = 'insufficient_privilege';
        end if;
        return new;
      end $$;
      create trigger only_ends before update on placet.consent for each row execute function placet.consent_only_ends();
      create index consent_by_binding on placet.consent (tenant, binding) where ended_at is null;
      create index consent_of_request on placet.consent (tenant, request);
      create index consent_of_subject on placet.consent (tenant, subject, created_at);
      create index consent_of_agent on placet.consent (tenant, agent, created_at);
      create index consent_of_server on placet.consent (tenant, server, created_at);

      create table placet.consent_use (
        tenant uuid not null,
        consent text not null,
        writer bigint not null,
        seq bigint not null,
        at timestamptz not null default clock_timestamp(),
        primary key (tenant, consent, writer, seq),
        foreign key (tenant, consent) references placet.consent (tenant, id)
      );
      comment on table placet.consent_use is 'The decisions that took a use of a consent whose uses are counted. Insert-only.';

      create table placet.consent_retry (
        tenant uuid not null,
        consent text not null,
        of_writer bigint not null,
        of_seq bigint not null,
        writer bigint not null,
        seq bigint not null,
        at timestamptz not null default clock_timestamp(),
        primary key (tenant, consent, of_writer, of_seq, writer, seq),
        foreign key (tenant, consent, of_writer, of_seq) references placet.consent_use (tenant, consent, writer, seq)
      );
      comment on table placet.consent_retry is 'The decisions that went on with an operation after a use was taken for it. Insert-only.';

      create table placet.consent_event (
        tenant uuid not null,
        request text not null,
        number bigint not null generated by default as identity,
        kind text not null,
        by text not null,
        at timestamptz not null default clock_timestamp(),
        content jsonb not null,
        primary key (tenant, request, number),
        foreign key (tenant, request) references placet.consent_request (tenant, id)
      );
      comment on table placet.consent_event is 'What became of a request and its consents, in order. Insert-only; the ledger has it, too.';
    `);
    for (const table of TABLES) {
      await runner.query(`
        alter table placet.${table} enable row level security, force row level security;
        create policy own_tenant on placet.${table}
          using (tenant = placet.current_tenant()) with check (tenant = placet.current_tenant());
      `);
    }
    await runner.query('drop function placet.commit_decisions');
    await runner.query(COMMIT_DECISIONS_0020);
    await runner.query(EVENTS_0020);
    await runner.query(CONSENT_FUNCTIONS_0020);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop function placet.revoke_consents;
      drop function placet.consents_of;
      drop function placet.cancel_consent_request;
      drop function placet.answer_consent_request;
      drop function placet.open_consent_request;
      drop function placet.supersede_consents;
      drop function placet.note_consent;
      drop function placet.commit_decisions;
      drop function placet.take_uses;
      drop function placet.consents_refuse;
      drop function placet.may_go_on;
      drop function placet.relied_consent;
    `);
    await runner.query(EVENTS_BEFORE_0020);
    await runner.query(COMMIT_DECISIONS_0004);
    for (const table of TABLES.toReversed()) await runner.query(`drop table placet.${table}`);
    await runner.query('drop function placet.consent_only_ends');
    await runner.query('alter table placet.ledger_record drop column subject');
  }
}

const TABLES = [
  'consent_request',
  'consent_answer',
  'consent',
  'consent_use',
  'consent_retry',
  'consent_event',
] as const;

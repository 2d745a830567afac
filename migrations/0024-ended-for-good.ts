import type { MigrationInterface, QueryRunner } from 'typeorm';
import { CLAIM_NOTIFICATIONS_0023, CLAIM_NOTIFICATIONS_0024 } from './claim-notifications-0024.js';
import {
  ANSWER_CONSENT_REQUEST_0020,
  ANSWER_CONSENT_REQUEST_0024,
  OPEN_CONSENT_REQUEST_0020,
  OPEN_CONSENT_REQUEST_0024,
  REVOKE_CONSENTS_0020,
  REVOKE_CONSENTS_0024,
} from './consent-functions-0024.js';

/** What was refused or taken back stays so, under whatever name; and what was signed can be verified for good. */
export class EndedForGood0024 implements MigrationInterface {
  readonly name = 'EndedForGood1795132800024';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(OPEN_CONSENT_REQUEST_0024);
    await runner.query(ANSWER_CONSENT_REQUEST_0024);
    await runner.query(REVOKE_CONSENTS_0024);
    await runner.query(CLAIM_NOTIFICATIONS_0024);
    await runner.query(`
      create index live_consent_of_agent on placet.consent (tenant, agent, id) where ended_at is null;

      create table placet.receipt_key (
        tenant uuid not null references placet.tenant (id),
        id text not null,
        public_jwk jsonb not null,
        made_at timestamptz not null default clock_timestamp(),
        replaced_at timestamptz,
        primary key (tenant, id)
      );
      comment on table placet.receipt_key is 'Public parts of the keys that have signed receipts, kept as long as the tenant is. No token is verified by them.';
      comment on column placet.receipt_key.replaced_at is 'Null: it signs. It has signed nothing that was issued later.';

      -- Row level security holds for the owner as well: the keys that are there already are read without it.
      alter table placet.signing_key no force row level security;
      insert into placet.receipt_key (tenant, id, public_jwk, made_at, replaced_at)
        select k.tenant, k.id, k.public_jwk, k.created_at, k.retires_at - interval '24 hours'
        from placet.signing_key k where k.algorithm = 'ES256';
      alter table placet.signing_key force row level security;

      alter table placet.receipt_key enable row level security, force row level security;
      create policy own_tenant on placet.receipt_key
        using (tenant = placet.current_tenant()) with check (tenant = placet.current_tenant());

      create function placet.keep_receipt_key() returns trigger
        language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
      begin
        perform set_config('placet.tenant', new.tenant::text, true);
        if tg_op = 'INSERT' then
          insert into placet.receipt_key (tenant, id, public_jwk) values (new.tenant, new.id, new.public_jwk);
        elsif new.retires_at is not null then
          update placet.receipt_key k set replaced_at = clock_timestamp()
            where k.tenant = new.tenant and k.id = new.id and k.replaced_at is null;
        end if;
        return null;
      end $$;
      create trigger keep_receipt_key after insert or update of retires_at on placet.signing_key
        for each row when (new.algorithm = 'ES256') execute function placet.keep_receipt_key();
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop trigger keep_receipt_key on placet.signing_key;
      drop function placet.keep_receipt_key;
      drop table placet.receipt_key;
      drop index placet.live_consent_of_agent;
    `);
    await runner.query(CLAIM_NOTIFICATIONS_0023);
    await runner.query(REVOKE_CONSENTS_0020);
    await runner.query(ANSWER_CONSENT_REQUEST_0020);
    await runner.query(OPEN_CONSENT_REQUEST_0020);
  }
}

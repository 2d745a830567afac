import type { MigrationInterface, QueryRunner } from 'typeorm';
import { replaced } from './replaced.js';

/** Whose a key of an administrator is: who made it, or gave it another secret since. It ends with what that person has. */
export class KeysOfPeople0042 implements MigrationInterface {
  readonly name = 'KeysOfPeople1795132800042';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table placet.credential add column person text;
      comment on column placet.credential.person is 'Of an administrator''s: the person who made it, or rotated it last, themselves or by a key of theirs. Null: not known.';
      create index credential_by_person on placet.credential (tenant, person) where person is not null;

      -- The person who makes a change, as in user:entra/3f2c; of a key, the one whose it is. Null: nobody knows.
      create function placet.person_behind(wanted uuid, by_principal text) returns text language sql stable as $$
        select case split_part(by_principal, ':', 1)
          when 'session' then (select s.person from placet.session s where s.tenant = wanted and 'session:' || s.id = by_principal)
          when 'token' then (
            select t.account from placet.oauth_state t
            where t.tenant = wanted and t.model = 'AccessToken' and 'token:' || t.id = by_principal
          )
          when 'key' then (select c.person from placet.credential c where c.tenant = wanted and 'key:' || c.id = by_principal)
        end
      $$;
    `);
    for (const [from, to] of PATCHES) await runner.query(replaced('apply_operation', from, to));
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const [from, to] of PATCHES) await runner.query(replaced('apply_operation', to, from));
    await runner.query(`
      drop function placet.person_behind;
      drop index placet.credential_by_person;
      alter table placet.credential drop column person;
    `);
  }
}

const PATCHES: readonly (readonly [string, string])[] = [
  [`issuer, subject, created_by, expires_at, revision)`, `issuer, subject, created_by, expires_at, revision, person)`],
  [
    `by_principal, (op ->> 'expires_at')::timestamptz, at_revision);`,
    `by_principal, (op ->> 'expires_at')::timestamptz, at_revision,
                case when op ->> 'principal_kind' = 'administrator' then placet.person_behind(wanted, by_principal) end);`,
  ],
  // Whoever had it before does not know the secret any more.
  [
    `update placet.credential c set revision = at_revision where c.tenant = wanted and c.id = op ->> 'id';
            update placet.credential_secret s`,
    `update placet.credential c set revision = at_revision,
                person = case when c.principal_kind = 'administrator' then placet.person_behind(wanted, by_principal) end
              where c.tenant = wanted and c.id = op ->> 'id';
            update placet.credential_secret s`,
  ],
  [
    `when 'save_draft' then`,
    `when 'end_keys' then
            update placet.credential c set revision = at_revision, disabled_at = coalesce(c.disabled_at, clock_timestamp())
              where c.tenant = wanted and c.person = any (array(select jsonb_array_elements_text(op -> 'persons')));
          when 'save_draft' then`,
  ],
];

import type { MigrationInterface, QueryRunner } from 'typeorm';
import { replaced } from './replaced.js';

/**
 * What an identity provider has said of a person counts only while nothing newer is known of them: whoever was held up on
 * the way takes nothing back, by whatever protocol.
 */
export class OvertakenSignIns0041 implements MigrationInterface {
  readonly name = 'OvertakenSignIns1795132800041';

  async up(runner: QueryRunner): Promise<void> {
    for (const { of, from, to } of PATCHES) await runner.query(replaced(of, from, to));
    await runner.query(`
      comment on column placet.person.read_at is
        'When the last sign-in was written down, or the reading of a directory was begun, that it is from: what was asked for before it is older.';
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const { of, from, to } of PATCHES) await runner.query(replaced(of, to, from));
  }
}

const PATCHES = [
  // Asked for before something that was written down since, and different from it, is taken for older than that. Whoever
  // does not say when they asked, asked before everything.
  {
    of: 'sign_in',
    from: `        select p.claims into claims_before from placet.person p`,
    to: `        if exists (
          select from placet.person p where p.tenant = wanted and p.id = who ->> 'id'
            and p.read_at >= coalesce(to_timestamp((who ->> 'asked_at')::float8 / 1000), '-infinity')
            and (p.issuer, p.claims, p.name, p.email)
              is distinct from (who ->> 'issuer', who -> 'claims', who ->> 'name', who ->> 'email')
        ) then
          outcome := 'overtaken';
          return next;
          return;
        end if;

        select p.claims into claims_before from placet.person p`,
  },
  {
    of: 'sign_in',
    from: `insert into placet.person (tenant, id, issuer, claims, name, email)
          values (wanted, who ->> 'id', who ->> 'issuer', who -> 'claims', who ->> 'name', who ->> 'email')`,
    to: `insert into placet.person as p (tenant, id, issuer, claims, name, email, read_at)
          values (wanted, who ->> 'id', who ->> 'issuer', who -> 'claims', who ->> 'name', who ->> 'email', clock_timestamp())`,
  },
  // What was asked for before and is the same makes nothing newer.
  {
    of: 'sign_in',
    from: `              last_at = clock_timestamp();`,
    to: `              last_at = clock_timestamp(),
              read_at = case
                when p.read_at >= coalesce(to_timestamp((who ->> 'asked_at')::float8 / 1000), '-infinity') then p.read_at
                else clock_timestamp()
              end;`,
  },
  {
    of: 'sign_in_from_directory',
    from: `from placet.sign_in(wanted, who, session, content) s;
        if outcome = 'signed_in' then
          update placet.person p set read_at = asked_at where p.tenant = wanted and p.id = who ->> 'id';
        end if;`,
    to: `from placet.sign_in(wanted, who, session, content) s;`,
  },
] as const;

import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The rights of administrators' keys are roles: what was `{role: owner}` is `{roles: [owner]}`, and a reader is an auditor.
 * Row level security would hide the keys of every tenant from this, so it is not forced on the owner meanwhile; nor does it
 * make a revision of each tenant: no replica that reads roles holds a state of before.
 */
export class RolesOfKeys0013 implements MigrationInterface {
  readonly name = 'RolesOfKeys1795132800013';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table placet.credential no force row level security,
        disable trigger require_bump_on_update, disable trigger count_on_update;
      update placet.credential c
        set rights = jsonb_build_object('roles', jsonb_build_array(
          case c.rights ->> 'role' when 'reader' then 'auditor' else c.rights ->> 'role' end
        ))
        where c.principal_kind = 'administrator' and c.rights ? 'role';
      alter table placet.credential force row level security,
        enable trigger require_bump_on_update, enable trigger count_on_update;
    `);
  }

  /** Who has other roles than these has none that the version before knows, and so no rights. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table placet.credential no force row level security,
        disable trigger require_bump_on_update, disable trigger count_on_update;
      update placet.credential c
        set rights = jsonb_build_object('role', case when c.rights -> 'roles' ? 'owner' then 'owner' else 'reader' end)
        where c.principal_kind = 'administrator' and c.rights -> 'roles' ?| array['owner', 'auditor'];
      alter table placet.credential force row level security,
        enable trigger require_bump_on_update, enable trigger count_on_update;
    `);
  }
}

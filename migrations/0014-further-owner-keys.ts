import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * A further key of an owner, which an operator makes for a tenant whose owners are all lost.
 *
 * INVARIANT: as in operator-0011: the tenant's lock first and the home tenant's last, the operator looked at again under the
 * latter. Not for the home tenant: there it would make an owner of whoever is only an operator. What is made is told by the
 * id and the MAC alone, so that by this nothing else can be made.
 */
export class FurtherOwnerKeys0014 implements MigrationInterface {
  readonly name = 'FurtherOwnerKeys1795132800014';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create function placet.make_owner_key(
        by_principal text, proof jsonb, wanted_name text, key_id text, key_environment text, key_mac text, why text
      ) returns bigint language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
      declare
        wanted uuid := placet.operated(wanted_name, false);
        made record;
      begin
        if (length(key_mac) > 0 and length(why) > 0) is not true then
          raise exception 'placet: the key of an owner has a secret and a reason';
        end if;
        select * into made from placet.commit_change(wanted, 'system:operator', null, null, false, '{}', false,
          jsonb_build_array(jsonb_build_object(
            'op', 'create_credential', 'id', key_id, 'principal_kind', 'administrator', 'principal', 'owner',
            'environment', key_environment, 'rights', '{"roles": ["owner"]}'::jsonb, 'expires_at', null, 'mac', key_mac
          )),
          jsonb_build_object('message', why));
        if made.outcome is distinct from 'committed' then
          raise exception 'placet: the key of an owner came to %', made.outcome;
        end if;
        perform placet.record_operation(by_principal, proof, wanted, wanted_name, 'tenant',
          jsonb_build_object('action', 'owner_key_made', 'credential', key_id, 'reason', why));
        return made.new_revision;
      end $$;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop function placet.make_owner_key');
  }
}

import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What every replica reads after every change, and every administrator's call before it begins, each as one call: beside a
 * revocation under load, the round trips of a transaction around one statement cost more than the statement.
 */
export class ReadsInOneCall0016 implements MigrationInterface {
  readonly name = 'ReadsInOneCall1795132800016';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- A credential as replicas know it.
      create function placet.credential_as_json(c placet.credential) returns json
        language sql stable
        return json_build_object(
          'id', c.id, 'kind', c.kind, 'cidrs', c.cidrs, 'jwks', c.jwks, 'issuer', c.issuer, 'subject', c.subject,
          'principalKind', c.principal_kind, 'principal', c.principal, 'environment', c.environment, 'rights', c.rights,
          'expires', c.expires_at, 'disabled', c.disabled_at is not null,
          'secrets', (
            select json_agg(json_build_object('mac', encode(s.mac, 'hex'), 'expires', s.expires_at) order by s.number)
            from placet.credential_secret s where s.tenant = c.tenant and s.credential = c.id
          )
        );

      -- What of a tenant is new since a revision (0: everything), and its numbers; no row where there is no such tenant.
      --
      -- INVARIANT: numbers and contents are read by one statement, so contents are never older than the epoch that they are
      -- used under. It is planned anew each time: everything and the last change want different plans.
      create function placet.tenant_delta(wanted uuid, since bigint) returns table (
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

      -- One credential as it is at this moment, or null, and the tenant's numbers.
      create function placet.credential_now(wanted uuid, credential_id text)
        returns table (revision bigint, epoch bigint, credential json) language plpgsql volatile as $$
      begin
        perform set_config('placet.tenant', wanted::text, true);
        return query
          select s.revision, s.epoch,
            (select placet.credential_as_json(c) from placet.credential c where c.tenant = wanted and c.id = credential_id)
          from placet.tenant_state s where s.tenant = wanted;
      end $$;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop function placet.credential_now;
      drop function placet.tenant_delta;
      drop function placet.credential_as_json;
    `);
  }
}

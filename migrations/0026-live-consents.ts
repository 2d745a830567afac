import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What a decision that asks looks up before it is committed, as one call whose plan is kept: planned anew each time, within a
 * transaction of its own, the lookup cost twenty times what the commit of the decision does.
 */
export class LiveConsents0026 implements MigrationInterface {
  readonly name = 'LiveConsents1795132800026';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- Live consents to some things (by their bindings, in hexadecimal), with those who agreed, and the tenant's epoch.
      --
      -- INVARIANT: the epoch is read by the same statement: what is known of those who agreed is no newer than it.
      create function placet.live_consents(wanted uuid, bindings text[], most integer)
        returns table (epoch bigint, consents json) language plpgsql volatile as $$
      begin
        perform set_config('placet.tenant', wanted::text, true);
        return query
          select s.epoch, (
            select json_agg(json_build_object(
              'id', c.id, 'request', c.request, 'requirement', c.requirement, 'binding', encode(c.binding, 'hex'),
              'policy', c.policy, 'rule', c.rule, 'usesLeft', c.uses_left, 'session', c.session,
              'createdAt', extract(epoch from c.created_at) * 1000, 'expiresAt', extract(epoch from c.expires_at) * 1000,
              'endedAt', null, 'endedFor', null, 'subject', c.subject, 'agent', c.agent, 'server', c.server,
              'lastUsedAt', extract(epoch from c.last_used_at) * 1000,
              'agreed', (
                select coalesce(json_agg(json_build_object(
                  'person', a.person, 'issuer', p.issuer, 'claims', p.claims, 'acr', a.acr, 'brokeGlass', a.broke_glass,
                  'for', case when a.for_person is not null then
                    json_build_object('person', f.id, 'issuer', f.issuer, 'claims', f.claims) end
                ) order by a.person), '[]')
                from placet.consent_answer a
                  join placet.person p on p.tenant = a.tenant and p.id = a.person
                  left join placet.person f on f.tenant = a.tenant and f.id = a.for_person
                where a.tenant = c.tenant and a.request = c.request and a.answer = 'agreed' and a.person = any (c.agreed)
              )
            ) order by c.created_at desc)
            from (
              -- Found by what they are to, however many there are, and ordered then.
              select * from (
                select * from placet.consent c
                where c.tenant = wanted and c.ended_at is null and c.expires_at > clock_timestamp()
                  and c.binding = any (array(select decode(b, 'hex') from unnest(bindings) b))
                offset 0
              ) live order by created_at desc limit most
            ) c
          )
          from placet.tenant_state s where s.tenant = wanted;
      end $$;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop function placet.live_consents');
  }
}

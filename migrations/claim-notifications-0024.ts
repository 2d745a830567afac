/** Takes some that are due, in an order; else as migration 0023 made it, to the blank. */
const claiming = (order: string): string => `
      create or replace function placet.claim_notifications(wanted uuid, most integer, lease_ms double precision)
        returns table (
          id text, attempt integer, url text, secret text, event text, at double precision, status text, loud boolean,
          tenant_name text, request text, subject text, agent text, server text, action text, resource_type text, resource_id text
        ) language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
      begin
        perform set_config('placet.tenant', wanted::text, true);
        return query
          with due as (
            select n.id from placet.notification n
              where n.tenant = wanted and n.ended_at is null and n.due_at <= clock_timestamp()
              order by ${order} limit most for update skip locked
          ), taken as (
            update placet.notification n
              set attempts = n.attempts + 1, due_at = clock_timestamp() + make_interval(secs => lease_ms / 1000)
              from due where n.tenant = wanted and n.id = due.id
              returning n.*
          )
          select n.id, n.attempts, n.url, (
              select hook ->> 'secret'
              from placet.document d, jsonb_path_query(d.body, 'lax $.notifications.webhooks[*]') hook
              where d.tenant = wanted and d.kind = 'Tenant' and hook ->> 'url' = n.url limit 1
            ), n.event, (extract(epoch from n.at) * 1000)::double precision, n.status, n.loud, t.name,
            r.id, r.subject, r.agent, r.server, r.action, r.resource_type, r.resource_id
          from taken n join placet.tenant t on t.id = wanted
            join placet.consent_request r on r.tenant = wanted and r.id = n.request
          order by n.at;
      end $$;
`;

export const CLAIM_NOTIFICATIONS_0023 = claiming('n.due_at');

/** What was tried least comes first: what one receiver does not take is in the way of none that does. */
export const CLAIM_NOTIFICATIONS_0024 = claiming('n.attempts, n.due_at');

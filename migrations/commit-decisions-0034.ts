/** The fence as of migration 0027, with the guardrails that stand above the tenant. A call that does not name theirs is refused. */
export const COMMIT_DECISIONS_0034 = `
-- The fence (docs/adr/0004-the-fence.md). Decisions were evaluated in a replica's memory at some epoch; here they become valid, or not.
--
-- INVARIANT: one call, in a READ COMMITTED transaction of its own. The shared lock comes before every read, and each
-- statement of a volatile function reads what was committed when it began: so a change either was committed before
-- the lock was taken and is seen below, or waits until these decisions are committed. The lock of the guardrails is the same
-- for what stands above all tenants; it is taken after that of the tenant, here and by whoever changes them.
create function placet.commit_decisions(
  wanted uuid, by_writer bigint, first_seq bigint, epochs bigint[], nows timestamptz[], until timestamptz[],
  touched text[], kinds text[], bodies text[], hashes bytea[], relied text[],
  subjects text[] default null, guardrails bigint[] default null
) returns table (
  failed integer[], reasons text[], current_revision bigint, current_epoch bigint, current_guardrails bigint,
  database_now timestamptz
) language plpgsql volatile set plan_cache_mode = force_generic_plan as $$
declare
  number bigint;
  takes_uses boolean := array_to_string(relied, ' ') ~ '[!~]';
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'placet: decisions must be committed in a READ COMMITTED transaction';
  end if;
  perform set_config('placet.tenant', wanted::text, true);
  perform pg_advisory_xact_lock_shared(placet.lock_key(wanted));
  perform pg_advisory_xact_lock_shared(placet.guardrail_lock());
  number := nextval('placet.commit_number');
  select s.revision, s.epoch into strict current_revision, current_epoch
    from placet.tenant_state s where s.tenant = wanted;
  current_guardrails := placet.guardrail_epoch();
  database_now := clock_timestamp();

  -- Whoever takes a use of the same consent waits here, everybody in the same order, and sees below what is left.
  -- Those that any number of calls may rest on need no such turn: a revocation has the lock above for itself.
  if takes_uses then
    perform from placet.consent c
      where c.tenant = wanted and c.id in (
        select placet.relied_consent(r) from unnest(relied) i, string_to_table(i, E'\\x1f') r
        where right(r, 1) = '!' or r like '%~%'
      )
      order by c.id for update;
    database_now := clock_timestamp();
  end if;

  -- Each question is asked so that a null answers it on the safe side.
  select array_agg(v.place::integer order by v.place), array_agg(v.reason order by v.place) into failed, reasons
  from (
    select i.place, case
      when (i.epoch <= current_epoch) is not true then 'ahead'
      when i.guardrails > current_guardrails then 'ahead'
      when (i.guardrails = current_guardrails) is not true then 'overtaken'
      when (i.now between database_now - interval '1 second' and database_now + interval '1 second') is not true then 'clock'
      when i.until <= database_now then 'expired'
      when i.epoch < current_epoch and exists (
        select from placet.change c
        where c.tenant = wanted and c.epoch > i.epoch and c.restricting
          and (c.keys && string_to_array(i.touched, E'\\x1f') or '*' = any (c.keys))
      ) then 'overtaken'
      when i.rests is distinct from '' then placet.consents_refuse(wanted, relied, i.place::integer, database_now)
    end as reason
    from unnest(epochs, nows, until, touched, relied, guardrails)
      with ordinality as i (epoch, now, until, touched, rests, guardrails, place)
  ) v where v.reason is not null;

  if failed is null then
    insert into placet.ledger_record (tenant, writer, seq, commit, kind, body, hash, subject)
      select wanted, by_writer, first_seq + r.place - 1, number, r.kind, r.body, r.hash, decode(r.subject, 'hex')
      from unnest(kinds, bodies, hashes, subjects) with ordinality as r (kind, body, hash, subject, place);
    if takes_uses then
      perform placet.take_uses(wanted, by_writer, first_seq, relied);
    end if;
  end if;
  return next;
end $$;
`;

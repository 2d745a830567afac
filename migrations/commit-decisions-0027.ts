/** The fence as of migration 0020, with less work where no use of a consent is taken. */
export const COMMIT_DECISIONS_0027 = `
-- What speaks against the consents that one of some decisions rests on. Decisions of the same batch take theirs in order.
-- Null: nothing.
create or replace function placet.consents_refuse(wanted uuid, relied text[], nth integer, database_now timestamptz) returns text
  language plpgsql volatile as $$
declare
  each text;
  agreement placet.consent;
  taken integer;
begin
  if relied[nth] is null then
    return 'consent';
  end if;
  foreach each in array string_to_array(relied[nth], E'\\x1f') loop
    select * into agreement from placet.consent c where c.tenant = wanted and c.id = placet.relied_consent(each);
    if not found then
      return 'consent';
    end if;
    if each ~ '[!~]' then
      select count(*) into taken from unnest(relied[1:nth]) i, string_to_table(i, E'\\x1f') r where r = each;
    end if;
    if each like '%~%' then
      if placet.may_go_on(wanted, agreement, each, taken, database_now) is not true then
        return 'consent';
      end if;
      continue;
    end if;
    if agreement.ended_at is not null or (agreement.expires_at > database_now) is not true then
      return case agreement.ended_for when 'used' then 'consent_used' else 'consent' end;
    end if;
    if (right(each, 1) = '!') is distinct from (agreement.uses_left is not null) then
      return 'consent';
    end if;
    if agreement.uses_left is not null and (taken <= agreement.uses_left) is not true then
      return 'consent_used';
    end if;
  end loop;
  return null;
end $$;

-- The fence (docs/adr/0004-the-fence.md). Decisions were evaluated in a replica's memory at some epoch; here they become valid, or not.
--
-- INVARIANT: one call, in a READ COMMITTED transaction of its own. The shared lock comes before every read, and each
-- statement of a volatile function reads what was committed when it began: so a change either was committed before
-- the lock was taken and is seen below, or waits until these decisions are committed.
create or replace function placet.commit_decisions(
  wanted uuid, by_writer bigint, first_seq bigint, epochs bigint[], nows timestamptz[], until timestamptz[],
  touched text[], kinds text[], bodies text[], hashes bytea[], relied text[],
  subjects text[] default null
) returns table (
  failed integer[], reasons text[], current_revision bigint, current_epoch bigint, database_now timestamptz
) language plpgsql volatile as $$
declare
  number bigint;
  takes_uses boolean := array_to_string(relied, ' ') ~ '[!~]';
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'placet: decisions must be committed in a READ COMMITTED transaction';
  end if;
  perform set_config('placet.tenant', wanted::text, true);
  perform pg_advisory_xact_lock_shared(placet.lock_key(wanted));
  number := nextval('placet.commit_number');
  select s.revision, s.epoch into strict current_revision, current_epoch
    from placet.tenant_state s where s.tenant = wanted;
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
      when (i.now between database_now - interval '1 second' and database_now + interval '1 second') is not true then 'clock'
      when i.until <= database_now then 'expired'
      when i.epoch < current_epoch and exists (
        select from placet.change c
        where c.tenant = wanted and c.epoch > i.epoch and c.restricting
          and (c.keys && string_to_array(i.touched, E'\\x1f') or '*' = any (c.keys))
      ) then 'overtaken'
      when i.rests is distinct from '' then placet.consents_refuse(wanted, relied, i.place::integer, database_now)
    end as reason
    from unnest(epochs, nows, until, touched, relied) with ordinality as i (epoch, now, until, touched, rests, place)
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

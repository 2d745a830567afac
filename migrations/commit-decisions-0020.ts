/** The fence as migration 0004 made it. */
export const COMMIT_DECISIONS_0004 = `
      -- The fence (docs/adr/0004-the-fence.md). Decisions were evaluated in a replica's memory at some epoch; here they become valid, or not.
      --
      -- INVARIANT: one call, in a READ COMMITTED transaction of its own. The shared lock comes before every read, and each
      -- statement of a volatile function reads what was committed when it began: so a change either was committed before
      -- the lock was taken and is seen below, or waits until these decisions are committed.
      create function placet.commit_decisions(
        wanted uuid, by_writer bigint, first_seq bigint, epochs bigint[], nows timestamptz[], until timestamptz[],
        touched text[], kinds text[], bodies text[], hashes bytea[]
      ) returns table (
        failed integer[], reasons text[], current_revision bigint, current_epoch bigint, database_now timestamptz
      ) language plpgsql volatile as $$
      declare
        number bigint;
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
          end as reason
          from unnest(epochs, nows, until, touched) with ordinality as i (epoch, now, until, touched, place)
        ) v where v.reason is not null;

        if failed is null then
          insert into placet.ledger_record (tenant, writer, seq, commit, kind, body, hash)
            select wanted, by_writer, first_seq + r.place - 1, number, r.kind, r.body, r.hash
            from unnest(kinds, bodies, hashes) with ordinality as r (kind, body, hash, place);
        end if;
        return next;
      end $$;
`;

/** The fence that also looks at the consents that decisions rest on, and takes their uses. */
export const COMMIT_DECISIONS_0020 = `
-- The consent that one entry of what decisions rest on names: 'id', 'id!' where a use is taken, or 'id~writer.seq' where the
-- decision goes on with an operation for which that record took one. Anything else names none.
create function placet.relied_consent(entry text) returns text language sql immutable as $$
  select case when entry ~ '~[0-9]{1,18}\\.[0-9]{1,18}$' then split_part(entry, '~', 1) else regexp_replace(entry, '!$', '') end
$$;

-- What speaks against the consents that one of some decisions rests on. Decisions of the same batch take theirs in order.
-- Null: nothing.
create function placet.consents_refuse(wanted uuid, relied text[], nth integer, database_now timestamptz) returns text
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
    select count(*) into taken from unnest(relied[1:nth]) i, string_to_table(i, E'\\x1f') r where r = each;
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

-- Whether an operation may go on, for which a use of a consent was taken: not long ago, not too often, and nobody has taken
-- the consent back since. That it is used up is no matter.
create function placet.may_go_on(
  wanted uuid, agreement placet.consent, entry text, nth integer, database_now timestamptz
) returns boolean language plpgsql volatile as $$
declare
  began_by bigint := split_part(split_part(entry, '~', 2), '.', 1)::bigint;
  began_at bigint := split_part(split_part(entry, '~', 2), '.', 2)::bigint;
begin
  return (agreement.ended_at is null or agreement.ended_for = 'used')
    and agreement.expires_at > database_now
    and exists (
      select from placet.consent_use u
      where u.tenant = wanted and u.consent = agreement.id and u.writer = began_by and u.seq = began_at
        and u.at > database_now - interval '10 minutes'
    )
    and nth + (
      select count(*) from placet.consent_retry t
      where t.tenant = wanted and t.consent = agreement.id and t.of_writer = began_by and t.of_seq = began_at
    ) <= 5;
end $$;

-- Takes the uses of decisions that are written down in the same transaction, and counts those that go on.
create function placet.take_uses(wanted uuid, by_writer bigint, first_seq bigint, relied text[]) returns void
  language plpgsql volatile as $$
begin
  insert into placet.consent_use (tenant, consent, writer, seq)
    select wanted, left(r, -1), by_writer, first_seq + i.place - 1
    from unnest(relied) with ordinality as i (rests, place), string_to_table(i.rests, E'\\x1f') r
    where right(r, 1) = '!';
  update placet.consent c
    set uses_left = c.uses_left - t.taken, last_used_at = clock_timestamp(),
      ended_at = case when c.uses_left = t.taken then clock_timestamp() end,
      ended_for = case when c.uses_left = t.taken then 'used' end
    from (
      select left(r, -1) as id, count(*)::integer as taken
      from unnest(relied) i, string_to_table(i, E'\\x1f') r where right(r, 1) = '!' group by 1
    ) t
    where c.tenant = wanted and c.id = t.id;
  insert into placet.consent_retry (tenant, consent, of_writer, of_seq, writer, seq)
    select wanted, split_part(r, '~', 1), split_part(split_part(r, '~', 2), '.', 1)::bigint,
      split_part(split_part(r, '~', 2), '.', 2)::bigint, by_writer, first_seq + i.place - 1
    from unnest(relied) with ordinality as i (rests, place), string_to_table(i.rests, E'\\x1f') r
    where r like '%~%';
end $$;

-- The fence (docs/adr/0004-the-fence.md). Decisions were evaluated in a replica's memory at some epoch; here they become valid, or not.
--
-- INVARIANT: one call, in a READ COMMITTED transaction of its own. The shared lock comes before every read, and each
-- statement of a volatile function reads what was committed when it began: so a change either was committed before
-- the lock was taken and is seen below, or waits until these decisions are committed.
create function placet.commit_decisions(
  wanted uuid, by_writer bigint, first_seq bigint, epochs bigint[], nows timestamptz[], until timestamptz[],
  touched text[], kinds text[], bodies text[], hashes bytea[], relied text[],
  subjects text[] default null
) returns table (
  failed integer[], reasons text[], current_revision bigint, current_epoch bigint, database_now timestamptz
) language plpgsql volatile as $$
declare
  number bigint;
  has_consents boolean := exists (select from unnest(relied) r where r is distinct from '');
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
  if has_consents then
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
    if has_consents then
      perform placet.take_uses(wanted, by_writer, first_seq, relied);
    end if;
  end if;
  return next;
end $$;
`;

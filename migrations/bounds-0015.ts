/**
 * How many there may be of what one person, one grant or one weak role can make again and again. What ends by itself makes
 * room: the oldest session, the oldest sign-in of a device. What somebody must decide about is refused.
 */
const MOST = {
  sessionsOfPerson: 50,
  grantsOfPerson: 50,
  tokensOfGrant: 1000,
  suspendedSubjects: 20_000,
  drafts: 200,
} as const;

export const BOUNDS = `
  -- The new one is the youngest, so it is not the one that ends.
  create function placet.bound_sessions() returns trigger language plpgsql as $$
  begin
    update placet.session s set ended_at = clock_timestamp()
      where s.tenant = new.tenant and s.ended_at is null and s.id in (
        select o.id from placet.session o
        where o.tenant = new.tenant and o.person = new.person and o.id <> new.id and o.ended_at is null
          and o.idle_ends_at > clock_timestamp() and o.ends_at > clock_timestamp()
        order by o.created_at desc, o.id offset ${MOST.sessionsOfPerson - 1}
      );
    return null;
  end $$;
  create trigger bound_sessions after insert on placet.session
    for each row when (new.ended_at is null) execute function placet.bound_sessions();

  -- Of a grant that goes nothing is issued any more. Its access tokens, which are ended by a change alone, run out.
  create function placet.bound_grants() returns trigger language plpgsql as $$
  declare
    oldest text[] := array(
      select g.id from placet.oauth_state g
      where g.tenant = new.tenant and g.account = new.account and g.model = 'Grant' and g.id <> new.id
        and (g.expires_at is null or g.expires_at > clock_timestamp())
      order by g.issued_at desc, g.id offset ${MOST.grantsOfPerson - 1} for update skip locked
    );
  begin
    if cardinality(oldest) > 0 then
      delete from placet.oauth_state s
        where s.tenant = new.tenant and s.model = 'RefreshToken' and s.grant_id = any (oldest);
      delete from placet.oauth_state s where s.tenant = new.tenant and s.model = 'Grant' and s.id = any (oldest);
    end if;
    return null;
  end $$;
  create trigger bound_grants after insert on placet.oauth_state
    for each row when (new.model = 'Grant' and new.account is not null) execute function placet.bound_grants();

  -- A token that is not kept is answered as if its grant had ended.
  create function placet.bound_tokens() returns trigger language plpgsql as $$
  begin
    if (
      select count(*) from (
        select from placet.oauth_state s where s.tenant = new.tenant and s.grant_id = new.grant_id limit ${MOST.tokensOfGrant}
      ) kept
    ) >= ${MOST.tokensOfGrant} then
      return null;
    end if;
    return new;
  end $$;
  create trigger bound_tokens before insert on placet.oauth_state
    for each row when (new.grant_id is not null and new.model in ('AccessToken', 'RefreshToken'))
    execute function placet.bound_tokens();

  -- Servers, hosts and the tenant can always be suspended: there are no more of those than documents.
  create index suspended_subject on placet.document (tenant)
    where kind = 'Suspension' and body is not null and name like 'Subject:%';
  create function placet.bound_suspensions() returns trigger language plpgsql as $$
  begin
    if (tg_op = 'INSERT' or old.body is null) and (
      select count(*) from placet.document d
      where d.tenant = new.tenant and d.kind = 'Suspension' and d.body is not null and d.name like 'Subject:%'
    ) > ${MOST.suspendedSubjects} then
      raise exception 'the tenant may have ${MOST.suspendedSubjects} suspended subjects: take back those that are over, or suspend the host, the server or the tenant'
        using errcode = 'PL429';
    end if;
    return null;
  end $$;
  create trigger bound_suspensions_on_insert after insert on placet.document
    for each row when (new.kind = 'Suspension' and new.body is not null and new.name like 'Subject:%')
    execute function placet.bound_suspensions();
  create trigger bound_suspensions_on_update after update on placet.document
    for each row when (new.kind = 'Suspension' and new.body is not null and new.name like 'Subject:%')
    execute function placet.bound_suspensions();

  create function placet.bound_drafts() returns trigger language plpgsql as $$
  begin
    if (select count(*) from placet.draft d where d.tenant = new.tenant) > ${MOST.drafts} then
      raise exception 'the tenant may have ${MOST.drafts} drafts: publish or discard some' using errcode = 'PL429';
    end if;
    return null;
  end $$;
  create trigger bound_drafts after insert on placet.draft for each row execute function placet.bound_drafts();
`;

/** Undoes it. */
export const BOUNDS_DROPPED = `
  drop trigger bound_drafts on placet.draft;
  drop function placet.bound_drafts;
  drop trigger bound_suspensions_on_update on placet.document;
  drop trigger bound_suspensions_on_insert on placet.document;
  drop function placet.bound_suspensions;
  drop index placet.suspended_subject;
  drop trigger bound_tokens on placet.oauth_state;
  drop function placet.bound_tokens;
  drop trigger bound_grants on placet.oauth_state;
  drop function placet.bound_grants;
  drop trigger bound_sessions on placet.session;
  drop function placet.bound_sessions;
`;

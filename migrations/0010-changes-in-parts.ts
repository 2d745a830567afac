import type { MigrationInterface, QueryRunner } from 'typeorm';
import { COMMIT_CHANGE_0005, COMMIT_UNTESTED_CHANGE_0006 } from './commit-change-0005.js';

/**
 * Changes, in parts that later migrations can replace one by one: whether whoever makes the change still may, what speaks
 * against one operation, and what one operation does. And events: records about neither a decision nor a change.
 */
export class ChangesInParts0010 implements MigrationInterface {
  readonly name = 'ChangesInParts1795132800010';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- Whether a principal may still do what it was found to have the right to: 'stands', 'principal' (its key, session or
      -- token is gone) or 'rights' (something that its rights rest on has changed since they were worked out: proof has the
      -- epoch and the keys). What is not known does not stand.
      create function placet.principal_stands(wanted uuid, by_principal text, proof jsonb) returns text
        language plpgsql stable as $$
      declare
        of_kind text := split_part(by_principal, ':', 1);
        of_id text := substr(by_principal, length(of_kind) + 2);
        is_live boolean;
      begin
        case of_kind
          when 'system' then
            return 'stands';
          when 'key' then
            is_live := exists (
              select from placet.credential c
              where c.tenant = wanted and c.id = of_id and c.kind = 'api_key' and c.disabled_at is null
                and (c.expires_at is null or c.expires_at > clock_timestamp())
            );
          when 'session' then
            is_live := exists (
              select from placet.session s
              where s.tenant = wanted and s.id = of_id and s.ended_at is null
                and s.idle_ends_at > clock_timestamp() and s.ends_at > clock_timestamp()
            );
          when 'token' then
            is_live := exists (
              select from placet.oauth_state t
              where t.tenant = wanted and t.model = 'AccessToken' and t.id = of_id and t.expires_at > clock_timestamp()
            );
          else
            return 'principal';
        end case;
        if is_live is not true then
          return 'principal';
        end if;
        if (proof ->> 'epoch') is null or jsonb_typeof(proof -> 'keys') is distinct from 'array' then
          return 'rights';
        end if;
        if exists (
          select from placet.change c
          where c.tenant = wanted and c.epoch > (proof ->> 'epoch')::bigint and c.restricting
            and (c.keys && array(select jsonb_array_elements_text(proof -> 'keys')) or '*' = any (c.keys))
        ) then
          return 'rights';
        end if;
        return 'stands';
      end $$;

      -- What speaks against one operation of a change: 'version', 'missing', 'taken', or null.
      create function placet.operation_refused(wanted uuid, op jsonb, operations jsonb) returns text
        language plpgsql stable as $$
      declare
        last_version bigint;
        was_deleted boolean;
      begin
        case op ->> 'op'
          when 'put_document', 'delete_document' then
            select d.version, d.body is null into last_version, was_deleted from placet.document d
              where d.tenant = wanted and d.kind = op ->> 'kind' and d.name = op ->> 'name';
            if (op ? 'expected_version') and (op ->> 'expected_version')::bigint
               is distinct from (case when was_deleted then 0 else coalesce(last_version, 0) end) then
              return 'version';
            end if;
          when 'save_draft', 'discard_draft' then
            select d.version into last_version from placet.draft d where d.tenant = wanted and d.name = op ->> 'name';
            if (op ->> 'expected_version')::bigint is distinct from coalesce(last_version, 0) then
              return 'version';
            end if;
          when 'create_credential' then
            if op ->> 'principal_kind' = 'host' and not exists (
              select from placet.document d
              where d.tenant = wanted and d.kind = 'Host' and d.name = op ->> 'principal' and d.body is not null
            ) and not exists (
              select from jsonb_array_elements(operations) o
              where o ->> 'op' = 'put_document' and o ->> 'kind' = 'Host' and o ->> 'name' = op ->> 'principal'
            ) then
              return 'missing';
            end if;
            if op ->> 'credential_kind' = 'federated' and exists (
              select from placet.credential c
              where c.tenant = wanted and c.kind = 'federated' and c.issuer = op ->> 'issuer'
                and c.subject = op ->> 'subject' and c.disabled_at is null
            ) then
              return 'taken';
            end if;
          when 'rotate_credential', 'disable_credential', 'change_credential' then
            if not exists (select from placet.credential c where c.tenant = wanted and c.id = op ->> 'id') then
              return 'missing';
            end if;
          else
            null;
        end case;
        return null;
      end $$;

      -- Does one operation of a change.
      create function placet.apply_operation(wanted uuid, op jsonb, at_revision bigint, by_principal text) returns void
        language plpgsql volatile as $$
      declare
        new_version integer;
      begin
        case op ->> 'op'
          when 'put_document', 'delete_document' then
            insert into placet.document as d (tenant, kind, name, version, revision, body)
              values (wanted, op ->> 'kind', op ->> 'name', 1, at_revision, op -> 'body')
              on conflict (tenant, kind, name) do update
                set version = d.version + 1, revision = excluded.revision, body = excluded.body
              returning d.version into new_version;
            insert into placet.document_version (tenant, kind, name, version, revision, body, changed_by)
              values (wanted, op ->> 'kind', op ->> 'name', new_version, at_revision, op -> 'body', by_principal);
            -- A host's credentials end with it: another host of that name, later, is not the one that holds them.
            if op ->> 'op' = 'delete_document' and op ->> 'kind' = 'Host' then
              update placet.credential c set revision = at_revision, disabled_at = coalesce(c.disabled_at, clock_timestamp())
                where c.tenant = wanted and c.principal_kind = 'host' and c.principal = op ->> 'name';
            end if;
          when 'create_credential' then
            insert into placet.credential
                (tenant, id, kind, principal_kind, principal, environment, rights, cidrs, jwks, issuer, subject, created_by, expires_at, revision)
              values (wanted, op ->> 'id', coalesce(op ->> 'credential_kind', 'api_key'), op ->> 'principal_kind', op ->> 'principal',
                op ->> 'environment', op -> 'rights',
                case jsonb_typeof(op -> 'cidrs') when 'array' then array(select jsonb_array_elements_text(op -> 'cidrs')) end,
                nullif(op -> 'jwks', 'null'), op ->> 'issuer', op ->> 'subject',
                by_principal, (op ->> 'expires_at')::timestamptz, at_revision);
            if op ->> 'mac' is not null then
              insert into placet.credential_secret (tenant, credential, number, mac)
                values (wanted, op ->> 'id', 1, decode(op ->> 'mac', 'hex'));
            end if;
          when 'rotate_credential' then
            update placet.credential c set revision = at_revision where c.tenant = wanted and c.id = op ->> 'id';
            update placet.credential_secret s set expires_at = least(s.expires_at, (op ->> 'old_expires_at')::timestamptz)
              where s.tenant = wanted and s.credential = op ->> 'id';
            insert into placet.credential_secret (tenant, credential, number, mac)
              select wanted, op ->> 'id', coalesce(max(s.number), 0) + 1, decode(op ->> 'mac', 'hex')
              from placet.credential_secret s where s.tenant = wanted and s.credential = op ->> 'id';
          when 'change_credential' then
            update placet.credential c set revision = at_revision,
                rights = coalesce(op -> 'rights', c.rights),
                cidrs = case jsonb_typeof(op -> 'cidrs')
                  when 'array' then array(select jsonb_array_elements_text(op -> 'cidrs')) when 'null' then null else c.cidrs end,
                jwks = case when op ? 'jwks' then nullif(op -> 'jwks', 'null') else c.jwks end,
                expires_at = case when op ? 'expires_at' then (op ->> 'expires_at')::timestamptz else c.expires_at end
              where c.tenant = wanted and c.id = op ->> 'id';
          when 'disable_credential' then
            update placet.credential c set revision = at_revision, disabled_at = coalesce(c.disabled_at, clock_timestamp())
              where c.tenant = wanted and c.id = op ->> 'id';
          when 'save_draft' then
            insert into placet.draft as d (tenant, name, version, base_revision, description, prune, documents, deletions, changed_by)
              values (wanted, op ->> 'name', nextval('placet.draft_version'), (op ->> 'base_revision')::bigint,
                op #>> '{body,description}', (op #>> '{body,prune}')::boolean, op #> '{body,documents}', op #> '{body,deletions}',
                by_principal)
              on conflict (tenant, name) do update
                set version = excluded.version, base_revision = excluded.base_revision, description = excluded.description,
                  prune = excluded.prune, documents = excluded.documents, deletions = excluded.deletions,
                  changed_by = excluded.changed_by, changed_at = excluded.changed_at;
          when 'discard_draft' then
            delete from placet.draft d where d.tenant = wanted and d.name = op ->> 'name';
          -- What of some tokens was issued before now is refused from now on. Denials that are over go in passing.
          when 'deny' then
            delete from placet.denial d where d.tenant = wanted and d.key <> op ->> 'key' and d.key = any (array(
              select e.key from placet.denial e
              where e.tenant = wanted and e.expires_at < clock_timestamp() - interval '1 minute'
              order by e.expires_at limit 20
            ));
            insert into placet.denial as d (tenant, key, before, expires_at, revision)
              values (wanted, op ->> 'key', clock_timestamp(), (op ->> 'expires_at')::timestamptz, at_revision)
              on conflict (tenant, key) do update
                set before = greatest(d.before, excluded.before), expires_at = greatest(d.expires_at, excluded.expires_at),
                  revision = excluded.revision;
          -- People by their ids, one session by its own, or those of an identity provider's session.
          when 'end_sessions' then
            update placet.session s set ended_at = clock_timestamp()
              where s.tenant = wanted and s.ended_at is null and (
                s.person = any (array(select jsonb_array_elements_text(op -> 'persons')))
                or s.id = op ->> 'session'
                or (s.issuer = op ->> 'issuer' and s.upstream_session = op ->> 'upstream_session')
              );
          -- Tokens and grants of people, of a client, or of one grant.
          when 'end_tokens' then
            delete from placet.oauth_state t
              where t.tenant = wanted and (
                t.account = any (array(select jsonb_array_elements_text(op -> 'accounts')))
                or t.client = op ->> 'client'
                or t.grant_id = op ->> 'grant'
                or t.id = op ->> 'token'
              );
          -- The keys of an algorithm that are there stay published until what they have signed has expired.
          when 'replace_signing_key' then
            update placet.signing_key k set retires_at = (op ->> 'retires_at')::timestamptz
              where k.tenant = wanted and k.algorithm = op ->> 'algorithm' and k.retires_at is null;
            insert into placet.signing_key (tenant, id, algorithm, public_jwk, sealed)
              values (wanted, op ->> 'id', op ->> 'algorithm', op #> '{body,publicJwk}', decode(op #>> '{body,sealed}', 'hex'));
          else
            raise exception 'placet: there is no operation %', op ->> 'op';
        end case;
      end $$;

      drop function placet.commit_untested_change;
      drop function placet.commit_change;

      -- One change as one call, so that no replica ever holds the exclusive lock while it thinks, sleeps or is cut off.
      -- Answers 'committed', or why nothing was written: 'moved' (another change came first), 'principal' or 'rights'
      -- (whoever asks may no longer), 'version' (a document is not at the version that was expected), 'missing', 'taken'.
      -- Where it was planned while there was no Test document (untested), a first one that came in between is 'moved'.
      create function placet.commit_change(
        wanted uuid, by_principal text, proof jsonb, expected_revision bigint, untested boolean, touched text[],
        restricts boolean, operations jsonb, about jsonb
      ) returns table (outcome text, place integer, new_revision bigint, new_epoch bigint) language plpgsql volatile as $$
      declare
        number bigint;
        op jsonb;
        state placet.tenant_state;
        record_text text;
      begin
        perform set_config('placet.tenant', wanted::text, true);
        perform pg_advisory_xact_lock(placet.lock_key(wanted));
        select * into strict state from placet.tenant_state s where s.tenant = wanted;
        new_revision := state.revision;
        new_epoch := state.epoch;
        place := 0;
        outcome := case
          when expected_revision <> state.revision then 'moved'
          when untested is not false and exists (
            select from placet.document d where d.tenant = wanted and d.kind = 'Test' and d.body is not null
          ) then 'moved'
          else nullif(placet.principal_stands(wanted, by_principal, proof), 'stands')
        end;
        if outcome is not null then
          return next;
          return;
        end if;

        -- First every expectation, then every write: a refused change leaves nothing behind.
        for op in select * from jsonb_array_elements(operations) loop
          place := place + 1;
          outcome := placet.operation_refused(wanted, op, operations);
          if outcome is not null then
            return next;
            return;
          end if;
        end loop;

        select b.new_revision, b.new_epoch, b.commit_number into new_revision, new_epoch, number
          from placet.bump(wanted, touched, restricts) b;

        for op in select * from jsonb_array_elements(operations) loop
          perform placet.apply_operation(wanted, op, new_revision, by_principal);
        end loop;

        insert into placet.revision (tenant, revision, epoch, changed_by, message, draft, rolled_back_to, documents, others)
          select wanted, new_revision, new_epoch, by_principal, about ->> 'message', about ->> 'draft',
            (about ->> 'rolled_back_to')::bigint,
            count(*) filter (where o ->> 'op' in ('put_document', 'delete_document')),
            coalesce(
              jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
                'op', o -> 'op', 'id', o -> 'id', 'principal', o -> 'principal', 'name', o -> 'name', 'key', o -> 'key'
              )))
                filter (where o ->> 'op' not in ('put_document', 'delete_document')),
              '[]'
            )
          from jsonb_array_elements(operations) o;

        record_text := json_build_object(
          'v', 1, 'kind', 'change', 'tenant', wanted, 'writer', 0, 'seq', state.record_seq + 1,
          'prev', encode(state.record_hash, 'hex'), 'revision', new_revision, 'epoch', new_epoch, 'restricting', restricts,
          'keys', touched, 'principal', by_principal, 'at', to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
          'operations', (select jsonb_agg(o - 'mac' - 'body') from jsonb_array_elements(operations) o),
          'about', about
        )::text;
        perform placet.append_change_record(wanted, number, record_text);
        outcome := 'committed';
        return next;
      end $$;

      -- A record about neither a decision nor a change: somebody signed in, a credential was refused, something was exported.
      create function placet.record_event(wanted uuid, event text, content jsonb) returns void
        language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
      declare
        state placet.tenant_state;
        record_text text;
        new_hash bytea;
      begin
        if event is null or event not in ('sign_in', 'sign_out', 'sign_in_refused', 'credential_refused', 'export', 'tenant') then
          raise exception 'placet: there is no event %', event;
        end if;
        perform set_config('placet.tenant', wanted::text, true);
        perform pg_advisory_xact_lock(placet.lock_key(wanted));
        select * into strict state from placet.tenant_state s where s.tenant = wanted for update;
        record_text := json_build_object(
          'v', 1, 'kind', event, 'tenant', wanted, 'writer', 0, 'seq', state.record_seq + 1,
          'prev', encode(state.record_hash, 'hex'),
          'at', to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'about', content
        )::text;
        new_hash := sha256('\\x00'::bytea || convert_to(record_text, 'UTF8'));
        update placet.tenant_state s set record_seq = s.record_seq + 1, record_hash = new_hash where s.tenant = wanted;
        insert into placet.ledger_record (tenant, writer, seq, commit, kind, body, hash)
          values (wanted, 0, state.record_seq + 1, nextval('placet.commit_number'), event, record_text, new_hash);
      end $$;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop function placet.record_event;
      drop function placet.commit_change;
      drop function placet.apply_operation;
      drop function placet.operation_refused;
      drop function placet.principal_stands;
      ${COMMIT_CHANGE_0005}
      ${COMMIT_UNTESTED_CHANGE_0006}
    `);
  }
}

import type { MigrationInterface, QueryRunner } from 'typeorm';
import { replaced } from './replaced.js';

/**
 * What was found out of a directory counts only while nobody has begun to find out anew: whoever was held up on the way
 * takes nothing back.
 */
export class OvertakenReadings0038 implements MigrationInterface {
  readonly name = 'OvertakenReadings1795132800038';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- Whether a reading of a directory, {"issuer", "begun"}, is the last one that was begun. It is until this transaction
      -- is over: whoever begins the next one waits for it, and then reads what it has written.
      create function placet.reading_stands(wanted uuid, reading jsonb) returns boolean language plpgsql volatile as $$
      begin
        perform from placet.directory_reading r
          where r.tenant = wanted and r.issuer = reading ->> 'issuer' and r.begun_at = (reading ->> 'begun')::timestamptz
          for share;
        return found;
      end $$;

      -- Keeps what a reading of a directory says of people; false, and nothing is kept, where another one was begun since.
      create function placet.keep_directory_said(wanted uuid, of_issuer text, begun timestamptz, people jsonb) returns boolean
        language plpgsql volatile as $$
      begin
        perform set_config('placet.tenant', wanted::text, true);
        perform pg_advisory_xact_lock(placet.lock_key(wanted));
        if not placet.reading_stands(wanted, jsonb_build_object('issuer', of_issuer, 'begun', begun)) then
          return false;
        end if;
        perform placet.directory_said(wanted, of_issuer, begun, people);
        return true;
      end $$;
    `);
    await runner.query(replaced('sign_in_from_directory', SIGN_IN_BEFORE, SIGN_IN));
    await runner.query(otherChange(CHANGE_BEFORE, CHANGE));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(otherChange(CHANGE, CHANGE_BEFORE));
    await runner.query(replaced('sign_in_from_directory', SIGN_IN, SIGN_IN_BEFORE));
    await runner.query('drop function placet.keep_directory_said; drop function placet.reading_stands;');
  }
}

const SIGN_IN_BEFORE = `        if exists (
          select from placet.person p where p.tenant = wanted and p.id = who ->> 'id' and p.read_at > asked_at
        ) then
          outcome := 'denied';`;

/** A reading that was begun since may have been through with its people before this one was among them. */
const SIGN_IN = `        perform from placet.directory_reading r
          where r.tenant = wanted and r.issuer = who ->> 'issuer' and r.begun_at <= asked_at for share;
        if not found or exists (
          select from placet.person p where p.tenant = wanted and p.id = who ->> 'id' and p.read_at > asked_at
        ) then
          outcome := 'overtaken';`;

/** What a change is called with, and what speaks against it before its operations are looked at. */
const CHANGE_BEFORE = { given: 'about jsonb)', refuses: 'case\n' } as const;

/** With the reading of a directory that it rests on; null: on none. */
const CHANGE = {
  given: 'about jsonb, reading jsonb DEFAULT NULL::jsonb)',
  refuses: `case
          when reading is not null and not placet.reading_stands(wanted, reading) then 'moved'
`,
} as const;

type ChangeForm = { readonly given: string; readonly refuses: string };

/** Makes `commit_change` anew, called with something else and as it is otherwise. */
const otherChange = (from: ChangeForm, to: ChangeForm): string => `
  do $patch$
  declare
    before text := pg_get_functiondef('placet.commit_change'::regproc);
  begin
    if position($from$${from.given}$from$ in before) = 0 or position($from$outcome := ${from.refuses}$from$ in before) = 0 then
      raise exception 'placet: commit_change is not what it was';
    end if;
    drop function placet.commit_change;
    execute replace(
      replace(before, $from$${from.given}$from$, $to$${to.given}$to$),
      $from$outcome := ${from.refuses}$from$, $to$outcome := ${to.refuses}$to$
    );
  end $patch$`;

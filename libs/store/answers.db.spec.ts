import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { freshDatabase, type TestDatabase } from '../../test/support/database.js';
import { ConsentReader } from './consent-reader.js';
import { ConsentStore, type GivenAnswer, type NewConsent } from './consent-store.js';

const ANN = 'user:okta/ann';
const BOB = 'user:okta/bob';
const SERVICE = { principal: 'system:test', proof: { epoch: 0, keys: [] } };
const NO_DIGEST = '';

let database: TestDatabase;
let superuser: Awaited<ReturnType<TestDatabase['connect']>>;
let store: ConsentStore;
let made = 0;
let request: string;

beforeAll(async () => {
  database = await freshDatabase();
  superuser = await database.connect('superuser');
  store = new ConsentStore(database.store);
  for (const person of [ANN, BOB])
    await superuser.query(`insert into placet.person (tenant, id, issuer, claims) values ($1, $2, 'okta', '{}')`, [
      database.tenant,
      person,
    ]);
});
afterAll(() => database.close());
beforeEach(async () => {
  request = await asked();
});

/** A request that is open, for a session. */
async function asked(session: string | null = null): Promise<string> {
  const id = `cr_${made++}`;
  await superuser.query(
    `insert into placet.consent_request (tenant, id, join_key, evaluation, credential, host, agent, subject, action,
       resource_type, resource_id, session, content, shown, shown_digest, body_digest, expires_at)
     values ($1, $2, convert_to($2, 'UTF8'), 'e', 'k', 'desk', 'desk', 'user:ann', 'tools/call', 'tool', 't', $3, '{}', '{}',
       '', '', now() + interval '1 day')`,
    [database.tenant, id, session],
  );
  return id;
}

const consent = (more: Partial<NewConsent> = {}): NewConsent => ({
  id: `co_${made++}`,
  requirement: 0,
  binding: 'aa',
  agreed: [ANN],
  policy: null,
  rule: null,
  uses: null,
  session: null,
  ms: 3_600_000,
  superseded: null,
  ...more,
});

const given = (person: string, more: Partial<GivenAnswer> = {}): GivenAnswer => ({
  person,
  answer: 'agreed',
  choice: null,
  brokeGlass: null,
  forPerson: null,
  delegation: null,
  session: 's',
  acr: null,
  amr: [],
  authenticatedAt: null,
  shown: NO_DIGEST,
  link: null,
  ...more,
});

/** What comes of an answer; with consents, the last one that was needed. */
const answer = async (
  person: string,
  { before = 0, to = request, ...more }: Partial<GivenAnswer> & { before?: number; to?: string } = {},
  ...consents: NewConsent[]
) => {
  const becomes = more.answer === 'refused' ? 'denied' : consents.length > 0 ? 'approved' : 'pending';
  return (await store.answer(database.tenant, SERVICE, to, before, given(person, more), becomes, consents)).outcome;
};

const takeBack = (person: string, of = request) => store.takeBack(database.tenant, SERVICE, of, person);

const rows = async (statement: string, ...values: unknown[]) =>
  (await superuser.query<Record<string, unknown>>(statement, values)).rows;

const consentsOf = (of: string) =>
  rows('select id, ended_for, ended_at = expires_at as at_its_end from placet.consent where request = $1', of);

const historyOf = async (of: string) =>
  (await rows('select kind from placet.consent_event where request = $1 order by number', of)).map(({ kind }) => kind);

describe('an agreement that nothing has come of', () => {
  it('is taken back by whoever gave it, once, and recorded', async () => {
    await answer(BOB);
    expect(await takeBack(ANN)).toMatchObject({ outcome: 'nothing' });
    expect(await takeBack(BOB, 'cr_none')).toMatchObject({ outcome: 'nothing', status: null });
    expect(await takeBack(BOB)).toEqual({ outcome: 'taken_back', status: 'pending', ended: 0 });
    expect(await takeBack(BOB)).toMatchObject({ outcome: 'nothing' });
    expect(await historyOf(request)).toEqual(['answered', 'withdrawn']);
    const [record] = await rows(
      `select body::jsonb -> 'about' as about from placet.ledger_record where kind = 'consent' order by seq desc limit 1`,
    );
    expect(record).toEqual({
      about: { event: 'withdrawn', request, by: BOB, principal: 'system:test' },
    });
  });

  it('counts for no decision, though it stood among those of a consent', async () => {
    const reader = new ConsentReader(database.store);
    await answer(BOB, {}, consent({ binding: 'ab', agreed: [BOB] }));
    const agreed = async () => (await reader.live(database.tenant, ['ab'])).rows.map((row) => row.agreed.length);
    expect(await agreed()).toEqual([1]);
    await superuser.query('update placet.consent_answer set withdrawn_at = now() where request = $1', [request]);
    expect(await agreed()).toEqual([0]);
  });

  it('stays taken back, whatever is tried', async () => {
    await answer(BOB);
    await takeBack(BOB);
    const change = superuser.query('update placet.consent_answer set withdrawn_at = null where request = $1', [
      request,
    ]);
    await expect(change).rejects.toMatchObject({ code: '42501' });
  });

  it('is given anew, but not without end', async () => {
    for (let each = 0; each < 10; each++) {
      expect(await answer(BOB, { before: 2 * each })).toBe('answered');
      expect(await takeBack(BOB)).toMatchObject({ outcome: 'taken_back' });
    }
    expect(await answer(BOB, { before: 20 })).toBe('again');
    expect(await answer(BOB, { before: 20, answer: 'refused' })).toBe('answered');
  });

  it('is not there for an answer that counted on it', async () => {
    await answer(BOB);
    await takeBack(BOB);
    expect(await answer(ANN, { before: 1 }, consent({ agreed: [ANN, BOB] }))).toBe('moved');
    expect(await consentsOf(request)).toEqual([]);
    expect(await answer(ANN, { before: 2 })).toBe('answered');
  });

  it('comes to nothing, whichever is first: the last answer that was needed, or that it is taken back', async () => {
    const seen = new Set<string>();
    for (let round = 0; round < 60; round++) {
      const to = await asked();
      await answer(BOB, { to });
      const last = consent({ binding: (0xb0000 + round).toString(16).padStart(6, '0'), agreed: [ANN, BOB] });
      const completes = () => answer(ANN, { to, before: 1 }, last);
      const [outcome, back] =
        round % 2 === 0
          ? await Promise.all([completes(), takeBack(BOB, to)])
          : await Promise.all([takeBack(BOB, to), completes()]).then(([second, first]) => [first, second] as const);
      seen.add(`${outcome} ${back.status} ${back.ended}`);
      const live = (await consentsOf(to)).filter(({ ended_for: why }) => why === null);
      expect(live, `${outcome} ${JSON.stringify(back)}`).toEqual([]);
    }
    for (const each of seen) expect(['answered approved 1', 'moved pending 0']).toContain(each);
    expect(seen.size).toBe(2);
  });

  it('is taken back with all that came of it, once something has', async () => {
    await answer(BOB);
    await answer(ANN, { before: 1 }, consent({ agreed: [ANN, BOB] }));
    expect(await takeBack(BOB)).toEqual({ outcome: 'taken_back', status: 'approved', ended: 1 });
    expect(await consentsOf(request)).toMatchObject([{ ended_for: 'revoked' }]);
    expect(await historyOf(request)).toEqual(['answered', 'answered', 'revoked']);
  });

  it('is nothing of a request that is over', async () => {
    await answer(BOB);
    await answer(ANN, { before: 1, answer: 'refused' });
    expect(await takeBack(BOB)).toEqual({ outcome: 'taken_back', status: 'denied', ended: 0 });
    expect(await historyOf(request)).toEqual(['answered', 'answered']);
  });

  it('is not taken back by whoever is gone meanwhile', async () => {
    await answer(BOB);
    const gone = { principal: 'session:gone', proof: { epoch: 0, keys: [] } };
    expect(await store.takeBack(database.tenant, gone, request, BOB)).toMatchObject({ outcome: 'principal' });
    expect(await historyOf(request)).toEqual(['answered']);
  });
});

describe('one person', () => {
  it('agrees once as they are signed in, once more signed in otherwise, and may refuse all the same', async () => {
    expect(await answer(ANN, { acr: 'pwd' })).toBe('answered');
    expect(await answer(ANN, { acr: 'pwd', before: 1 })).toBe('again');
    expect(await answer(ANN, { acr: 'mfa', before: 1 })).toBe('answered');
    expect(await answer(ANN, { before: 2 })).toBe('answered');
    expect(await answer(ANN, { before: 3 })).toBe('again');
    expect(await answer(ANN, { answer: 'refused', before: 3 })).toBe('answered');
    expect(await answer(ANN, { acr: 'other', before: 4 })).toBe('over');
  });
});

describe('of two agreements to the same', () => {
  const SESSION = { uses: null, session: 'its own' };
  const ONCE = { uses: 1, session: null };
  const ANYWHERE = { uses: null, session: null };
  type Reach = Pick<NewConsent, 'uses' | 'session'>;

  it.each<[string, Reach, string | null, Reach, string | null, boolean]>([
    ['both stand that are for different sessions', SESSION, 'a', SESSION, 'b', true],
    ['both stand that are for some calls of different sessions', ONCE, 'a', ONCE, 'b', true],
    ['both stand, one for some calls and one for another session', ONCE, 'a', SESSION, 'b', true],
    ['the later stands of the same session', SESSION, 'a', SESSION, 'a', false],
    ['the later stands of the same session, for some calls', SESSION, 'a', ONCE, 'a', false],
    ['the later stands where there are no sessions', ONCE, null, ONCE, null, false],
    ['the later stands where the earlier reaches every session', ANYWHERE, 'a', SESSION, 'b', false],
    ['the later stands where it reaches every session', SESSION, 'a', ANYWHERE, 'b', false],
    ['the later stands where both reach every session', ANYWHERE, 'a', ANYWHERE, 'b', false],
  ])('%s', async (_which, earlier, first, later, second, bothStand) => {
    const binding = (0xc0000 + made).toString(16).padStart(6, '0');
    const of = ({ uses, session }: Reach, name: string | null) =>
      consent({ binding, uses, session: session === null ? null : name });
    const [one, two] = [await asked(first), await asked(second)];
    expect(await answer(ANN, { to: one }, of(earlier, first))).toBe('answered');
    expect(await answer(ANN, { to: two }, of(later, second))).toBe('answered');
    expect(await consentsOf(one)).toMatchObject([{ ended_for: bothStand ? null : 'superseded' }]);
    expect(await consentsOf(two)).toMatchObject([{ ended_for: null }]);
  });

  it('twenty stand beside each other, for as many sessions: the newest', async () => {
    const ids: string[] = [];
    for (let each = 0; each < 23; each++) {
      const [session, id] = [`s${each}`, `co_many_${each}`];
      ids.push(id);
      await answer(ANN, { to: await asked(session) }, consent({ id, binding: 'dd', session }));
    }
    const live = await rows(
      `select id from placet.consent where binding = decode('dd', 'hex') and ended_at is null order by created_at`,
    );
    expect(live.map(({ id }) => id)).toEqual(ids.slice(3));
  });

  it('what has expired is over, and not superseded', async () => {
    const one = await asked('a');
    await answer(ANN, { to: one }, consent({ binding: 'ee', ms: -1000 }));
    await answer(ANN, {}, consent({ binding: 'ee' }));
    expect(await consentsOf(one)).toMatchObject([{ ended_for: null, at_its_end: true }]);
  });
});

describe('an agreement to what can never apply any more', () => {
  it('is superseded in the same transaction, with the reason, and others of the same answer are not', async () => {
    const [stale, fresh] = [
      consent({ binding: 'f1', superseded: 'the rule asks something else' }),
      consent({ binding: 'f2', requirement: 1 }),
    ];
    expect(await answer(ANN, {}, stale, fresh)).toBe('answered');
    expect(
      await rows('select id, ended_for from placet.consent where request = $1 order by requirement', request),
    ).toEqual([
      { id: stale.id, ended_for: 'superseded' },
      { id: fresh.id, ended_for: null },
    ]);
    expect(
      await rows(
        'select kind, by, content from placet.consent_event where request = $1 order by number desc limit 1',
        request,
      ),
    ).toEqual([
      {
        kind: 'superseded',
        by: 'system:consents',
        content: { consents: [stale.id], reason: 'the rule asks something else' },
      },
    ]);
  });
});

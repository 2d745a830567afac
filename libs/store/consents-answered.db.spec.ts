import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { freshDatabase, type TestDatabase } from '../../test/support/database.js';
import { ConsentReader } from './consent-reader.js';
import { ConsentStore, type GivenAnswer, type NewConsent, type NewConsentRequest } from './consent-store.js';
import { ConsentView } from './consent-view.js';
import { ensureTenant } from './database.js';

const [ANN, BOB, MAX] = ['user:okta/ann', 'user:okta/bob', 'user:okta/max'];
const ACTOR = { principal: 'system:test', proof: { epoch: 0, keys: [] } };
const BUDGETS = { subject: 1000, host: 1000, refusals: 2 };
const MINUTE = 60_000;

let database: TestDatabase;
let superuser: Awaited<ReturnType<TestDatabase['connect']>>;
let store: ConsentStore;
let other: string;
let numbered = 0;
/** What is agreed to, in each test something else. */
let binding: string;

beforeAll(async () => {
  database = await freshDatabase();
  superuser = await database.connect('superuser');
  store = new ConsentStore(database.store);
  other = await ensureTenant(database.address, 'other');
  for (const tenant of [database.tenant, other])
    for (const person of [ANN, BOB, MAX])
      await superuser.query(`insert into placet.person (tenant, id, issuer, claims) values ($1, $2, 'okta', '{}')`, [
        tenant,
        person,
      ]);
});
afterAll(() => database.close());
beforeEach(() => void (binding = hex(++numbered)));

const hex = (number: number): string => number.toString(16).padStart(64, '0');

const request = (
  over: Partial<NewConsentRequest> & { readonly bindings?: readonly string[]; readonly version?: number } = {},
) => {
  const { bindings = [binding], version = 1, ...columns } = over;
  return {
    id: `r${++numbered}`,
    joinKey: hex(numbered),
    evaluation: 'e',
    credential: 'k',
    host: 'desk',
    agent: 'desk',
    subject: ANN,
    server: 'mail',
    action: 'tools/call',
    resourceType: 'tool',
    resourceId: 'send',
    session: null,
    content: {
      requirements: bindings.map((each) => ({
        rule: { policy: 'mail', version, rule: 'gate' },
        consent: { by: ['subject'] },
        binding: each,
      })),
    },
    shown: '{}',
    idempotencyKey: null,
    bodyDigest: '',
    openMs: 10 * MINUTE,
    ...columns,
  };
};

/** An open request; its id. */
async function opened(over: Parameters<typeof request>[0] = {}, tenant = database.tenant): Promise<string> {
  const asked = request(over);
  expect(await store.open(tenant, asked, BUDGETS)).toMatchObject({ outcome: 'opened' });
  return asked.id;
}

const SHOWN = '44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a';

const given = (over: Partial<GivenAnswer> = {}): GivenAnswer => ({
  person: ANN,
  answer: 'agreed',
  choice: null,
  brokeGlass: null,
  forPerson: null,
  delegation: null,
  session: 's',
  acr: null,
  amr: [],
  authenticatedAt: null,
  shown: SHOWN,
  link: null,
  ...over,
});

const consentTo = (over: Partial<NewConsent> = {}): NewConsent => ({
  id: `co_${++numbered}`,
  requirement: 0,
  binding,
  agreed: [ANN],
  policy: 'mail',
  rule: 'gate',
  uses: null,
  session: null,
  ms: 10 * MINUTE,
  superseded: null,
  ...over,
});

type Becomes = Parameters<ConsentStore['answer']>[5];

const answer = async (
  id: string,
  by: GivenAnswer = given(),
  becomes: Becomes = 'pending',
  consents: readonly NewConsent[] = [],
  { before = 0, tenant = database.tenant } = {},
) => (await store.answer(tenant, ACTOR, id, before, by, becomes, consents)).outcome;

/** A consent that somebody has given; its id. */
async function agreed(over: Partial<NewConsent> = {}, asked: Parameters<typeof request>[0] = {}): Promise<string> {
  const consent = consentTo(over);
  expect(await answer(await opened(asked), given(), 'approved', [consent])).toBe('answered');
  return consent.id;
}

const stateOf = async (id: string): Promise<string | null | undefined> =>
  (await superuser.query<{ ended_for: string | null }>('select ended_for from placet.consent where id = $1', [id]))
    .rows[0]?.ended_for;

const historyOf = async (id: string): Promise<string[]> =>
  (await new ConsentView(database.store).find(database.tenant, id))!.history.map(({ kind, by }) => `${kind} by ${by}`);

describe('a link that is good for one answer', () => {
  const link = (over: Partial<NonNullable<GivenAnswer['link']>> = {}) => ({
    mac: hex(++numbered),
    until: Date.now() + 10 * MINUTE,
    ...over,
  });
  const answersOf = async (id: string): Promise<number> =>
    (await new ConsentReader(database.store).request(database.tenant, id))!.answers.length;

  it('is used up by an answer: to the same request, by somebody else, and to another one', async () => {
    const [id, second] = [await opened(), await opened()];
    const used = link();
    expect(await answer(id, given({ link: used }))).toBe('answered');
    expect(await answer(id, given({ person: BOB, link: used }), 'pending', [], { before: 1 })).toBe('link');
    expect(await answer(second, given({ link: used }))).toBe('link');
    expect(await answersOf(id)).toBe(1);
    expect(await answersOf(second)).toBe(0);
    expect(await answer(second)).toBe('answered');
  });

  it('is used up by one of many answers at the same time', async () => {
    const ids = await Promise.all(Array.from({ length: 12 }, () => opened()));
    const used = link();
    const outcomes = await Promise.all(ids.map((id) => answer(id, given({ link: used }))));
    expect(outcomes.filter((outcome) => outcome === 'answered')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === 'link')).toHaveLength(11);
  });

  it('is not used up by an answer that is not written', async () => {
    const id = await opened();
    const kept = link();
    expect(await answer(id, given({ shown: hex(0), link: kept }))).toBe('shown');
    expect(await answer(id, given({ link: kept }), 'pending', [], { before: 1 })).toBe('moved');
    expect(await answer(id, given({ link: kept }))).toBe('answered');
  });

  it('is over by the clock of the database', async () => {
    const id = await opened();
    expect(await answer(id, given({ link: link({ until: Date.now() - 1000 }) }))).toBe('link');
    expect(await answersOf(id)).toBe(0);
  });

  it('that is used up in one tenant says nothing of another', async () => {
    const used = link();
    expect(await answer(await opened(), given({ link: used }))).toBe('answered');
    expect(await answer(await opened({}, other), given({ link: used }), 'pending', [], { tenant: other })).toBe(
      'answered',
    );
  });
});

describe('of two agreements to the same', () => {
  it('the later counts, and the history of both says so', async () => {
    const first = await agreed();
    const second = await agreed();
    expect([await stateOf(first), await stateOf(second)]).toEqual(['superseded', null]);
    expect((await historyOf(first)).at(-1)).toMatch(/^superseded by request:r\d+$/);
  });

  it.each<[string, () => Promise<string>]>([
    ['to something else', () => agreed({ binding: hex(++numbered) })],
    [
      'that has ended before',
      async () => {
        const id = await agreed();
        await store.revoke(database.tenant, ACTOR, ANN, { id }, null);
        return id;
      },
    ],
  ])('one %s stays as it is', async (_what, make) => {
    const first = await make();
    const before = await stateOf(first);
    await agreed();
    expect(await stateOf(first)).toBe(before);
  });

  it.each<[string, string | null, string | null, string | null]>([
    ['for another session stands beside it', 's1', 's2', null],
    ['for the same session is superseded', 's1', 's1', 'superseded'],
    ['for any session is superseded by one for a session', null, 's1', 'superseded'],
    ['for a session is superseded by one for any', 's1', null, 'superseded'],
  ])('one %s', async (_what, before, after, state) => {
    const first = await agreed({ session: before }, { session: before });
    const second = await agreed({ session: after }, { session: after });
    expect([await stateOf(first), await stateOf(second)]).toEqual([state, null]);
    const live = await new ConsentReader(database.store).live(database.tenant, [binding]);
    expect(live.rows.map(({ id }) => id)).toEqual(state === null ? [second, first] : [second]);
  });

  it('one of another tenant stays as it is', async () => {
    const id = await opened({}, other);
    const elsewhere = consentTo();
    expect(await answer(id, given(), 'approved', [elsewhere], { tenant: other })).toBe('answered');
    await agreed();
    expect(await stateOf(elsewhere.id)).toBeNull();
  });
});

describe('what was agreed to by an older block of a rule', () => {
  const changed = (version: number, over: object = {}) => ({
    content: {
      requirements: [
        { rule: { policy: 'mail', version, rule: 'gate' }, consent: { by: ['role:lead'] }, binding: hex(++numbered) },
      ],
    },
    ...over,
  });

  it('is superseded once it is asked anew, so that it does not come back with the block', async () => {
    const id = await agreed();
    await opened(changed(2));
    expect(await stateOf(id)).toBe('superseded');
  });

  it.each<[string, () => Parameters<typeof request>[0]]>([
    ['the block is the same', () => ({ version: 2 })],
    ['the block is the older one', () => changed(1)],
    ['it is asked of somebody else', () => changed(2, { subject: BOB })],
    ['another application asks', () => changed(2, { agent: 'ide' })],
    [
      'another rule asks',
      () => ({
        content: { requirements: [{ rule: { policy: 'mail', version: 2, rule: 'other' }, consent: {}, binding }] },
      }),
    ],
  ])('stays where %s', async (_what, asked) => {
    const id = await agreed();
    await opened(asked());
    expect(await stateOf(id)).toBeNull();
  });
});

describe('what was refused as often as may be', () => {
  const refuse = async (over: Parameters<typeof request>[0] = {}) =>
    expect(await answer(await opened(over), given({ answer: 'refused' }), 'denied')).toBe('answered');
  const outcome = async (over: Parameters<typeof request>[0] = {}) => {
    const found = await store.open(database.tenant, request(over), BUDGETS);
    return found.outcome === 'budget' ? found.why : found.outcome;
  };

  it.each<[string, () => Parameters<typeof request>[0]]>([
    ['the same', () => ({})],
    ['in another session', () => ({ session: `s${++numbered}` })],
    ['through another host', () => ({ host: 'gate' })],
    ['in another order', () => ({ bindings: ['aa', binding] })],
  ])('is not asked again: %s', async (_what, again) => {
    await refuse({ bindings: [binding, 'aa'], session: 'a' });
    expect(await outcome({ bindings: [binding, 'aa'], session: 'b' })).toBe('opened');
    await refuse({ bindings: [binding, 'aa'], session: 'c' });
    expect(await outcome({ bindings: [binding, 'aa'], ...again() })).toBe('refused');
  });

  it('is asked again of somebody else, with something else besides, and after a day', async () => {
    await refuse({ session: 'a' });
    await refuse({ session: 'b' });
    expect(await outcome()).toBe('refused');
    expect(await outcome({ subject: BOB })).toBe('opened');
    expect(await outcome({ bindings: [binding, 'bb'] })).toBe('opened');
    expect(await outcome({ bindings: ['bb'] })).toBe('opened');
    const both = [binding, 'cc'];
    await refuse({ bindings: both, session: 'a' });
    await refuse({ bindings: both, session: 'b' });
    expect(await outcome({ bindings: ['cc'] })).toBe('opened');
    await superuser.query(
      `update placet.consent_request set created_at = created_at - interval '1 day' where subject = $1`,
      [ANN],
    );
    expect(await outcome()).toBe('opened');
  });
});

describe('a revocation', () => {
  const revoke = async (which: Parameters<ConsentStore['revoke']>[3]) =>
    (await store.revoke(database.tenant, ACTOR, ANN, which, null)).ended;
  const statusOf = async (id: string) => (await new ConsentReader(database.store).request(database.tenant, id))!.status;
  const mine = (person: string, ...names: string[]) => ({ mine: { person, names } });

  /** A request about Ann to which Bob has agreed, and somebody else has to. */
  async function begun(over: Parameters<typeof request>[0] = {}): Promise<string> {
    const id = await opened({ server: `mail${++numbered}`, ...over });
    expect(await answer(id, given({ person: BOB }))).toBe('answered');
    return id;
  }

  it.each<[string, Partial<NewConsentRequest>, (id: string) => Parameters<ConsentStore['revoke']>[3]]>([
    ['of the request itself', {}, (id) => ({ request: id })],
    ['of all that somebody has agreed to', {}, () => mine(BOB)],
    ['of all about somebody', {}, () => mine(MAX, ANN)],
    ['of one subject', {}, () => ({ subjects: [MAX, ANN] })],
    ['of one server', { server: 'this' }, () => ({ server: 'this' })],
    ['of one application', { agent: 'this' }, () => ({ agent: 'this' })],
  ])('refuses what somebody has agreed to and others have not yet: %s', async (_what, over, which) => {
    await superuser.query(`update placet.consent_request set status = 'cancelled' where status = 'pending';
      update placet.consent set ended_at = now(), ended_for = 'used' where ended_at is null`);
    const id = await begun(over);
    expect(await revoke(which(id))).toBe(1);
    expect(await statusOf(id)).toBe('denied');
    expect(await answer(id, given({ person: MAX }), 'approved', [consentTo()], { before: 1 })).toBe('over');
    const { rows } = await superuser.query<{ kind: string }>(
      'select kind from placet.consent_event where request = $1 order by number',
      [id],
    );
    expect(rows.map(({ kind }) => kind)).toEqual(['requested', 'answered', 'revoked']);
  });

  it.each<[string, () => Parameters<ConsentStore['revoke']>[3]]>([
    ['what somebody else has agreed to about others', () => mine(MAX, MAX)],
    ['another subject', () => ({ subjects: [BOB, MAX] })],
    ['another server', () => ({ server: 'none' })],
    ['another application', () => ({ agent: 'none' })],
    ['one consent', () => ({ id: 'none' })],
    ['another request', () => ({ request: 'none' })],
  ])('leaves open what it does not mean: %s', async (_what, which) => {
    const id = await begun();
    expect(await revoke(which())).toBe(0);
    expect(await statusOf(id)).toBe('pending');
  });

  it('leaves open what nobody has agreed to', async () => {
    const id = await opened({ agent: 'fresh' });
    expect(await answer(id, given({ answer: 'refused' }), 'pending')).toBe('answered');
    expect(await revoke({ agent: 'fresh' })).toBe(0);
    expect(await statusOf(id)).toBe('pending');
  });

  it('ends what is about any name of a subject', async () => {
    const [old, now] = [
      await agreed({}, { subject: 'user:old' }),
      await agreed({ binding: hex(++numbered) }, { subject: 'user:now' }),
    ];
    expect(await revoke({ subjects: ['user:now', 'user:old'] })).toBe(2);
    expect([await stateOf(old), await stateOf(now)]).toEqual(['revoked', 'revoked']);
  });
});

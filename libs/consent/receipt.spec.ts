import { describe, expect, it } from 'vitest';
import type { ConsentDetail } from '#store';
import { faultOfReceipt, receiptOf } from './receipt.js';
import { digestOfShown, shownOf } from './shown.js';

const AT = Date.parse('2026-06-01T12:00:00Z');
const HOUR = 3_600_000;

const shown = JSON.stringify(
  shownOf({
    subject: { type: 'user', id: 'ann' },
    agent: { id: 'desk', title: 'Desk' },
    server: { id: 'mail', title: 'Mail', identity: { url: 'https://mail.example.com' } },
    action: 'tools/call',
    resource: { type: 'tool', id: 'send' },
    tool: { description: 'Sends', operation: 'send' },
    hints: null,
    arguments: { to: 'eve', body: { text: 'hello' } },
    purpose: 'reply',
    definition: 'd'.repeat(64),
    requirements: [],
    choices: [{ for: 'uses', uses: 1 }],
  }),
);

const DETAIL: ConsentDetail = {
  consent: {
    id: 'co_1',
    request: 'cr_1',
    requirement: 0,
    binding: 'b'.repeat(64),
    policy: 'mail',
    rule: 'consent',
    usesLeft: null,
    session: null,
    createdAt: AT,
    expiresAt: AT + HOUR,
    endedAt: null,
    endedFor: null,
    subject: 'user:ann',
    agent: 'desk',
    server: 'mail',
    lastUsedAt: AT + 60_000,
    state: 'live',
    agreed: ['user:company/lea'],
    host: 'desk',
    action: 'tools/call',
    resourceType: 'tool',
    resourceId: 'send',
    place: '',
  },
  request: {
    id: 'cr_1',
    evaluation: 'ev_1',
    credential: 'k',
    host: 'desk',
    agent: 'desk',
    subject: 'user:ann',
    server: 'mail',
    action: 'tools/call',
    resourceType: 'tool',
    resourceId: 'send',
    session: null,
    content: {
      subject: { type: 'user', id: 'ann' },
      requirements: [
        {
          rule: { policy: 'mail', version: 3, rule: 'consent' },
          consent: { by: ['role:lead'], approvals: 1, notSelf: true, bind: 'all' },
          binding: 'b'.repeat(64),
        },
      ],
    },
    shown,
    shownDigest: digestOfShown(shown),
    status: 'approved',
    createdAt: AT - 60_000,
    expiresAt: AT + HOUR,
    endedAt: AT,
    answers: [
      {
        person: 'user:company/lea',
        issuer: 'company',
        claims: {},
        for: { person: 'user:company/bob', issuer: 'company', claims: {} },
        answer: 'agreed',
        choice: { for: 'until', ms: HOUR },
        brokeGlass: null,
        session: 'a secret of theirs',
        acr: 'phr',
        amr: ['hwk'],
        authenticatedAt: AT - 120_000,
        at: AT,
        withdrawnAt: null,
      },
    ],
  },
  history: [
    { kind: 'requested', by: 'host:desk', at: AT - 60_000, content: {} },
    { kind: 'answered', by: 'user:company/lea', at: AT, content: { answer: 'agreed' } },
  ],
};

const ISSUE = {
  id: 'crr_1',
  issuer: 'https://placet.example.com/t/default',
  withdrawal: 'https://placet.example.com/api/v1/me/consents/co_1',
  now: AT + 120_000,
};

describe('a receipt', () => {
  it('has the sections and fields of ISO/IEC TS 27560, what it is bound to, and who answered how', () => {
    expect(receiptOf(DETAIL, ISSUE)).toEqual({
      schema_version: 'urn:placet:consent-receipt:iso-iec-ts-27560-2023:1',
      receipt_id: 'crr_1',
      issued_at: '2026-06-01T12:02:00.000Z',
      issuer: 'https://placet.example.com/t/default',
      record: { record_id: 'co_1', pii_principal_id: 'user:ann' },
      pii_processing: {
        privacy_notice: { language: 'en', digest: `sha256:${digestOfShown(shown)}`, text: shown },
        purposes: [{ purpose: 'reply', service: 'Desk wants to use the tool send of Mail' }],
        lawful_basis: null,
        pii_information: [{ pii_type: 'to' }, { pii_type: 'body.text' }],
        processing: [{ action: 'tools/call', resource: { type: 'tool', id: 'send' }, operation: 'send' }],
        withdrawal_method: { method: 'DELETE', url: 'https://placet.example.com/api/v1/me/consents/co_1' },
      },
      party_identification: [
        { party_id: 'https://placet.example.com/t/default', party_role: 'pii_controller' },
        { party_id: 'host:desk', party_role: 'agent', party_name: 'Desk (desk)' },
        { party_id: 'server:mail', party_role: 'recipient', identity: ['https://mail.example.com'] },
      ],
      events: [
        {
          event_type: 'requested',
          event_time: '2026-06-01T11:59:00.000Z',
          entity_id: 'host:desk',
          event_state: 'dpv:ConsentRequested',
        },
        {
          event_type: 'agreed',
          event_time: '2026-06-01T12:00:00.000Z',
          entity_id: 'user:company/lea',
          event_state: 'dpv:ConsentGiven',
        },
      ],
      state: { event_state: 'live', dpv: 'dpv:ConsentGiven', at: '2026-06-01T12:02:00.000Z' },
      bound_to: {
        binding: 'b'.repeat(64),
        rule: { policy: 'mail', version: 3, rule: 'consent' },
        definition: 'd'.repeat(64),
        session: false,
        uses_left: null,
        valid_from: '2026-06-01T12:00:00.000Z',
        valid_until: '2026-06-01T13:00:00.000Z',
        last_used_at: '2026-06-01T12:01:00.000Z',
      },
      answers: [
        {
          person: 'user:company/lea',
          in_place_of: 'user:company/bob',
          at: '2026-06-01T12:00:00.000Z',
          authenticated: { acr: 'phr', amr: ['hwk'], at: '2026-06-01T11:58:00.000Z' },
          choice: { for: 'until', ms: HOUR },
          broke_glass: null,
        },
      ],
    });
  });

  it.each([
    ['live', 'dpv:ConsentGiven'],
    ['used', 'dpv:ConsentExpired'],
    ['expired', 'dpv:ConsentExpired'],
    ['revoked', 'dpv:ConsentWithdrawn'],
    ['superseded', 'dpv:ConsentInvalidated'],
  ] as const)('of one that is %s says so', (state, dpv) => {
    const receipt = receiptOf({ ...DETAIL, consent: { ...DETAIL.consent, state } }, ISSUE);
    expect(receipt).toMatchObject({ state: { event_state: state, dpv } });
  });

  it('says nothing of sessions and credentials', () => {
    expect(JSON.stringify(receiptOf(DETAIL, ISSUE))).not.toMatch(/secret|"credential"|"k"/);
  });

  it('is at fault where the text is not that of its digest, and where it is of another version', () => {
    const receipt = receiptOf(DETAIL, ISSUE) as { pii_processing: { privacy_notice: { text: string } } };
    expect(faultOfReceipt(receipt)).toBeUndefined();
    receipt.pii_processing.privacy_notice.text += ' ';
    expect(faultOfReceipt(receipt)).toContain('digest');
    expect(faultOfReceipt({ ...receipt, schema_version: 'x' })).toContain('version');
    expect(faultOfReceipt(null)).toContain('version');
  });

  it.each<[string, object, boolean]>([
    ['signs still', { iat: -100 }, true],
    ['was replaced later', { iat: -100, exp: 100 }, true],
    ['was made then, and replaced at once', { iat: 0, exp: 0 }, true],
    ['was replaced before', { iat: -1000, exp: -100 }, false],
    ['was made later', { iat: 100 }, false],
    ['says something else', { exp: 'x' }, false],
  ])('was issued by a key that %s', (_what, times: { iat?: number; exp?: number | string }, holds) => {
    const at = Math.floor(ISSUE.now / 1000);
    const key = Object.fromEntries(
      Object.entries(times).map(([name, value]) => [name, typeof value === 'number' ? at + value : value]),
    );
    const fault = faultOfReceipt(receiptOf(DETAIL, ISSUE), key);
    if (holds) expect(fault).toBeUndefined();
    else expect(fault).toContain('did not sign');
    expect(faultOfReceipt({ ...receiptOf(DETAIL, ISSUE), issued_at: undefined }, key)).toContain('did not sign');
  });
});

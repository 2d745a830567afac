import { describe, expect, it } from 'vitest';
import type { Decision, Obligation } from './decision.js';
import { logTo, type LogEntry } from './log-obligation.js';
import { carryOut, type ObligationHandler, type ObligationHandlers } from './obligations.js';
import { ALLOWED, aRequest, ASKED, DENIED } from './testing/index.js';

const allowedIf = (...obligations: readonly Obligation[]): Decision => ({ ...ALLOWED, obligations }) as Decision;
const fails: ObligationHandler = () => {
  throw new Error('no room');
};

describe('carryOut', () => {
  it.each<[string, Decision, ObligationHandlers, string, string]>([
    ['an allow without any', ALLOWED, {}, 'allow', 'allowed'],
    ['a deny', DENIED, {}, 'deny', 'no_rule_allows'],
    ['an ask', ASKED, {}, 'ask', 'consent_required'],
    ['one that is done', allowedIf({ type: 'log' }), { log: () => true }, 'allow', 'allowed'],
    ['one that is done without a word', allowedIf({ type: 'log' }), { log: async () => undefined }, 'allow', 'allowed'],
    ['one that nobody knows', allowedIf({ type: 'redact' }), { log: () => true }, 'deny', 'obligation_unsupported'],
    ['one by an inherited name', allowedIf({ type: 'toString' }), {}, 'deny', 'obligation_unsupported'],
    ['one that fails', allowedIf({ type: 'log' }), { log: fails }, 'deny', 'obligation_failed'],
    [
      'one that rejects',
      allowedIf({ type: 'log' }),
      { log: () => Promise.reject(new Error('x')) },
      'deny',
      'obligation_failed',
    ],
    ['one that is not so', allowedIf({ type: 'log' }), { log: () => false }, 'deny', 'obligation_failed'],
    [
      'one that says nothing clear',
      allowedIf({ type: 'log' }),
      { log: () => 0 as unknown as boolean },
      'deny',
      'obligation_failed',
    ],
    [
      'two of which one fails',
      allowedIf({ type: 'a' }, { type: 'b' }),
      { a: () => true, b: fails },
      'deny',
      'obligation_failed',
    ],
  ])('comes out of %s', async (_, decision, handlers, effect, code) => {
    const outcome = await carryOut(decision, handlers, aRequest());
    expect(outcome).toMatchObject({ effect, reason: { code } });
    expect(outcome.evaluationId).toBe('4f.1');
  });

  it('begins none where one is not known', async () => {
    const done: string[] = [];
    const log: ObligationHandler = ({ type }) => void done.push(type);
    await carryOut(allowedIf({ type: 'log' }, { type: 'mask', fields: [] }), { log }, aRequest());
    expect(done).toEqual([]);
  });

  it('tells why, in the words of the handler', async () => {
    const outcome = await carryOut(allowedIf({ type: 'log' }), { log: fails }, aRequest());
    expect(outcome.reason.message).toBe("Allowed only with the obligation 'log': no room.");
  });
});

describe('logTo', () => {
  it.each<[Obligation, boolean]>([
    [{ type: 'log', level: 'metadata' }, false],
    [{ type: 'log', level: 'full' }, true],
    [{ type: 'log' }, true],
  ])('writes for %j, with the request: %s', async (obligation, hasRequest) => {
    const entries: LogEntry[] = [];
    const request = aRequest();
    const outcome = await carryOut(allowedIf(obligation), { log: logTo((entry) => void entries.push(entry)) }, request);
    expect(outcome.effect).toBe('allow');
    expect(entries).toEqual([
      {
        evaluationId: '4f.1',
        level: hasRequest ? 'full' : 'metadata',
        subject: 'user:ann',
        operation: 'tools/call read_text_file',
        ...(hasRequest ? { request } : {}),
      },
    ]);
  });

  it('never writes a token', async () => {
    const entries: LogEntry[] = [];
    const log = logTo((entry) => void entries.push(entry));
    const full = { type: 'log', level: 'full' };
    await carryOut(allowedIf(full), { log }, { ...aRequest(), subject: { token: 'eyJ.secret' } });
    await carryOut(
      allowedIf(full),
      { log },
      {
        subject: { type: 'user', id: 'ann' },
        action: { name: 'read' },
        resource: { type: 'record', id: '1' },
        context: { subject_token: 'eyJ.secret' },
      },
    );
    expect(entries.map(({ subject }) => subject)).toEqual(['(proven by a token)', 'user:ann']);
    expect(JSON.stringify(entries)).not.toContain('secret');
  });

  it('lets nothing happen that cannot be logged', async () => {
    const log = logTo(() => Promise.reject(new Error('disk full')));
    expect(await carryOut(allowedIf({ type: 'log' }), { log }, aRequest())).toMatchObject({ effect: 'deny' });
  });
});

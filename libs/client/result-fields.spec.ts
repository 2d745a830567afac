import { describe, expect, it } from 'vitest';
import type { Obligation } from './decision.js';
import type { JsonObject } from './json.js';
import { carryOut } from './obligations.js';
import { limitedResult, RESULT_OBLIGATIONS } from './result-fields.js';
import { ALLOWED, aRequest } from './testing/index.js';

const fields = (...keep: string[]): Obligation => ({ type: 'fields', keep });
const redact = (...names: string[]): Obligation => ({ type: 'redact', fields: names });
const mask = (...names: string[]): Obligation => ({ type: 'mask', fields: names });

const person = { name: 'Ann', ssn: '123', payment: { card: '42', iban: '43' } };
const text = (value: unknown) => ({ type: 'text', text: typeof value === 'string' ? value : JSON.stringify(value) });
const result = { content: [text(person)], structuredContent: person };

describe('a limited result', () => {
  it.each<[string, Obligation[], unknown]>([
    ['keeps some fields', [fields('name', 'payment.card')], { name: 'Ann', payment: { card: '42' } }],
    ['keeps what both limits keep', [fields('name', 'ssn'), fields('ssn')], { ssn: '123' }],
    ['keeps nothing that both do not', [fields('name'), fields('ssn')], {}],
    ['has fields removed', [redact('ssn', 'payment.*')], { name: 'Ann', payment: {} }],
    ['has fields masked', [mask('ssn', 'payment')], { name: 'Ann', ssn: '***', payment: '***' }],
    ['has fields removed that are masked, too', [mask('ssn'), redact('ssn'), fields('ssn', 'name')], { name: 'Ann' }],
    ['whatever the order', [redact('ssn'), fields('ssn', 'name'), mask('ssn')], { name: 'Ann' }],
    ['has what is kept masked', [fields('ssn'), mask('*')], { ssn: '***' }],
  ])('%s', (_, obligations, expected) => {
    expect(limitedResult(result, obligations)).toEqual({ content: [text(expected)], structuredContent: expected });
  });

  it.each<[string, unknown]>([
    ['a text that is not JSON', text('Ann has the number 123')],
    ['JSON that is a text', text('"123"')],
    ['JSON that is a number', text('123')],
    ['JSON that ends early', text('{"ssn": "123"')],
    ['JSON with more after it', text('{"name": "Ann"} 123')],
    ['a text that is none', { type: 'text', text: { ssn: '123' } }],
    ['an image', { type: 'image', data: '123', mimeType: 'image/png' }],
    ['a sound', { type: 'audio', data: '123', mimeType: 'audio/wav' }],
    ['a link', { type: 'resource_link', uri: 'x://123', name: '123' }],
    ['a resource', { type: 'resource', resource: { uri: 'x://y', text: '{"ssn":"123"}' } }],
    ['a type that nobody knows', { type: 'ssn', text: '{"name":"123"}' }],
    ['what is no object', '123'],
    ['a list', ['123']],
    ['nothing', null],
    ['JSON that nests deeper than can be looked into', text(`${'['.repeat(200_000)}123${']'.repeat(200_000)}`)],
  ])('has a notice in place of %s', (_, item) => {
    for (const obligation of [fields('name'), redact('ssn'), mask('ssn')]) {
      const limited = limitedResult({ content: [item, text({ name: 'Ann' })] } as JsonObject, [obligation]);
      expect(JSON.stringify(limited)).not.toContain('123');
      expect(limited.content).toEqual([
        { type: 'text', text: expect.stringMatching(/^\[left out: /) as string },
        text({ name: 'Ann' }),
      ]);
    }
  });

  it('has no members that nobody can look into', () => {
    const more = {
      content: [{ ...text({ name: 'Ann' }), _meta: { ssn: '123' }, annotations: { audience: ['123'] } }],
      _meta: { ssn: '123' },
      toolResult: '123',
      structuredContent: ['123'],
      isError: true,
    };
    const left = { content: [text({ name: 'Ann' })], isError: true };
    expect(limitedResult(more, [redact('ssn')])).toEqual(left);
    expect(limitedResult({ content: '123', isError: '123' }, [redact('ssn')])).toEqual({ content: [] });
  });

  it('reads the last of two members of a name, and hands only that on', () => {
    const twice = { content: [text('{"name":"123","name":"Ann"}')] };
    expect(limitedResult(twice, [fields('name')])).toEqual({ content: [text({ name: 'Ann' })] });
  });

  it('is the result as it is without such an obligation', () => {
    expect(limitedResult(result, [])).toBe(result);
    expect(limitedResult(result, [{ type: 'log', level: 'full' }])).toBe(result);
    expect(limitedResult(result, [{ type: 'toString' }])).toBe(result);
  });
});

describe('an obligation that cannot be read', () => {
  it.each<[Obligation]>([
    [{ type: 'redact' }],
    [{ type: 'redact', fields: 'ssn' }],
    [{ type: 'mask', fields: [1] }],
    [{ type: 'fields', fields: ['name'] }],
    [{ type: 'fields', keep: null }],
  ])('%j is a deny, and leaves nothing of a result', async (obligation) => {
    const allowed = { ...ALLOWED, obligations: [obligation] } as typeof ALLOWED;
    const outcome = await carryOut(allowed, RESULT_OBLIGATIONS, aRequest());
    expect(outcome).toMatchObject({ effect: 'deny', reason: { code: 'obligation_failed' } });
    expect(() => limitedResult(result, [obligation])).toThrow('cannot be read');
  });
});

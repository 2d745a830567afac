import { describe, expect, it } from 'vitest';
import { PolicySet } from '../compile/policy-set.js';
import type { AnyDocument, ConsentBlock } from '../documents/schema.js';
import type { JsonObject } from '../model.js';
import { BoundArguments } from './bound.js';
import { decide } from './decide.js';

const bound = (given: JsonObject, bind: ConsentBlock['bind']): string => new BoundArguments(given).digest(bind);

describe('what an agreement is bound to', () => {
  it.each<[JsonObject, JsonObject, ConsentBlock['bind'], boolean]>([
    [{ a: 1, b: 2 }, { b: 2, a: 1 }, 'all', true],
    [{ a: 1 }, { a: '1' }, 'all', false],
    [{ a: 1 }, { a: 1, b: null }, 'all', false],
    [{}, { all: {} }, 'all', false],
    [{ a: 1, b: 1 }, { a: 1, b: 2 }, ['a'], true],
    [{ a: 1 }, { a: 2 }, ['a'], false],
    [{ a: null }, {}, ['a'], false],
    [{ a: [] }, {}, ['a'], false],
    [{ a: { b: 1, c: 1 } }, { a: { b: 1, c: 2 } }, ['a.b'], true],
    [{ a: { b: 1 } }, { a: { b: 2 } }, ['a.b'], false],
    [{ a: { b: 1 } }, { 'a.b': 1 }, ['a.b'], false],
    [{ a: [{ b: 1 }] }, { a: [{ b: 2 }] }, ['a.b'], false],
    [{ a: [{ b: 1, c: 1 }] }, { a: [{ b: 1, c: 2 }] }, ['a.b'], false],
    [{ a: [{ b: 1 }], c: 1 }, { a: [{ b: 1 }], c: 2 }, ['a.b'], true],
    [{ a: [] }, { a: {} }, ['a.b'], false],
    [{ a: 'b', c: 'd' }, { a: 'd', c: 'b' }, ['a', 'c'], false],
    [JSON.parse('{"__proto__":1}') as JsonObject, {}, ['__proto__'], false],
  ])('is for %j and %j by %j the same: %s', (one, other, bind, same) => {
    expect(bound(one, bind) === bound(other, bind)).toBe(same);
  });

  it('tells one projection from another', () => {
    const given = { a: 1, b: 1, all: 1 };
    const binds: ConsentBlock['bind'][] = ['all', ['a'], ['b'], ['a', 'b'], ['all'], ['c'], ['a', 'c']];
    expect(new Set(binds.map((bind) => bound(given, bind))).size).toBe(binds.length);
  });

  it('takes each part once', () => {
    const given = { a: 'x'.repeat(4000), b: 'y' };
    const arguments_ = new BoundArguments(given);
    arguments_.digest('all');
    const whole = arguments_.steps;
    expect(whole).toBeGreaterThan(1000);
    arguments_.digest('all');
    expect(arguments_.steps).toBe(whole);
    arguments_.digest(['a', 'b']);
    const parts = arguments_.steps;
    arguments_.digest(['a']);
    arguments_.digest(['b', 'a']);
    // Only what names the places is new.
    expect(arguments_.steps).toBeLessThan(parts + 200);
  });

  it('counts the places themselves', () => {
    const places = Array.from({ length: 50 }, (_, at) => `${'p'.repeat(200)}${at}`);
    const arguments_ = new BoundArguments({});
    arguments_.digest(places);
    expect(arguments_.steps).toBeGreaterThan((50 * 200) / 4);
    const once = arguments_.steps;
    arguments_.digest(places);
    expect(arguments_.steps).toBe(once);
  });

  it('costs no more than a request may, however many rules ask about large arguments', () => {
    const rules = Array.from({ length: 200 }, (_, at) => ({
      name: `r${at}`,
      effect: 'ask' as const,
      to: ['any'],
      consent: { by: ['subject'], approvals: 1, notSelf: false, bind: [`a.b${'.c'.repeat(at % 50)}`, `x${at}`] },
    }));
    const set = PolicySet.of(
      (
        [
          { kind: 'Host', name: 'desk' },
          { kind: 'Server', name: 's' },
          { kind: 'Tenant', name: 't', defaults: { effect: 'deny', hostScope: {} } },
          {
            kind: 'Policy',
            name: 'p',
            target: { servers: ['s'], actions: ['tools/call'], resources: ['*'] },
            rules: [{ name: 'all', effect: 'allow', to: ['any'] }, ...rules],
          },
        ] as AnyDocument[]
      ).map((document) => ({ document, version: 1 })),
    );
    const asked = (text: string) => {
      let nested: JsonObject = { text };
      for (let depth = 0; depth < 50; depth++) nested = { c: nested };
      return decide(
        set,
        {
          subject: { type: 'user', id: 'ann', properties: {}, assurance: 'asserted' },
          agent: 'desk',
          action: 'tools/call',
          resource: { type: 'tool', id: 't', properties: {} },
          server: { name: 's' },
          arguments: { a: { b: nested } },
          operation: null,
          session: null,
          context: {},
          kind: 'ordinary',
        },
        [],
        0,
      );
    };
    expect(asked('short').effect).toBe('ask');
    expect(asked('x'.repeat(1_000_000))).toMatchObject({ effect: 'deny', reason: 'budget_exceeded' });
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PolicyDocument } from '../documents/schema.js';
import { Memberships } from './memberships.js';
import { RuleIndex, type Query } from './rule-index.js';
import { compilePolicy, ConditionPool, type CompiledRule } from './rules.js';
import { covers } from './targets.js';

type Target = PolicyDocument['target'];

function rulesOf(target: Target, ...to: string[][]): CompiledRule[] {
  const rules = (to.length === 0 ? [['any']] : to).map((refs, index) => ({
    name: `r${index}`,
    effect: 'deny' as const,
    to: refs,
  }));
  return compilePolicy({ kind: 'Policy', name: 'p', target, rules }, 1, new ConditionPool());
}

const people = new Memberships();
people.setBinding('b', undefined, { kind: 'Binding', name: 'b', subjects: ['user:ann'], roles: ['writer'] });
people.setBinding('c', undefined, { kind: 'Binding', name: 'c', subjects: ['group:apac'], roles: ['auditor'] });
const principals = (key: string, groups: string[] | null) => people.rolesOf(key, groups ? new Set(groups) : null, 0);

const QUERY: Query = {
  server: 'files',
  action: 'tools/call',
  type: 'tool',
  id: 'read',
  principals: principals('user:ann', ['emea']),
};

function isFound(target: Target, query: Partial<Query> = {}, ...to: string[][]): boolean {
  const index = new RuleIndex();
  const rules = rulesOf(target, ...to);
  rules.forEach((rule) => index.add(rule));
  const found = index.candidates({ ...QUERY, ...query });
  const { server, action, type, id } = { ...QUERY, ...query };
  const covering = rules.filter((rule) => covers(rule.target, server, action, type, id) !== 'false');
  const all = index.covering({ ...QUERY, ...query }, Infinity);
  expect(all).toEqual({ rules: new Set(covering), isComplete: true });
  rules.forEach((rule) => index.remove(rule));
  expect(index.candidates({ ...QUERY, ...query }).size).toBe(0);
  return found.size > 0;
}

const ALL: Target = { actions: ['*'], resources: ['*'] };

describe('the index', () => {
  it.each<[Partial<Target>, Partial<Query>, boolean]>([
    // servers
    [{ servers: ['files'] }, {}, true],
    [{ servers: ['crm', 'files'] }, {}, true],
    [{ servers: ['f*'] }, {}, true],
    [{ servers: ['*'] }, {}, true],
    [{ servers: ['crm'] }, {}, false],
    [{ servers: ['c*'] }, {}, false],
    [{}, { server: null }, true],
    [{ servers: ['*'] }, { server: null }, false],
    [{ servers: ['files'] }, { server: null }, false],
    // actions
    [{ actions: ['tools/call'] }, {}, true],
    [{ actions: ['tools/list', 'tools/call'] }, {}, true],
    [{ actions: ['tools/*'] }, {}, true],
    [{ actions: ['tools/list'] }, {}, false],
    [{ actions: ['resources/*'] }, {}, false],
    [{ actions: ['tools/call'] }, { action: '*' }, false],
    // resources: exact, by the beginning or the end of the pattern, and by type
    [{ resources: ['read'] }, {}, true],
    [{ resources: ['write', 'read'] }, {}, true],
    [{ resources: ['write'] }, {}, false],
    [{ resources: ['re*'] }, {}, true],
    [{ resources: ['*ad'] }, {}, true],
    [{ resources: ['r*d'] }, {}, true],
    [{ resources: ['re*d'] }, {}, true],
    [{ resources: ['r*ad'] }, {}, true],
    [{ resources: ['*ea*'] }, {}, true],
    [{ resources: ['read*'] }, {}, true],
    [{ resources: ['*read'] }, {}, true],
    [{ resources: ['reads*'] }, {}, false],
    [{ resources: ['*reads'] }, {}, false],
    [{ resources: ['re*x'] }, {}, false],
    [{ resources: ['*'] }, { id: '' }, true],
    [{ resources: ['a*'] }, { id: '' }, false],
    [{ resources: [{ type: 'tool', id: 'read' }] }, {}, true],
    [{ resources: [{ type: 'prompt', id: 'read' }] }, {}, false],
    [{ resources: [{ type: 'prompt', id: 'read' }, 'rea*'] }, {}, true],
    // ids that are not known yet
    [{ resources: ['read'] }, { id: null }, true],
    [{ resources: ['re*'] }, { id: null }, true],
    [{ resources: ['*ad'] }, { id: null }, true],
    [{ resources: [{ type: 'prompt', id: 'read' }] }, { id: null }, false],
    [{ servers: ['crm'], resources: ['read'] }, { id: null }, false],
  ])('finds a rule for %j by %j: %s', (target, query, expected) => {
    expect(isFound({ ...ALL, ...target }, query)).toBe(expected);
  });

  it.each<[string[], string, string[] | null, boolean]>([
    [['any'], 'user:eve', [], true],
    [['user:ann'], 'user:ann', [], true],
    [['user:ann'], 'user:eve', [], false],
    [['user:ann', 'user:eve'], 'user:eve', [], true],
    [['group:emea'], 'user:eve', ['emea'], true],
    [['group:emea'], 'user:eve', ['apac'], false],
    [['role:writer'], 'user:ann', [], true],
    [['role:writer'], 'user:eve', [], false],
    [['role:auditor'], 'user:eve', ['apac'], true],
    // with groups that are not known, every rule may be in error
    [['group:emea'], 'user:eve', null, true],
    [['role:auditor'], 'user:eve', null, true],
    [['user:ann'], 'user:eve', null, true],
  ])('finds a rule to %j for %s in the groups %j: %s', (to, key, groups, expected) => {
    for (const resources of [['read'], ['re*'], ['*ad']]) {
      expect(isFound({ ...ALL, resources }, { principals: principals(key, groups) }, to)).toBe(expected);
      expect(isFound({ ...ALL, resources }, { id: null, principals: principals(key, groups) }, to)).toBe(expected);
    }
  });

  it('takes away one rule and leaves those beside it', () => {
    const index = new RuleIndex();
    const rules = [['read'], ['read'], ['re*'], ['re*'], ['rx*'], ['*ad'], ['*ed']].map(
      (resources) => rulesOf({ ...ALL, resources })[0]!,
    );
    rules.forEach((rule) => index.add(rule));
    expect(index.candidates(QUERY)).toEqual(new Set([rules[0], rules[1], rules[2], rules[3], rules[5]]));
    index.remove(rules[0]!);
    index.remove(rules[2]!);
    index.remove(rules[6]!);
    expect(index.candidates(QUERY)).toEqual(new Set([rules[1], rules[3], rules[5]]));
    index.remove(rules[4]!);
    expect(index.candidates(QUERY)).toEqual(new Set([rules[1], rules[3], rules[5]]));
    expect(index.candidates({ ...QUERY, id: 'rx' })).toEqual(new Set());
  });

  it('keeps any rule when the last one of another kind goes', () => {
    const patterns = ['read', 're*', '*ad', '*ead', 'rea*', '*'];
    for (const kept of patterns) {
      for (const gone of patterns) {
        const index = new RuleIndex();
        const [keptRule, goneRule] = [kept, gone].map((id) => rulesOf({ ...ALL, resources: [id] })[0]!);
        index.add(goneRule!);
        index.add(keptRule!);
        index.remove(goneRule!);
        expect(index.candidates(QUERY)).toEqual(new Set([keptRule]));
        index.add(goneRule!);
        expect(index.candidates(QUERY)).toEqual(new Set([keptRule, goneRule]));
      }
    }
  });

  it('may be asked to take away what is not there', () => {
    const index = new RuleIndex();
    const [rule] = rulesOf(ALL);
    const [other] = rulesOf({ ...ALL, resources: ['read'] });
    index.remove(rule!);
    index.add(rule!);
    index.remove(other!);
    expect(index.candidates(QUERY)).toEqual(new Set([rule]));
  });

  const names = (prefix: string, count: number) => Array.from({ length: count }, (_, index) => `${prefix}${index}`);

  it.each<[string, Target]>([
    ['servers', { servers: [...names('s', 4097), 'files'], actions: ['tools/call'], resources: ['read'] }],
    ['actions', { servers: ['files'], actions: [...names('a', 4097), 'tools/call'], resources: ['read'] }],
    ['resources', { servers: ['files'], actions: ['tools/call'], resources: [...names('r', 4097), 'read'] }],
    [
      'servers and actions',
      { servers: [...names('s', 99), 'files'], actions: [...names('a', 99), 'tools/call'], resources: ['read'] },
    ],
    [
      'all of them',
      {
        servers: [...names('s', 99), 'files'],
        actions: [...names('a', 99), 'tools/call'],
        resources: [...names('r', 99), 're*'],
      },
    ],
  ])('finds a rule with very many %s, and nothing else by it', (_what, target) => {
    expect(isFound(target)).toBe(true);
    expect(isFound(target, { id: null })).toBe(true);
    expect(isFound(target, { server: 'other' })).toBe(false);
    expect(isFound(target, { server: null })).toBe(false);
    expect(isFound(target, { action: 'other' })).toBe(false);
    expect(isFound(target, { id: 'other' })).toBe(false);
  });

  it('finds whatever covers a query, however many combinations a target has', () => {
    const some = (...choice: string[]) => fc.subarray(choice, { minLength: 1 });
    const target = fc
      .record({
        servers: fc.option(some('files', 'f*', '*', 'crm', ...names('s', 70)), { nil: undefined }),
        actions: some('tools/call', 'tools/*', '*', 'tools/list', ...names('a', 60)),
        resources: some('read', 're*', '*ad', '*', 'r*d', 'write', ...names('x', 5)),
      })
      .map(({ servers, ...rest }): Target => (servers ? { servers, ...rest } : rest));
    const query = fc.record({
      server: fc.constantFrom('files', 'crm', 's1', null),
      action: fc.constantFrom('tools/call', 'tools/list', 'a1', 'other'),
      id: fc.constantFrom('read', 'write', 'ad', 'x1', null),
    });
    fc.assert(
      fc.property(target, query, (made, asked) => {
        const { server, action, id } = asked;
        expect(isFound(made, asked)).toBe(covers(rulesOf(made)[0]!.target, server, action, 'tool', id) !== 'false');
      }),
      { numRuns: 1000 },
    );
  });

  it('finds the same rules whatever came and went before, also where very many stand in one place', () => {
    const rules = Array.from({ length: 90 }, (_, at) => {
      const resources = [['read'], ['re*'], ['*ad'], ['read', 're*', 'rea*'], ['write']][at % 5]!;
      return rulesOf({ ...ALL, resources }, at % 3 === 0 ? ['user:ann', `user:u${at}`] : [`user:u${at % 40}`])[0]!;
    });
    const steps = fc.array(fc.tuple(fc.boolean(), fc.nat(rules.length - 1)), { minLength: 1, maxLength: 12 });
    const asked = ['user:ann', 'user:u1', 'user:u7', 'user:nobody'].map((key) => principals(key, []));
    fc.assert(
      fc.property(fc.nat(rules.length), steps, (filled, changes) => {
        const index = new RuleIndex();
        const present = new Set(rules.slice(0, filled));
        present.forEach((rule) => index.add(rule));
        for (const [isAdded, at] of changes) {
          const rule = rules[at]!;
          if (!isAdded) index.remove(rule);
          else if (!present.has(rule)) index.add(rule);
          if (isAdded) present.add(rule);
          else present.delete(rule);
          for (const who of asked) {
            const expected = [...present].filter(
              (each) =>
                covers(each.target, 'files', 'tools/call', 'tool', 'read') === 'true' && each.to(who) === 'true',
            );
            expect(index.candidates({ ...QUERY, principals: who })).toEqual(new Set(expected));
          }
        }
      }),
    );
  });
});

describe('a target of which all but one part is literal', () => {
  const LITERAL: Target = { servers: ['files'], actions: ['tools/call'], resources: ['read'] };

  it.each<[Partial<Target>, boolean]>([
    [{}, true],
    [{ servers: ['f*'] }, true],
    [{ servers: ['c*'] }, false],
    [{ servers: ['\\*'] }, false],
    [{ actions: ['tools/*'] }, true],
    [{ actions: ['prompts/*'] }, false],
    [{ actions: ['\\*'] }, false],
    [{ resources: [{ type: 'tool', id: 'read' }] }, true],
    [{ resources: [{ type: 'prompt', id: 'read' }] }, false],
    [{ resources: ['re*'] }, true],
    [{ resources: ['re*x'] }, false],
    [{ resources: ['r*z*'] }, false],
    [{ resources: ['*x*'] }, false],
    [{ resources: ['*ead'] }, true],
    [{ resources: ['r*ead'] }, true],
    [{ resources: ['x*ead'] }, false],
    [{ servers: ['crm'], resources: ['read', ...Array.from({ length: 4096 }, (_, at) => `t${at}`)] }, false],
    [{ servers: ['files'], resources: ['read', ...Array.from({ length: 4096 }, (_, at) => `t${at}`)] }, true],
  ])('is found only where it covers: %#', (part, found) => {
    expect(isFound({ ...LITERAL, ...part })).toBe(found);
  });
});

describe('the rules that cover a request, whomever they are for', () => {
  it('are looked at up to a limit, and it is told if there are more', () => {
    const index = new RuleIndex();
    const rules = rulesOf(ALL, ['user:bob'], ['role:writer'], ['any']);
    rules.forEach((rule) => index.add(rule));
    expect(index.candidates(QUERY).size).toBe(2);
    expect(index.covering(QUERY, 3)).toEqual({ rules: new Set(rules), isComplete: true });
    expect(index.covering(QUERY, 2)).toMatchObject({ isComplete: false });
    expect(index.covering(QUERY, 2).rules.size).toBe(2);
  });
});

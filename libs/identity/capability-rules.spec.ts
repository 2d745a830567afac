import { createMongoAbility, subject } from '@casl/ability';
import { unpackRules } from '@casl/ability/extra';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { capabilityRules, type Capability } from './capability-rules.js';

/** The ability of a console that got these rules over the wire. */
const received = (capabilities: readonly Capability[]) =>
  createMongoAbility(
    unpackRules(
      JSON.parse(JSON.stringify(capabilityRules(capabilities))) as Parameters<typeof unpackRules>[0],
    ) as never,
  );

const CRM: Capability = { action: 'tools/call', type: 'tool', id: 'find', server: 'crm' };

describe('capabilities as rules', () => {
  const ability = received([CRM, { ...CRM, id: 'list' }, { action: 'read', type: 'account', id: 'a-1', server: null }]);

  it.each<[string, string, object, boolean]>([
    ['tools/call', 'tool', { server: 'crm', id: 'find' }, true],
    ['tools/call', 'tool', { server: 'crm', id: 'list' }, true],
    ['read', 'account', { id: 'a-1' }, true],
    ['tools/call', 'tool', { server: 'mail', id: 'find' }, false],
    ['tools/call', 'tool', { id: 'find' }, false],
    ['tools/call', 'tool', { server: 'crm' }, false],
    ['tools/list', 'tool', { server: 'crm', id: 'find' }, false],
    ['tools/call', 'account', { server: 'crm', id: 'find' }, false],
  ])('%s on a %s %j: %s', (action, type, thing, expected) => {
    expect(ability.can(action, subject(type, { ...thing }))).toBe(expected);
  });

  it.each<[string, Partial<Capability>]>([
    ['every action', { action: 'manage' }],
    ['everything', { type: 'all' }],
    ['two actions', { action: 'tools/call,tools/list' }],
    ['two types', { type: 'tool,prompt' }],
    ['no action', { action: '' }],
  ])('leave out what CASL would take for %s', (_what, over) => {
    expect(capabilityRules([{ ...CRM, ...over }])).toEqual([]);
  });

  it('allow just what they were made of', () => {
    const word = fc.constantFrom('manage', 'all', 'a', 'b', 'a,b', '', '__proto__', '$in');
    const capability = fc.record({ action: word, type: word, id: word, server: fc.option(word) });
    fc.assert(
      fc.property(fc.array(capability, { maxLength: 5 }), capability, (all, { action, type, id, server }) => {
        const thing = subject(type, { id, ...(server === null ? {} : { server }) });
        const isOne = all.some(
          (one) =>
            one.action === action &&
            one.type === type &&
            one.id === id &&
            (one.server === server || one.server === null),
        );
        if (received(all).can(action, thing)) expect(isOne).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

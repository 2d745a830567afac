import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../model.js';
import { BoundArguments } from './bound.js';
import { agreementsTo, meets, requirementOf, type Consent } from './requirements.js';
import type { ResolvedRequest } from './request.js';

const BLOCK = { by: ['subject' as const], approvals: 1, notSelf: false, bind: 'all' as const };
const RULE = { policy: 'crm', version: 1, rule: 'mails' };

const REQUEST: ResolvedRequest = {
  subject: {
    type: 'user',
    id: 'ann',
    key: 'user:ann',
    properties: {},
    groups: null,
    mayBeInMore: true,
    mapped: null,
    unsure: null,
    storedOverUnsure: null,
    token: null,
    assurance: 'verified',
  },
  agent: { id: 'desk', properties: {} },
  action: 'tools/call',
  resource: { type: 'tool', id: 'mail', properties: { region: 'apac' } },
  server: { id: 'crm', properties: {}, identity: ['https://crm.example.com/mcp'] },
  tool: { name: 'mail', registered: undefined },
  definition: 'd'.repeat(64),
  arguments: { to: ['bob'], body: 'hello' },
  operation: 'write',
  session: { id: 's1' },
  context: { purpose: 'support', time: 'noon' },
  supportedObligations: undefined,
};

interface Asked {
  readonly request?: Partial<ResolvedRequest>;
  readonly rule?: typeof RULE | null;
  readonly digest?: string;
  readonly bind?: 'all' | string[];
  readonly inError?: boolean;
}

function asked({ request = {}, rule = RULE, digest = 'block', bind = 'all', inError = false }: Asked) {
  const whole = { ...REQUEST, ...request };
  const given = new BoundArguments(whole.arguments as JsonObject);
  return requirementOf(rule, { block: { ...BLOCK, bind }, digest }, given, inError, whole);
}

const server = (changes: object): Asked => ({ request: { server: { ...REQUEST.server!, ...changes } } });

describe('an agreement', () => {
  const before = asked({}).binding;

  it.each<[string, Asked]>([
    ['one byte of an argument', { request: { arguments: { to: ['bob'], body: 'hello!' } } }],
    ['a letter that looks the same', { request: { arguments: { to: ['bоb'], body: 'hello' } } }],
    ['an argument more', { request: { arguments: { to: ['bob'], body: 'hello', cc: null } } }],
    ['another person', { request: { subject: { ...REQUEST.subject, key: 'user:eve' } } }],
    ['another application', { request: { agent: { id: 'other', properties: {} } } }],
    ['another server', server({ id: 'crm2' })],
    ['a server of the same name with another identity', server({ identity: ['https://evil.example.com/mcp'] })],
    ['no server', { request: { server: null } }],
    ['another action', { request: { action: 'tools/call:result' } }],
    ['another resource', { request: { resource: { ...REQUEST.resource, id: 'mail2' } } }],
    ['a resource of another type', { request: { resource: { ...REQUEST.resource, type: 'prompt' } } }],
    ['other attributes of the resource', { request: { resource: { ...REQUEST.resource, properties: {} } } }],
    ['attributes of the action', { request: { context: { ...REQUEST.context, action: { amount: 1 } } } }],
    ['another definition of the tool', { request: { definition: 'e'.repeat(64) } }],
    ['another purpose', { request: { context: { purpose: 'sales' } } }],
    ['no purpose', { request: { context: {} } }],
    ['another rule', { rule: { ...RULE, rule: 'other' } }],
    ['another policy', { rule: { ...RULE, policy: 'other' } }],
    ['the default of the tenant', { rule: null }],
    ['a changed consent block', { digest: 'changed' }],
  ])('to a call is none to one with %s', (_what, other) => {
    expect(asked(other).binding).not.toBe(before);
  });

  it.each<[string, Asked]>([
    ['another version of the policy with the same rule', { rule: { ...RULE, version: 2 } }],
    ['other attributes of the person', { request: { subject: { ...REQUEST.subject, properties: { a: 1 } } } }],
    ['another session', { request: { session: { id: 's2' } } }],
    ['context that is no argument', { request: { context: { purpose: 'support', time: 'night' } } }],
    ['the arguments in another order', { request: { arguments: { body: 'hello', to: ['bob'] } } }],
  ])('to a call is one to it with %s', (_what, other) => {
    expect(asked(other).binding).toBe(before);
  });

  it.each<[string, JsonObject, JsonObject]>([
    [
      'result',
      { result: { action: 'accept', content: { name: 'ann' } } },
      { result: { action: 'accept', content: {} } },
    ],
    ['error', { error: { code: 1 } }, { error: { code: 2 } }],
    ['kind', { result: {} }, { error: {} }],
  ])('to an answer is none to one with another %s', (_what, context, other) => {
    const answer = (given: JsonObject): Asked => ({ request: { action: 'elicitation/create:result', context: given } });
    expect(asked(answer(context)).binding).not.toBe(asked(answer(other)).binding);
    expect(asked(answer({ ...context, time: 'night' })).binding).toBe(asked(answer(context)).binding);
  });

  it('that is bound to some arguments is one for all others, unless the rule is in error', () => {
    const some: Asked = { bind: ['to'] };
    const other: Asked = { ...some, request: { arguments: { to: ['bob'], body: 'bye' } } };
    expect(asked(other).binding).toBe(asked(some).binding);
    expect(asked({ ...other, inError: true }).binding).not.toBe(asked({ ...some, inError: true }).binding);
    expect(asked({ ...some, request: { arguments: { to: ['eve'] } } }).binding).not.toBe(asked(some).binding);
  });

  it('cannot be given for a tool whose definition is not known', () => {
    const requirement = asked({ request: { definition: null } });
    expect(requirement.binding).toBeNull();
    expect(agreementsTo([requirement])).toEqual([]);
    const forged = { id: 'c', binding: null as never, expires: null, usesLeft: null, named: true, session: null };
    expect(meets(forged, requirement, REQUEST, 0)).toBe(false);
  });
});

describe('meets', () => {
  const requirement = asked({});
  const consent: Consent = { ...agreementsTo([requirement])[0]!, expires: 10 };

  it.each<[string, Partial<Consent>, boolean]>([
    ['all as it was', {}, true],
    ['it ends now', { expires: 9 }, false],
    ['it ends in a moment', { expires: 9.1 }, true],
    ['it never ends', { expires: null }, true],
    ['its end is unreadable', { expires: NaN }, false],
    ['a use is left, and it is named', { usesLeft: 1, named: true }, true],
    ['a use is left, and it is not named', { usesLeft: 1 }, false],
    ['no use is left', { usesLeft: 0, named: true }, false],
    ['fewer than none', { usesLeft: -1, named: true }, false],
    ['it is for this session', { session: 's1' }, true],
    ['it is for another session', { session: 's2' }, false],
    ['it is for something else', { binding: 'x' }, false],
  ])('where %s', (_what, change, expected) => {
    expect(meets({ ...consent, ...change }, requirement, REQUEST, 9)).toBe(expected);
  });

  it('not where the request has no session and the consent is for one', () => {
    const bound = { ...consent, session: 's1' };
    expect(meets(bound, requirement, { ...REQUEST, session: null }, 9)).toBe(false);
    const forged = { ...consent, session: undefined as never };
    expect(meets(forged, requirement, { ...REQUEST, session: null }, 9)).toBe(false);
  });
});

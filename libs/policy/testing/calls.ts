import fc from 'fast-check';
import { OBLIGATIONS } from '../decide/obligations.js';
import { BY_TOOL, type DecisionInput } from '../decide/request.js';
import type { Json, JsonObject } from '../model.js';
import { host, ROLES, server, tool } from './arbitraries.js';
import { maybe, shape } from './left-out.js';

const argument: { [name: string]: fc.Arbitrary<Json> } = {
  n: fc.constantFrom<Json[]>(1, 20, '20', null),
  region: fc.constantFrom<Json[]>('emea', 'apac', ['emea']),
  path: fc.constantFrom<Json[]>('/work/a', '/work/secret/a', '/etc/passwd', '~/docs/x', '/work/../etc/passwd', 3),
  tags: fc.constantFrom<Json[]>(['x'], ['x', 'y'], [], [1], 'x'),
};

/** Arguments that conditions and boundaries of generated documents read, some of them of the wrong type. */
export const callArguments: fc.Arbitrary<JsonObject> = shape<JsonObject>({
  n: maybe(argument.n!),
  region: maybe(argument.region!),
  path: maybe(argument.path!),
  tags: maybe(argument.tags!),
});

const name = { type: fc.constant('user'), id: fc.constantFrom('ann', 'bob', 'cid') };

const asserted: fc.Arbitrary<DecisionInput['subject']> = fc.record({
  ...name,
  properties: fc.oneof(fc.constant({}), fc.constant({ groups: ['emea'], region: 'apac' })),
  assurance: fc.constant('asserted' as const),
});

/** Somebody by the word of an issuer, about whom more or less is known. */
export const verified: fc.Arbitrary<DecisionInput['subject']> = shape<DecisionInput['subject']>({
  ...name,
  properties: fc.oneof(fc.constant({}), fc.constant({ groups: ['emea'], region: 'apac' })),
  assurance: fc.constant('verified' as const),
  groups: fc.option(fc.record({ names: fc.subarray(['emea', 'apac']), complete: fc.boolean() }), { freq: 4 }),
  roles: maybe(
    fc.record({
      held: fc.subarray(ROLES, { maxLength: 2 }),
      possible: fc.subarray(ROLES, { maxLength: 2 }),
      ways: fc.constant([]),
    }),
  ),
  unsure: maybe(fc.subarray(['region', 'level', 'home'])),
  token: maybe(fc.constantFrom<JsonObject[]>({ acr: 'mfa', scope: ['a', 'b'] }, { scope: 'a' }, {})),
  issuer: maybe(fc.constant({ name: 'company', iss: 'https://idp.example.com' })),
});

/** A call of a tool by somebody, known or not. */
export const call: fc.Arbitrary<DecisionInput> = fc.record({
  subject: fc.oneof({ weight: 2, arbitrary: asserted }, { weight: 1, arbitrary: verified }),
  agent: fc.oneof({ weight: 9, arbitrary: host }, { weight: 1, arbitrary: fc.constant('nobody') }),
  action: fc.constant('tools/call'),
  resource: fc.record({ type: fc.constant('tool'), id: tool, properties: fc.constant({}) }),
  server: fc
    .oneof({ weight: 9, arbitrary: server }, { weight: 1, arbitrary: fc.constant('elsewhere') })
    .map((name) => ({ name })),
  arguments: callArguments,
  operation: fc.constant(BY_TOOL),
  definition: fc.constant('d'.repeat(64)),
  session: fc.constant(null),
  context: fc.oneof(fc.constant({}), fc.constant({ purpose: 'support' })),
  supportedObligations: fc.option(fc.subarray([...OBLIGATIONS, 'dance']), { nil: undefined, freq: 1 }),
  kind: fc.constant('ordinary' as const),
});

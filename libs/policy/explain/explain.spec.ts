import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { call, documents, NOW } from '#policy/testing';
import { guardrailOf } from '../compile/guardrails.js';
import {
  BY_TOOL,
  combine,
  decide,
  documentName,
  explain,
  PolicySet,
  type AnyDocument,
  type Decision,
  type DecisionInput,
  type Explanation,
  type Json,
  type JsonObject,
} from '../index.js';

const RUNS = Number(process.env.PLACET_LAW_RUNS ?? 2000);
const holds = <T>(property: fc.IProperty<T>) => fc.assert(property, { numRuns: RUNS });

const compiled = (all: readonly AnyDocument[]): PolicySet =>
  PolicySet.of(all.map((document) => ({ document, version: 1 })));

function explained(
  all: readonly AnyDocument[],
  input: DecisionInput,
  share = 1,
): { decision: Decision; explanation: Explanation; set: PolicySet } {
  const set = compiled(all);
  const decision = decide(set, input, [], NOW);
  return { set, decision, explanation: explain({ set, input, consents: [], now: NOW, decision }, share) };
}

type Counterfactual = Exclude<Explanation['counterfactual'], 'none'>;

/** The documents and the request after a change, made as an administrator or a host would make it. */
function applied(
  all: readonly AnyDocument[],
  input: DecisionInput,
  made: Counterfactual,
): [AnyDocument[], DecisionInput] {
  const set = compiled(all);
  const stored = set.subject(input.subject.type, input.subject.id);
  const { type, id } = stored ?? input.subject;
  switch (made.change) {
    case 'add_role':
      return [[...all, { kind: 'Binding', name: 'added', subjects: [`${type}:${id}`], roles: [made.role] }], input];
    case 'remove_role':
      return [
        all.flatMap((document): AnyDocument[] => {
          if (document.kind !== 'Binding') return [document];
          const roles = document.roles.filter((role) => role !== made.role);
          return roles.length === 0 ? [] : [{ ...document, roles }];
        }),
        input,
      ];
    default:
      return withAttribute(all, input, made.attribute.split('.'), valueOf(all, input, made));
  }
}

function valueOf(all: readonly AnyDocument[], input: DecisionInput, made: Exclude<Counterfactual, { role: string }>) {
  switch (made.change) {
    case 'set':
      return made.value;
    case 'remove':
      return undefined;
    case 'shorten':
      return (read(all, input, made.attribute) as string | Json[]).slice(0, made.size) as Json;
    case 'copy':
      return read(all, input, made.from);
    case 'copy_first':
      return (read(all, input, made.from) as Json[])[0];
  }
}

function read(all: readonly AnyDocument[], input: DecisionInput, attribute: string): Json {
  const stored = compiled(all).subject(input.subject.type, input.subject.id);
  const root = {
    subject: {
      type: stored?.type ?? input.subject.type,
      properties: { ...input.subject.properties, ...stored?.properties } as JsonObject,
      groups: (stored?.groups ?? input.subject.properties.groups ?? []) as Json,
    },
    arguments: input.arguments,
    context: input.context,
    resource: input.resource,
  } as unknown as Json;
  return attribute.split('.').reduce((value, name) => (value as JsonObject)[name]!, root);
}

function withAttribute(
  all: readonly AnyDocument[],
  input: DecisionInput,
  [variable, ...path]: readonly string[],
  value: Json | undefined,
): [AnyDocument[], DecisionInput] {
  const withMember = (object: JsonObject | undefined, name: string): JsonObject => {
    const { [name]: _before, ...rest } = object ?? {};
    return value === undefined ? rest : { ...rest, [name]: value };
  };
  const withStored = (kind: AnyDocument['kind'], isMeant: (document: AnyDocument) => boolean) =>
    all.map((document) =>
      document.kind === kind && isMeant(document)
        ? ({
            ...document,
            properties: withMember((document as { properties?: JsonObject }).properties, path[1]!),
          } as AnyDocument)
        : document,
    );
  switch (variable) {
    case 'arguments':
      return [[...all], { ...input, arguments: withMember(input.arguments as JsonObject, path[0]!) }];
    case 'context':
      return [[...all], { ...input, context: withMember(input.context, path[0]!) }];
    case 'subject': {
      const {
        kind: _kind,
        type,
        id,
      } = compiled(all).subject(input.subject.type, input.subject.id) ?? {
        kind: null,
        ...input.subject,
      };
      const asserted = withMember(input.subject.properties, path[1]!);
      return [
        withStored('Subject', (document) => documentName(document) === `${type}:${id}`),
        { ...input, subject: { ...input.subject, properties: asserted } },
      ];
    }
    case 'agent':
      return [withStored('Host', (document) => documentName(document) === input.agent), input];
    default:
      throw new Error(`no attribute of '${variable}' is in the generated policies`);
  }
}

/** Tenants in which most requests are decided by rules: nothing is suspended, and nothing outside a boundary. */
const open = documents.map((all) =>
  all
    .filter(({ kind }) => kind !== 'Scope' && kind !== 'Suspension')
    .map((document) =>
      document.kind === 'Tenant' ? { ...document, defaults: { ...document.defaults, hostScope: {} } } : document,
    ),
);
const registered = call.map((input): DecisionInput => ({ ...input, agent: 'desk', server: { name: 'files' } }));

/** How permissive an effect is. */
const RANK = { deny: 0, ask: 1, allow: 2 };

describe('the smallest change', () => {
  it('really makes the answer the one that it says, when it is made', () => {
    let found = 0;
    holds(
      fc.property(fc.oneof(documents, open), fc.oneof(call, registered), (all, input) => {
        const { decision, explanation } = explained(all, input);
        const { counterfactual } = explanation;
        if (counterfactual === 'none') return;
        found++;
        const [changed, asked] = applied(all, input, counterfactual);
        const after = decide(compiled(changed), asked, [], NOW);
        expect({ effect: after.effect, reason: after.reason }).toEqual({
          effect: counterfactual.effect,
          reason: counterfactual.reason,
        });
        if (decision.effect === 'allow') expect(after.effect).not.toBe('allow');
        else expect(RANK[after.effect]).toBeGreaterThan(RANK[decision.effect]);
      }),
    );
    expect(found).toBeGreaterThan(RUNS / 50);
  });

  it.each<[string, string[] | undefined, object | 'none']>([
    [
      'removes',
      undefined,
      { change: 'remove', attribute: 'subject.properties.region', effect: 'allow', reason: 'allowed' },
    ],
    ['does not remove', ['region'], 'none'],
  ])('%s a stored attribute of somebody whose claims leave open %j', (_what, unsure, expected) => {
    const all = [
      { kind: 'Tenant', name: 'default', defaults: { effect: 'deny', hostScope: {} } },
      { kind: 'Host', name: 'desk' },
      { kind: 'Server', name: 'files' },
      { kind: 'Subject', type: 'user', id: 'bob', properties: { region: 'emea' } },
      {
        kind: 'Policy',
        name: 'strangers',
        target: { servers: ['files'], actions: ['tools/call'], resources: ['*'] },
        rules: [{ name: 'all', effect: 'allow', to: ['any'], unless: 'has(subject.properties.region)' }],
      },
    ] as unknown as AnyDocument[];
    const [some] = fc.sample(registered, { numRuns: 1, seed: 1 });
    const subject = { type: 'user', id: 'bob', properties: {}, assurance: 'verified' as const, groups: null, unsure };
    const resource = { type: 'tool', id: 'read_file', properties: {} };
    const asked = { ...some!, subject, resource, action: 'tools/call', arguments: {}, kind: 'ordinary' as const };
    expect(explained(all, { ...asked, supportedObligations: undefined }).explanation.counterfactual).toEqual(expected);
  });
});

describe('an explanation', () => {
  const alive = ({ rules, guardrails }: Explanation) => [
    ...rules.flatMap(({ policy, version, rule, effect, enforced, outcome, met }) =>
      enforced && outcome !== 'false' ? [{ ref: { policy, version, rule }, effect, outcome, met: met ?? null }] : [],
    ),
    ...guardrails.map(({ name, effect, met }) => {
      const ref = { policy: `guardrail:${name}`, version: 1, rule: effect };
      return { ref, effect, outcome: 'true' as const, met: met ?? null };
    }),
  ];

  it('has all that the decision follows from', () => {
    holds(
      fc.property(documents, call, (all, input) => {
        const { decision, explanation } = explained(all, input);
        const own = decision.outcomes.rules.filter(({ ref }) => guardrailOf(ref) === undefined);
        expect(alive(explanation).map(({ ref, outcome }) => ({ ref, outcome }))).toEqual(
          expect.arrayContaining(own.map(({ ref, outcome }) => ({ ref, outcome }))),
        );
        fc.pre(explanation.boundary !== null && explanation.step !== 'obligations');
        const { effect, rules } = combine({
          rules: alive(explanation),
          boundary: explanation.boundary.outcome,
          default: explanation.default!,
        });
        expect(effect).toBe(decision.effect);
        const decided = explanation.rules.filter((rule) => rule.decided).map(({ policy, rule }) => `${policy}/${rule}`);
        const isOwn = ({ ref }: (typeof rules)[number]) => guardrailOf(ref) === undefined;
        expect(decided.sort()).toEqual(
          rules
            .filter(isOwn)
            .map(({ ref }) => `${ref.policy}/${ref.rule}`)
            .sort(),
        );
      }),
    );
  });

  it('names a clause for each condition that is not as the rule needs it, and no value of the request', () => {
    const all: Json[] = ['apac', '/work', '/etc', 'ann@', '/home'];
    holds(
      fc.property(documents, call, (made, input) => {
        const { explanation } = explained(made, input);
        for (const { parts, failed } of explanation.rules) {
          const failing = [parts.when, parts.unless].some((part) => part !== undefined && part !== 'true');
          expect(failed !== undefined).toBe(failing);
          if (!failed) continue;
          expect(failed.outcome).not.toBe(String(failed.part === 'when'));
          for (const seen of failed.saw) for (const text of all) expect(JSON.stringify(seen)).not.toContain(text);
        }
      }),
    );
  });

  it('is the same whatever the order of the documents', () => {
    holds(
      fc.property(documents, call, (all, input) => {
        expect(explained([...all].reverse(), input).explanation).toEqual(explained(all, input).explanation);
      }),
    );
  });

  it('says what was cut off where there is less time for it', () => {
    holds(
      fc.property(documents, call, (all, input) => {
        const { explanation } = explained(all, input, 0);
        if (explanation.counterfactual === 'none' && explanation.rules.length > 0) return;
        expect(explanation.counterfactual).toBe('none');
      }),
    );
  });
});

/** Ann, who is a clerk by her group and a lead by herself, and a server with one tool. */
const BASE: readonly AnyDocument[] = [
  { kind: 'Tenant', name: 'default', defaults: { effect: 'deny', hostScope: {} } },
  { kind: 'Role', name: 'clerk', inherits: ['employee'] },
  { kind: 'Role', name: 'lead', inherits: ['employee'] },
  { kind: 'Subject', type: 'user', id: 'ann', groups: ['office'], properties: { region: 'emea' } },
  { kind: 'Binding', name: 'office', subjects: ['group:office'], roles: ['clerk'] },
  { kind: 'Binding', name: 'ann', subjects: ['user:ann'], roles: ['lead'], expires: '2026-11-20T13:00:00Z' },
  { kind: 'Host', name: 'desk' },
  {
    kind: 'Server',
    name: 'files',
    tools: {
      send: {
        operation: 'write',
        inputSchema: {
          type: 'object',
          properties: { to: { type: 'array', maxItems: 12 }, kind: { enum: ['a', 'b'] } },
        },
      },
    },
  },
];

type Rule = Extract<AnyDocument, { kind: 'Policy' }>['rules'][number];

const withRules = (...rules: (Partial<Rule> & { name: string })[]): AnyDocument[] => [
  ...BASE,
  {
    kind: 'Policy',
    name: 'p',
    target: { actions: ['tools/call'], resources: ['*'] },
    rules: rules.map((rule) => ({ effect: 'allow', to: ['any'], ...rule })),
  },
];

const asked = (given: JsonObject, more: Partial<DecisionInput> = {}): DecisionInput => ({
  subject: { type: 'user', id: 'ann', properties: {}, assurance: 'asserted' },
  agent: 'desk',
  action: 'tools/call',
  resource: { type: 'tool', id: 'send', properties: {} },
  server: { name: 'files' },
  arguments: given,
  operation: BY_TOOL,
  session: null,
  context: {},
  kind: 'ordinary',
  ...more,
});

describe('the one change', () => {
  const many = Array.from({ length: 11 }, (_, index) => `p${index}@example.com`);
  const allow = { effect: 'allow', reason: 'allowed' };
  it.each<[string, AnyDocument[], JsonObject, object | 'none']>([
    [
      'a role that is missing',
      withRules({ name: 'r', to: ['role:boss'] }),
      {},
      { change: 'add_role', role: 'boss', ...allow },
    ],
    [
      'a role that is held, where a rule denies it',
      withRules({ name: 'r' }, { name: 'd', effect: 'deny', to: ['role:clerk'] }),
      {},
      { change: 'remove_role', role: 'clerk', ...allow },
    ],
    [
      'no role, where two of them lead to what is denied',
      withRules({ name: 'r' }, { name: 'd', effect: 'deny', to: ['role:employee'] }),
      {},
      'none',
    ],
    [
      'the role without which there would be no allow',
      withRules({ name: 'r', to: ['role:lead'] }),
      {},
      { change: 'remove_role', role: 'lead', effect: 'deny', reason: 'no_rule_allows' },
    ],
    [
      'an argument, to a value that the policy names',
      withRules({ name: 'r', when: 'arguments.kind == "a"' }),
      { kind: 'b' },
      { change: 'set', attribute: 'arguments.kind', value: 'a', ...allow },
    ],
    [
      'an argument, and not to a value that its tool does not take',
      withRules({ name: 'r' }, { name: 'd', effect: 'deny', when: 'arguments.kind == "a"' }),
      { kind: 'a' },
      'none',
    ],
    [
      'an argument, to what another attribute is, which is not told',
      withRules({ name: 'r', when: 'arguments.region == subject.properties.region' }),
      { region: 'apac' },
      { change: 'copy', attribute: 'arguments.region', from: 'subject.properties.region', ...allow },
    ],
    [
      'an argument, to fewer elements',
      withRules({ name: 'r' }, { name: 'd', effect: 'deny', when: 'arguments.to.size() > 10' }),
      { to: many },
      { change: 'shorten', attribute: 'arguments.to', size: 10, ...allow },
    ],
    [
      'an argument that is not there any more',
      withRules({ name: 'r' }, { name: 'd', effect: 'deny', when: 'has(arguments.secret)' }),
      { secret: 'x' },
      { change: 'remove', attribute: 'arguments.secret', ...allow },
    ],
    [
      'an attribute that is stored',
      withRules({ name: 'r', when: 'subject.properties.level >= 3' }),
      {},
      { change: 'set', attribute: 'subject.properties.level', value: 3, ...allow },
    ],
    [
      'what leads to an ask, where nothing leads to an allow',
      withRules({
        name: 'r',
        to: ['role:boss'],
        consent: { by: ['subject'], approvals: 1, notSelf: false, bind: 'all' },
      }),
      {},
      { change: 'add_role', role: 'boss', effect: 'ask', reason: 'consent_required' },
    ],
    [
      'nothing, where two things would be needed',
      withRules({ name: 'r', to: ['role:boss'], when: 'arguments.n > 1' }),
      {},
      'none',
    ],
    ['nothing, where names are in the way', withRules({ name: 'r', when: 'resource.id == "x"' }), {}, 'none'],
    ['nothing, where groups are', withRules({ name: 'r', when: '"x" in subject.properties.groups' }), {}, 'none'],
  ])('is %s', (_name, all, given, expected) => {
    expect(explained(all, asked(given)).explanation.counterfactual).toEqual(expected);
  });
});

describe('what is explained', () => {
  it.each([
    [['n', 'name'], 'true'],
    [['n'], 'false'],
  ])('is whether the arguments lie within the fields %j: %s', (places, outcome) => {
    const all = withRules({ name: 'r', fields: { arguments: places } });
    const [rule] = explained(all, asked({ n: 7, name: 'Ann Example' })).explanation.rules;
    expect(rule).toMatchObject({ outcome, parts: { target: 'true', to: 'true', fields: outcome } });
  });

  it('is each part of each rule, the clause in the way, and how roles are reached', () => {
    const all = withRules(
      { name: 'mine', to: ['role:employee'], via: ['desk'], when: 'arguments.n > 1 && arguments.name == "x"' },
      { name: 'theirs', to: ['role:boss'], unless: 'tool.operation == "write"' },
    );
    const { explanation } = explained(all, asked({ n: 7, name: 'Ann Example' }));
    expect(explanation).toEqual({
      step: 'allow_rules',
      rules: [
        {
          policy: 'p',
          version: 1,
          rule: 'mine',
          effect: 'allow',
          enforced: true,
          decided: false,
          outcome: 'false',
          to: ['role:employee'],
          parts: { target: 'true', to: 'true', via: 'true', when: 'false' },
          failed: {
            part: 'when',
            text: 'arguments.name == "x"',
            start: 19,
            end: 40,
            outcome: 'false',
            saw: [{ attribute: 'arguments.name', type: 'string', size: 11 }],
          },
        },
        {
          policy: 'p',
          version: 1,
          rule: 'theirs',
          effect: 'allow',
          enforced: true,
          decided: false,
          outcome: 'false',
          to: ['role:boss'],
          parts: { target: 'true', to: 'false', unless: 'false' },
          failed: {
            part: 'unless',
            text: 'tool.operation == "write"',
            start: 0,
            end: 25,
            outcome: 'true',
            saw: [{ attribute: 'tool.operation', type: 'string', value: 'write' }],
          },
        },
      ],
      guardrails: [],
      boundary: { outcome: 'true' },
      default: { effect: 'deny', met: false },
      roles: [
        {
          role: 'employee',
          held: 'true',
          ways: [
            { binding: 'ann', by: 'user:ann', through: ['lead', 'employee'], expires: '2026-11-20T13:00:00.000Z' },
            { binding: 'office', by: 'group:office', through: ['clerk', 'employee'] },
          ],
        },
        { role: 'boss', held: 'false', ways: [] },
      ],
      counterfactual: { change: 'set', attribute: 'arguments.name', value: 'x', effect: 'allow', reason: 'allowed' },
      truncated: [],
    });
  });

  it('is the boundary that a request is outside of', () => {
    const all = [
      ...withRules({ name: 'r' }),
      { kind: 'Scope', server: 'files', operations: { allow: ['read'] } } as AnyDocument,
    ];
    expect(explained(all, asked({})).explanation).toMatchObject({
      step: 'boundaries',
      boundary: { outcome: 'false', outside: { scope: 'server:files', clause: 'operations' } },
    });
  });

  it('is nothing but the step, where no rule was looked at', () => {
    const { explanation } = explained(withRules({ name: 'r' }), asked({ kind: 'c' }));
    expect(explanation).toMatchObject({ step: 'before_rules', rules: [], boundary: null, counterfactual: 'none' });
  });

  it('is cut off where there is much of it, with what decided first', () => {
    const rules = Array.from({ length: 300 }, (_, index) => ({ name: `r${index}`, to: [`role:r${index}`] }));
    const all = withRules({ name: 'z', effect: 'deny' }, ...rules);
    const { explanation } = explained(all, asked({}));
    expect(explanation.rules).toHaveLength(21);
    expect(explanation.rules[0]).toMatchObject({ rule: 'z', decided: true });
    expect(explanation.truncated).toEqual(['rules', 'counterfactual']);
  });

  it('costs little also where the request cost much', () => {
    const dear = 'arguments.l.exists(x, x == "y" || x == "z")';
    const rules = Array.from({ length: 15 }, (_, index) => ({
      name: `r${index}`,
      when: `${dear} && arguments.n == ${index}`,
    }));
    const { explanation } = explained(withRules(...rules), asked({ l: Array.from({ length: 4000 }, () => 'x') }));
    expect(explanation.step).toBe('allow_rules');
    expect(explanation.rules.length).toBeLessThan(10);
    expect(explanation.truncated).toEqual(['rules', 'counterfactual']);
  });
});

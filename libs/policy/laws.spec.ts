import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  agreeing,
  call,
  callArguments,
  compare,
  consentBlock,
  documents,
  NOW,
  policyNamed,
  scopeNamed,
  suspension,
  verified,
} from '#policy/testing';
import {
  decide,
  decideListing,
  digest,
  documentName,
  DocumentSet,
  PolicySet,
  type AnyDocument,
  type Consent,
  type Decision,
  type DecisionInput,
  type JsonObject,
  type StoredDocument,
} from './index.js';
import { combine } from './decide/combine.js';
import { OBLIGATIONS } from './decide/obligations.js';
import { compilePlaces, coverageOf } from './fields/places.js';

const RUNS = Number(process.env.PLACET_LAW_RUNS ?? 2000);

const stored = (all: readonly AnyDocument[]): StoredDocument[] => all.map((document) => ({ document, version: 1 }));
const compiled = (all: readonly AnyDocument[]): PolicySet => PolicySet.of(stored(all));

/** How permissive an answer is. */
function rank({ effect, obligations }: Pick<Decision, 'effect' | 'obligations'>): number {
  if (effect === 'allow') return obligations.length === 0 ? 3 : 2;
  return effect === 'ask' ? 1 : 0;
}

/** Some fields that a result could have. */
const RESULT = [
  { name: 'Ann' },
  { ssn: '1' },
  { payment: { card: '2' } },
  { payment: { iban: '3' } },
  { other: { card: '4' } },
] as const satisfies readonly JsonObject[];

/** Which of them the person gets to see by an answer. */
function visible({ effect, obligations }: Decision): readonly JsonObject[] {
  if (effect !== 'allow') return [];
  const lies = (field: JsonObject, places: unknown) =>
    coverageOf(field, compilePlaces(places as string[])).outcome === 'true';
  return RESULT.filter((field) =>
    obligations.every(({ type, keep, fields }) => {
      if (type === 'fields') return lies(field, keep);
      return (type !== 'redact' && type !== 'mask') || !lies(field, fields);
    }),
  );
}

const holds = <T>(property: fc.IProperty<T>) => fc.assert(property, { numRuns: RUNS });

describe('a decision', () => {
  it('agrees with the reference interpreter, with any subset of the agreements asked for', () => {
    holds(
      fc.property(documents, call, fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }), (all, input, kept) => {
        expect(compare(all, compiled(all), input, kept)).toHaveProperty('decision');
      }),
    );
  });

  it('does not depend on the order of the documents, nor on how they came to be', () => {
    holds(
      fc.property(documents, fc.infiniteStream(fc.nat()), call, (all, random, input) => {
        const shuffled = [...all];
        for (let index = shuffled.length - 1; index > 0; index--) {
          const other = (random.next().value as number) % (index + 1);
          [shuffled[index], shuffled[other]] = [shuffled[other]!, shuffled[index]!];
        }
        const grown = PolicySet.of([]);
        for (const change of stored(shuffled)) {
          const set = DocumentSet.of([change]);
          for (const kind of [change.document.kind]) {
            for (const document of set.all(kind))
              grown.apply([{ kind, name: documentName(document.document), stored: document }]);
          }
        }
        const expected = decide(compiled(all), input, [], NOW);
        expect(decide(compiled(shuffled), input, [], NOW)).toEqual(expected);
        expect(decide(grown, input, [], NOW)).toEqual(expected);
      }),
    );
  });

  it('is the same after documents were added and taken away again', () => {
    holds(
      fc.property(
        documents,
        fc.array(fc.oneof(policyNamed('extra'), scopeNamed('extra')), { minLength: 1, maxLength: 3 }),
        call,
        (all, extras, input) => {
          const set = compiled(all);
          const expected = decide(set, input, [], NOW);
          for (const document of extras)
            set.apply([{ kind: document.kind, name: 'extra', stored: { document, version: 1 } }]);
          for (const document of extras) set.apply([{ kind: document.kind, name: 'extra' }]);
          expect(decide(set, input, [], NOW)).toEqual(expected);
        },
      ),
    );
  });

  it('never becomes more permissive by an added deny, ask or boundary, whatever has been agreed to', () => {
    const restrictive = fc.oneof(
      policyNamed('extra').map((policy) => withEffect(policy, 'deny')),
      policyNamed('extra').chain((policy) => consentBlock.map((consent) => withEffect(policy, 'ask', consent))),
      scopeNamed('extra'),
    );
    holds(
      fc.property(documents, restrictive, call, (all, extra, input) => {
        // A host's first own boundary replaces the tenant's default one: that is not adding a boundary.
        const first =
          extra.kind === 'Scope' &&
          extra.host !== undefined &&
          !all.some((document) => document.kind === 'Scope' && document.host === extra.host);
        fc.pre(!first);
        const before = compiled(all);
        const consents = agreeing(before, input);
        const after = compiled([...all, extra]);
        const [less, whole] = [decide(after, input, consents, NOW), decide(before, input, consents, NOW)];
        expect(rank(less)).toBeLessThanOrEqual(rank(whole));
        expect(visible(whole)).toEqual(expect.arrayContaining([...visible(less)]));
      }),
    );
  });

  it('never shows more of the result by an added obligation', () => {
    holds(
      fc.property(documents, fc.nat(), fc.constantFrom('redact', 'mask'), call, (all, at, type, input) => {
        const obligation = { type, fields: ['ssn', '*.card'] };
        const rules = all.flatMap((document) => (document.kind === 'Policy' ? document.rules : []));
        const changed = rules[at % rules.length]!;
        fc.pre(changed.effect !== 'deny');
        const stricter = all.map((document) => {
          if (document.kind !== 'Policy') return document;
          const rule = { ...changed, obligations: [...(changed.obligations ?? []), obligation] };
          return {
            ...document,
            rules: document.rules.map((other) => (other === changed ? rule : other)),
          };
        });
        const before = compiled(all);
        const consents = agreeing(before, input);
        const less = visible(decide(compiled(stricter), input, consents, NOW));
        expect(visible(decide(before, input, consents, NOW))).toEqual(expect.arrayContaining([...less]));
      }),
    );
  });

  it('never becomes more permissive where the host can do less, and is whole where it can do all', () => {
    holds(
      fc.property(documents, call, fc.subarray([...OBLIGATIONS]), (all, input, some) => {
        const set = compiled(all);
        const by = (supportedObligations: readonly string[] | undefined) => {
          const asked = { ...input, supportedObligations };
          const silent = { ...input, supportedObligations: undefined };
          return decide(set, asked, agreeing(set, silent), NOW);
        };
        const [less, more] = [by(some.slice(1)), by(some)];
        expect(rank(less)).toBeLessThanOrEqual(rank(more));
        expect(by([...OBLIGATIONS])).toEqual(by(undefined));
        expect(by([...some, 'dance'])).toEqual(more);
        if (more.effect === 'allow') for (const { type } of more.obligations) expect(some).toContain(type);
        if (less.effect !== more.effect) expect(less.reason).toBe('obligation_unsupported');
      }),
    );
  });

  it('is a deny where what it is about is suspended, whatever else there is', () => {
    const concerns = (input: DecisionInput) => ({
      Server: input.server?.name,
      Host: input.agent,
      Subject: `user:${input.subject.id}`,
      Tenant: 'default',
    });
    holds(
      fc.property(documents, suspension, call, (all, made, input) => {
        const before = compiled(all);
        const consents = agreeing(before, input);
        const isKnown = made.of !== 'Server' || before.server({ name: made.name }) !== undefined;
        const after = decide(compiled([...all, made]), input, consents, NOW);
        if (concerns(input)[made.of] === made.name && isKnown) expect(after).toMatchObject({ reason: 'suspended' });
        expect(rank(after)).toBeLessThanOrEqual(rank(decide(before, input, consents, NOW)));
      }),
    );
  });

  it('never depends on shadow rules, which say what it would be if they were enforced', () => {
    holds(
      fc.property(documents, policyNamed('extra'), call, (all, extra, input) => {
        const before = decide(compiled(all.map(enforced)), input, [], NOW);
        const after = decide(compiled([...all.map(enforced), shadow(extra)]), input, [], NOW);
        const inForce = decide(compiled([...all.map(enforced), enforced(extra)]), input, [], NOW);
        expect({ ...after, wouldBe: null }).toEqual(before);
        const { effect, reason, rules } = inForce;
        if (after.wouldBe === null) expect(inForce).toEqual(before);
        else expect(after.wouldBe).toEqual({ effect, reason, rules });
      }),
    );
  });

  it('changes by agreements from ask to allow, and in no other way', () => {
    holds(
      fc.property(documents, call, (all, input) => {
        const set = compiled(all);
        const before = decide(set, input, [], NOW);
        const consents = agreeing(set, input);
        const after = decide(set, input, consents, NOW);
        if (before.effect !== 'ask') expect(after).toEqual(before);
        else expect(after.effect).toBe('allow');
        if (after.effect === 'allow' && before.effect === 'ask') expect(after.reason).toBe('allowed_by_consent');
      }),
    );
  });

  it('takes no agreement that differs in one respect', () => {
    const other: ((consent: Consent) => Consent)[] = [
      (consent) => ({ ...consent, binding: digest(consent.binding) }),
      (consent) => ({ ...consent, expires: NOW }),
      (consent) => ({ ...consent, usesLeft: 0 }),
      (consent) => ({ ...consent, usesLeft: 0, named: true }),
      (consent) => ({ ...consent, usesLeft: 1 }),
      (consent) => ({ ...consent, session: 'another' }),
    ];
    holds(
      fc.property(documents, call, fc.nat(other.length - 1), (all, asked, which) => {
        const set = compiled(all);
        // A host that says nothing is asked more often.
        const input = { ...asked, supportedObligations: undefined };
        const before = decide(set, input, [], NOW);
        fc.pre(before.effect === 'ask');
        const spoilt = agreeing(set, input).map(other[which]!);
        expect(decide(set, input, spoilt, NOW).effect).toBe('ask');
      }),
    );
  });

  it('never becomes more permissive when an attribute that is only selected goes missing', () => {
    const withHas = (document: AnyDocument) =>
      document.kind === 'Policy' &&
      document.rules.some(
        ({ when = '', unless = '', fields }) => `${when} ${unless}`.includes('has(') || fields?.arguments,
      );
    holds(
      fc.property(documents, call, fc.constantFrom('n', 'region', 'path', 'tags'), (all, input, name) => {
        const plain = all.filter((document) => !withHas(document));
        const set = compiled(plain);
        const { [name]: _gone, ...rest } = input.arguments as JsonObject;
        const whole = decide(set, input, [], NOW);
        const less = decide(set, { ...input, arguments: rest }, [], NOW);
        // A missing path needs no check of links by the host; only the effect can be compared.
        expect(rank({ ...less, obligations: [] })).toBeLessThanOrEqual(rank({ ...whole, obligations: [] }));
        const withLess = { ...input, arguments: rest };
        const agreed = [...agreeing(set, input), ...agreeing(set, withLess)];
        const [shown, shownOfLess] = [input, withLess].map((asked) => visible(decide(set, asked, agreed, NOW)));
        expect(shown).toEqual(expect.arrayContaining([...shownOfLess!]));
      }),
    );
  });

  it('follows from the recorded outcomes alone', () => {
    holds(
      fc.property(documents, call, (all, input) => {
        const decision = decide(compiled(all), input, [], NOW);
        fc.pre(decision.boundary !== null);
        fc.pre(decision.reason !== 'obligations_conflict' && decision.reason !== 'obligation_unsupported');
        expect(combine(decision.outcomes).effect).toBe(decision.effect);
      }),
    );
  });

  it('names everything that a later change would concern', () => {
    holds(
      fc.property(documents, call, (all, input) => {
        const { keys } = decide(compiled(all), input, [], NOW);
        expect(keys).toContain(`subject:user:${input.subject.id}`);
        expect(keys).toContain(`host:${input.agent}`);
        expect(keys).toContain(`server:${input.server!.name}`);
      }),
    );
  });
});

describe('what is not known of a verified subject', () => {
  /** Whether an answer is at most as permissive as another one, with all that either asks for agreed to. */
  const isAtMost = (set: PolicySet, less: DecisionInput, more: DecisionInput) => {
    const agreed = [less, more].flatMap((input) => agreeing(set, input));
    const [one, other] = [less, more].map((input) => decide(set, input, agreed, NOW));
    // A home that is not known needs no check of links by the host; only the effect can be compared.
    expect(rank({ ...one!, obligations: [] })).toBeLessThanOrEqual(rank({ ...other!, obligations: [] }));
    expect(visible(other!)).toEqual(expect.arrayContaining([...visible(one!)]));
  };
  const about = (input: DecisionInput, subject: DecisionInput['subject']): DecisionInput => ({ ...input, subject });

  it('never makes an answer more permissive: groups that are known in part, or not at all', () => {
    holds(
      fc.property(documents, call, verified, fc.subarray(['emea', 'apac']), (all, input, subject, names) => {
        const set = compiled(all);
        const whole = about(input, { ...subject, groups: { names, complete: true } });
        const part = about(input, { ...subject, groups: { names: names.slice(1), complete: false } });
        isAtMost(set, part, whole);
        isAtMost(set, about(input, { ...subject, groups: null }), part);
      }),
    );
  });

  it('never grants: a role that a mapping could give or not', () => {
    holds(
      fc.property(documents, call, verified, (all, input, subject) => {
        const { held = [], possible = [] } = subject.roles ?? {};
        const set = compiled(all);
        const open = about(input, { ...subject, roles: { held, possible, ways: [] } });
        isAtMost(set, open, about(input, { ...subject, roles: { held, possible: [], ways: [] } }));
        isAtMost(
          set,
          open,
          about(input, { ...subject, roles: { held: [...held, ...possible], possible: [], ways: [] } }),
        );
      }),
    );
  });

  it('never makes an answer more permissive: an attribute that a mapping could set or not', () => {
    const value = fc.constantFrom(undefined, 'emea', 'apac', 3);
    holds(
      fc.property(
        documents,
        call,
        verified,
        fc.constantFrom('region', 'level'),
        value,
        (all, input, made, name, is) => {
          const set = compiled(all);
          const { [name]: _gone, ...others } = made.properties;
          const subject = { ...made, unsure: [], properties: is === undefined ? others : { ...others, [name]: is } };
          isAtMost(set, about(input, { ...subject, unsure: [name] }), about(input, subject));
        },
      ),
    );
  });

  it('is nothing where the groups are stored, or no issuer vouches for anything', () => {
    holds(
      fc.property(documents, call, verified, (all, input, { type, id, properties, groups }) => {
        const set = compiled(all);
        const asserted = about(input, { type, id, properties, assurance: 'asserted' });
        const decision = decide(set, asserted, [], NOW);
        expect(decision.keys.filter((key) => key.startsWith('issuer:'))).toEqual([]);
        fc.pre(set.subject(type, id)?.groups !== undefined);
        const withGroups = about(input, { type, id, properties, assurance: 'asserted', groups });
        expect(decide(set, withGroups, [], NOW)).toEqual(decision);
      }),
    );
  });
});

describe('a listing', () => {
  const order = { deny: 0, ask: 1, allow: 2 };

  it('shows whatever some arguments would get allowed or asked', () => {
    holds(
      fc.property(documents, call, fc.array(callArguments, { minLength: 1, maxLength: 8 }), (all, input, calls) => {
        const set = compiled(all);
        const listed = decideListing(set, { ...input, arguments: 'unknown' }, NOW);
        for (const given of calls) {
          const called = decide(set, { ...input, arguments: given }, [], NOW);
          expect(order[called.effect]).toBeLessThanOrEqual(order[listed.effect]);
          if (!listed.conditional && called.reason !== 'obligations_conflict')
            expect(called.effect).toBe(listed.effect);
        }
      }),
    );
  });

  it('with an unknown id covers every id', () => {
    holds(
      fc.property(documents, call, (all, input) => {
        const set = compiled(all);
        const listed = decideListing(
          set,
          { ...input, arguments: 'unknown', resource: { ...input.resource, id: null } },
          NOW,
        );
        const called = decide(set, input, [], NOW);
        expect(order[called.effect]).toBeLessThanOrEqual(order[listed.effect]);
      }),
    );
  });
});

function withEffect(policy: AnyDocument, effect: 'deny' | 'ask', consent?: unknown): AnyDocument {
  if (policy.kind !== 'Policy') throw new Error('a policy is expected');
  const rules = policy.rules.map(({ consent: _consent, obligations: _obligations, ...rule }) => ({
    ...rule,
    effect,
    ...(consent ? { consent } : {}),
  }));
  return { ...policy, rules } as AnyDocument;
}

const withEnforce = (document: AnyDocument, enforce: boolean): AnyDocument =>
  document.kind === 'Policy' ? { ...document, rules: document.rules.map((rule) => ({ ...rule, enforce })) } : document;
const shadow = (document: AnyDocument): AnyDocument => withEnforce(document, false);
const enforced = (document: AnyDocument): AnyDocument => withEnforce(document, true);

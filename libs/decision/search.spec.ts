import { describe, expect, it } from 'vitest';
import type { HostPrincipal } from '#identity';
import { PolicySet, parseDocuments, type Candidate } from '#policy';
import { findPage, MAX_PAGE, type FoundPage, type Search } from './search.js';

const { documents } = parseDocuments({
  text: `
{ kind: Tenant, name: default, defaults: { effect: deny, hostScope: {} } }
---
{ kind: Host, name: pep }
---
kind: Policy
name: reading
target: { actions: [read], resources: ['*'] }
rules:
  - { name: all, effect: allow, to: [any] }
  - { name: not-these, effect: deny, to: ['user:0001', 'user:b'] }
  - { name: only-if, effect: ask, to: ['user:0002'], consent: { by: [subject] } }
`,
});
const policies = PolicySet.of(documents.map(({ document }) => ({ document, version: 1 })));

const principal: HostPrincipal = {
  kind: 'host',
  via: 'key',
  tenant: 't',
  credential: 'c',
  host: 'pep',
  rights: {
    subjects: ['user:*'],
    subjectProperties: [],
    resourceProperties: [],
    explain: false,
    scopes: ['search'],
    agents: [],
  },
  validUntil: null,
};

const fixed: Search['fixed'] = {
  subject: { type: 'user', id: '', properties: {} },
  action: 'read',
  resource: { type: 'record', id: 'r1', properties: {} },
  server: null,
  arguments: {},
  operation: undefined,
  session: null,
  context: {},
  kind: 'ordinary',
};

const at = (id: string, server: string | null = null): Candidate => ({ id, server });

function searchFor(candidates: readonly Candidate[], over: Partial<Search> = {}): Search {
  return {
    searched: 'subject',
    fixed,
    argumentsKnown: true,
    candidates: () => candidates,
    questionOn: ({ id }) => ({ ...fixed, subject: { ...fixed.subject, id } }),
    after: null,
    limit: MAX_PAGE,
    ...over,
  };
}

const always = () => Promise.resolve(true);

const page = async (search: Search, rights: Partial<HostPrincipal['rights']> = {}): Promise<FoundPage> =>
  (await findPage(search, policies, { ...principal, rights: { ...principal.rights, ...rights } }, 0, always))!;

const ids = ({ found }: FoundPage): string[] =>
  found.map(({ id, server }) => (server === null ? id : `${id}@${server}`));

/** All pages, as a caller would go through them, and how many there were. */
async function all(candidates: readonly Candidate[], limit: number): Promise<{ found: string[]; pages: number }> {
  const found: string[] = [];
  let after: Candidate | null = null;
  for (let pages = 1; ; pages++) {
    expect(pages).toBeLessThan(100);
    const one: FoundPage = await page(searchFor(candidates, { limit, after }));
    expect(one.found.length).toBeLessThanOrEqual(limit);
    found.push(...ids(one));
    if (!one.next) return { found, pages };
    after = one.next.after;
  }
}

const numbered = (count: number): Candidate[] =>
  Array.from({ length: count }, (_, index) => at(String(index).padStart(4, '0')));

describe('a page', () => {
  it('is in order, has each candidate once, and none that is denied or must be asked for', async () => {
    const found = await page(searchFor(['c', 'a', 'b', 'c', '0002', 'a'].map((id) => at(id))));
    expect(ids(found)).toEqual(['a', 'c']);
    expect(found.next).toBeNull();
    expect(found.decided.map(({ candidate, effect }) => [candidate.id, effect])).toEqual([
      ['0002', 'ask'],
      ['a', 'allow'],
      ['b', 'deny'],
      ['c', 'allow'],
    ]);
  });

  it.each<[string, string[], string[]]>([
    ['of some', ['user:a', 'user:c*'], ['a', 'c']],
    ['of another type', ['service:*'], []],
    ['of nobody', [], []],
  ])('with rights %s tells about nobody else', async (_what, subjects, expected) => {
    const found = await page(searchFor(['a', 'd', 'c'].map((id) => at(id))), { subjects });
    expect(ids(found)).toEqual(expected);
    expect(found.decided).toHaveLength(expected.length);
  });

  it.each<[number, number]>([
    [1, 3],
    [2, 2],
    [3, 1],
    [4, 1],
  ])('with a limit of %d is one of %d, and the last one knows it', async (limit, pages) => {
    const candidates = ['a', 'b', 'c', 'd', '0001', '0002'].map((id) => at(id));
    expect(await all(candidates, limit)).toEqual({ found: ['a', 'c', 'd'], pages });
  });

  it('with a limit of nothing says only whether there is something', async () => {
    expect(await page(searchFor([at('b'), at('c')], { limit: 0 }))).toMatchObject({
      found: [],
      next: { after: at('b') },
    });
    expect(await page(searchFor([at('b')], { limit: 0 }))).toMatchObject({ found: [], next: null });
  });

  it('can end between two with the same id', async () => {
    const same = [at('x', 'mail'), at('x', 'files'), at('x', 'mail'), at('w', 'mail'), at('y', 'files')];
    for (const limit of [1, 2, 3])
      expect((await all(same, limit)).found).toEqual(['w@mail', 'x@files', 'x@mail', 'y@files']);
  });

  it('decides no more candidates than it may cost, however many are left', async () => {
    const denied = Array.from({ length: MAX_PAGE }, () => at('0001'));
    const many = [...numbered(MAX_PAGE + 40), ...denied];
    const first = await page(searchFor(many));
    expect(first.decided).toHaveLength(MAX_PAGE);
    expect(first.next).toEqual({ after: at(String(MAX_PAGE - 1).padStart(4, '0')) });
    expect((await all(many, MAX_PAGE)).found).toEqual(
      numbered(MAX_PAGE + 40).flatMap(({ id }) => (id === '0001' || id === '0002' ? [] : [id])),
    );
  });

  it('has no next one where as many candidates were there as it may cost', async () => {
    expect((await page(searchFor(numbered(MAX_PAGE)))).next).toBeNull();
  });

  it('is found among many more candidates than are kept', async () => {
    const shuffled = numbered(9000).map((_, index, every) => every[(index * 7919) % every.length]!);
    const found = await page(searchFor(shuffled, { limit: 3, after: at('4000') }));
    expect(ids(found)).toEqual(['4001', '4002', '4003']);
  });

  it('is none where the state moves on while candidates are looked through, or decided', async () => {
    for (const turns of [0, 3]) {
      let taken = 0;
      const turn = () => Promise.resolve(taken++ < turns);
      expect(await findPage(searchFor(numbered(200)), policies, principal, 0, turn)).toBeUndefined();
    }
  });

  it('is none where the state moves on while candidates are looked through of which none is left', async () => {
    const moved = () => Promise.resolve(false);
    const search = searchFor(numbered(200), { after: at('z') });
    expect(await findPage(search, policies, principal, 0, moved)).toBeUndefined();
  });

  it('without arguments has what is allowed whatever they are', async () => {
    const { documents: more } = parseDocuments({
      text: `
kind: Policy
name: small
target: { actions: [pay], resources: ['*'] }
rules:
  - { name: small, effect: allow, to: ['user:a'], when: arguments.amount < 100 }
  - { name: any, effect: allow, to: ['user:c', 'user:d'] }
  - { name: large, effect: deny, to: ['user:d'], when: arguments.amount > 100 }
`,
    });
    const set = PolicySet.of([...documents, ...more].map(({ document }) => ({ document, version: 1 })));
    const search = searchFor([at('a'), at('c'), at('d')], {
      questionOn: ({ id }) => ({
        ...fixed,
        action: 'pay',
        arguments: { amount: 5 },
        subject: { ...fixed.subject, id },
      }),
    });
    const found = async (argumentsKnown: boolean) =>
      ids((await findPage({ ...search, argumentsKnown }, set, principal, 0, always))!);
    expect(await found(true)).toEqual(['a', 'c', 'd']);
    expect(await found(false)).toEqual(['c']);
  });
});

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '#policy';
import { digestOfShown, shownOf, type Asked } from './shown.js';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const asked = (over: Partial<Asked> = {}): Asked => ({
  subject: { type: 'user', id: 'company/ann' },
  agent: { id: 'desk', title: 'Desk' },
  server: { id: 'mail', title: 'Mail', identity: { url: 'https://mail.example.com/mcp' } },
  action: 'tools/call',
  resource: { type: 'tool', id: 'send' },
  tool: { description: 'Sends a mail', operation: 'write' },
  hints: null,
  arguments: {},
  purpose: null,
  definition: 'a'.repeat(64),
  requirements: [
    {
      rule: { policy: 'mail', version: 1, rule: 'ask' },
      consent: { by: ['subject'], approvals: 1, notSelf: false, bind: 'all' },
      binding: 'b'.repeat(64),
    },
  ],
  choices: [{ for: 'uses', uses: 1 }],
  ...over,
});

const argumentsOf = (given: JsonObject, show?: string[]) => {
  const [requirement] = asked().requirements;
  const consent = { ...requirement!.consent, ...(show ? { show } : {}) };
  return shownOf(asked({ arguments: given, requirements: [{ ...requirement!, consent }] })).arguments;
};

describe('the text that people are shown', () => {
  it('is the same, to the byte, as it ever was', () => {
    const shown = shownOf(
      asked({
        arguments: {
          to: ['eve@example.com', 'pаul@example.com'],
          subject: 'Invoice\u202e4202',
          body: `Dear Eve,\n\nplease find it${' '.repeat(80)}below.\n`,
          options: { urgent: true, retries: 3, 'reply.to': null, deep: {} },
          attachment: 'A'.repeat(9000),
          '': 'a member without a name',
        },
        hints: { destructiveHint: false, openWorldHint: true, title: 'harmless', readOnlyHint: 'yes' },
        purpose: 'billing',
        choices: [
          { for: 'uses', uses: 1 },
          { for: 'until', ms: 3_600_000 },
        ],
        requirements: [
          {
            rule: { policy: 'mail', version: 3, rule: 'outside' },
            consent: {
              by: ['subject', 'role:lead'],
              approvals: 2,
              notSelf: true,
              bind: ['to'],
              show: ['subject', 'to'],
            },
            binding: 'b'.repeat(64),
          },
        ],
      }),
    );
    const golden = readFileSync(new URL('golden/shown.json', import.meta.url), 'utf8');
    expect(JSON.stringify(shown)).toBe(JSON.stringify(JSON.parse(golden)));
    expect(digestOfShown(JSON.stringify(shown))).toBe(
      'fc031fea5d6aca21fe883bad4a59658424351d7ab8abada83525ec6a41d860e7',
    );
  });

  it('says who wants what, with names that cannot be told for what they are not', () => {
    const shown = shownOf(
      asked({
        agent: { id: 'desk', title: 'Desk\nApproved by the administrator\u202e' },
        server: { id: 'mail', title: null, identity: { url: 'https://mail.example.com\u200b' } },
        resource: { type: 'tool', id: 'ѕend' },
        subject: { type: 'user', id: 'company/ann\u0000' },
      }),
    );
    expect(shown.title).toBe('Desk⟨U+000A⟩Approved by the administrator⟨U+202E⟩ wants to use the tool ѕend of mail');
    expect(shown.through).toBe('Desk⟨U+000A⟩Approved by the administrator⟨U+202E⟩ (desk)');
    expect(shown.server!.identity).toEqual(['https://mail.example.com⟨U+200B⟩']);
    expect(shown.for).toBe('user:company/ann⟨U+0000⟩');
    expect(shown.warnings).toEqual([
      'There are characters in it that cannot be seen. They stand as their code points.',
      'Something in it may be made to look like something else: it mixes letters that look alike.',
    ]);
  });

  it.each<[string, Partial<Asked>]>([
    ['agent', { agent: { id: 'a\u200b', title: null } }],
    ['title of the agent', { agent: { id: 'a', title: 'a\u200b' } }],
    ['server', { server: { id: 's\u200b', title: null, identity: {} } }],
    ['title of the server', { server: { id: 's', title: 's\u200b', identity: {} } }],
    ['identity of the server', { server: { id: 's', title: null, identity: { url: 's\u200b' } } }],
    ['subject', { subject: { type: 'user', id: 'u\u200b' } }],
    ['resource', { resource: { type: 'tool', id: 't\u200b' } }],
    ['action', { action: 'a\u200b' }],
    ['description', { tool: { description: 'd\u200b', operation: null } }],
    ['purpose', { purpose: 'p\u200b' }],
    ['name of an argument', { arguments: { 'n\u200b': 1 } }],
    ['argument', { arguments: { n: 'v\u200b' } }],
    ['argument in a list', { arguments: { n: ['v\u200b'] } }],
  ])('warns of the %s, and shows what is in it', (_what, over) => {
    const shown = shownOf(asked(over));
    expect(shown.warnings).toHaveLength(1);
    expect(JSON.stringify(shown)).toContain('⟨U+200B⟩');
    expect(JSON.stringify(shown)).not.toContain('\u200b');
  });

  it.each<[string, Partial<Asked>, (shown: ReturnType<typeof shownOf>) => string]>([
    ['a purpose', { purpose: 'p'.repeat(3000) }, ({ purpose }) => purpose!],
    ['a description', { tool: { description: 'p'.repeat(3000), operation: null } }, ({ description }) => description!],
    ['a resource', { resource: { type: 'uri', id: 'p'.repeat(3000) } }, ({ what }) => what],
    ['a name of an argument', { arguments: { ['p'.repeat(3000)]: 1 } }, ({ arguments: [first] }) => first!.place],
  ])('cuts %s only with its digest', (_what, over, textOf) => {
    const shown = shownOf(asked(over));
    expect(textOf(shown)).toMatch(/p ⟨\d+ of 3000 characters are not shown, SHA-256 of all: [0-9a-f]{64}⟩ p/);
    expect(textOf(shown)).toContain(sha256('p'.repeat(3000)));
    expect(shown.warnings).toContain('Some of it is too long to be shown whole. What is cut says so.');
  });

  it('tells hints of the server as such, and only those that it knows', () => {
    const hints = { readOnlyHint: true, destructiveHint: false, idempotentHint: 'true', constructor: true, title: 'x' };
    expect(shownOf(asked({ hints })).untrusted_hints).toEqual(['it only reads', 'not: it can destroy something']);
  });
});

describe('the arguments', () => {
  it.each<[string, JsonObject, [string, string, string][]]>([
    ['none', {}, []],
    ['texts', { a: 'x' }, [['a', 'text', 'x']]],
    [
      'what is no text',
      { a: 1, b: true, c: null },
      [
        ['a', 'number', '1'],
        ['b', 'boolean', 'true'],
        ['c', 'null', 'null'],
      ],
    ],
    [
      'a text like it',
      { a: '1', b: 'true', c: 'null' },
      [
        ['a', 'text', '1'],
        ['b', 'text', 'true'],
        ['c', 'text', 'null'],
      ],
    ],
    ['a list', { a: ['x', 1] }, [['a', 'list', '[↵\n⟨U+0020⟩"x",↵\n 1↵\n]']]],
    ['members', { a: { b: 1 } }, [['a.b', 'number', '1']]],
    ['a name with a dot', { 'a.b': 1 }, [['"a.b"', 'number', '1']]],
    ['a name like quotes', { '"a.b"': 1 }, [['"\\"a.b\\""', 'number', '1']]],
    ['no name at all', { '': 1 }, [['""', 'number', '1']]],
    ['no name around one', { '': { a: 1 } }, [['"".a', 'number', '1']]],
    ['a name like our mark', { '⟨and 3 more⟩': 1 }, [['"⟨U+27E8⟩and 3 more⟨U+27E9⟩"', 'number', '1']]],
    ['a name of lines', { 'a\nb': 1 }, [['"a\\nb"', 'number', '1']]],
    [
      'names of prototypes',
      JSON.parse('{"__proto__":{"x":1},"constructor":2}') as JsonObject,
      [
        ['__proto__.x', 'number', '1'],
        ['constructor', 'number', '2'],
      ],
    ],
    [
      'nothing in it',
      { a: {}, b: [] },
      [
        ['a', 'object', '{}'],
        ['b', 'list', '[]'],
      ],
    ],
    ['an empty text', { a: '' }, [['a', 'text', '']]],
  ])('%s', (_what, given, shown) => {
    expect(argumentsOf(given).map(({ place, type, text }) => [place, type, text])).toEqual(
      shown.map(([place, type, text]) => [place, type, type === 'list' ? expect.any(String) : text]),
    );
  });

  it('that policies name come first', () => {
    const places = argumentsOf({ a: 1, mail: { to: 'x', cc: 'y' }, b: 2, mailer: 3 }, ['b', 'mail']).map(
      ({ place }) => place,
    );
    expect(places).toEqual(['mail.to', 'mail.cc', 'b', 'a', 'mailer']);
  });

  it('are shown at both ends where they are too long, and say so', () => {
    const text = `ls ${'x'.repeat(20_000)}; rm -rf /`;
    const [shown] = argumentsOf({ text });
    expect(shown!.cut).toEqual({ characters: text.length, sha256: sha256(text) });
    expect(shown!.text).toMatch(
      /^ls x+\n⟨\d+ of 20013 characters are not shown, SHA-256 of all: [0-9a-f]{64}⟩\nx+; rm -rf \/$/,
    );
    expect(shown!.warnings).toEqual(['long', 'cut']);
  });

  it.each([
    ['lines', '\n'],
    ['signs of no width', '\u200b'],
    ['signs of no width, by turns', '\u200b\u200c'],
    ['spaces', ' '],
  ])('do not push each other out of sight by %s', (_what, filler) => {
    const shown = argumentsOf({ a: filler.repeat(100_000), command: 'rm -rf /' });
    const before = shown[0]!.text;
    expect(before.length).toBeLessThan(10_000);
    expect(before.split('\n').length).toBeLessThan(405);
    expect(shown[1]!.text).toBe('rm -rf /');
  });

  it('of which there are very many all have their word', () => {
    const given = Object.fromEntries(Array.from({ length: 5000 }, (_, at) => [`a${at}`, `v${at}`]));
    const shown = argumentsOf(given);
    expect(shown).toHaveLength(201);
    const rest = shown.at(-1)!;
    expect(rest.place).toBe('⟨and 4800 more⟩');
    const all = Object.keys(given)
      .slice(200)
      .map((name, at) => `${name}: "v${at + 200}"`)
      .join('\n');
    expect(rest.cut).toEqual({ characters: all.length, sha256: sha256(all) });
  });

  it('that are very many and very long take no more than there is room for', () => {
    const given = Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`a${at}`, '\u202e\u200b'.repeat(2500)]));
    const shown = shownOf(asked({ arguments: given }));
    expect(shown.arguments).toHaveLength(200);
    expect(JSON.stringify(shown).length).toBeLessThan(250_000);
    for (const { cut } of shown.arguments) expect(cut!.sha256).toBe(sha256('\u202e\u200b'.repeat(2500)));
  });

  it('as deep as can come in a body', () => {
    let deep: Json = 'bottom';
    for (let level = 0; level < 1000; level++) deep = level % 2 ? { a: deep } : { b: [deep] };
    expect(argumentsOf({ deep }).some(({ text, cut }) => text.includes('bottom') || cut)).toBe(true);
  });
});

/** Every value at the end of a path, as it stands in some arguments. */
function* leaves(value: Json): Iterable<Json> {
  const members = typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.values(value) : [];
  if (members.length === 0) yield value;
  for (const member of members) yield* leaves(member);
}

const readBack = (text: string): string =>
  text
    .replaceAll('↵\n', '\n')
    .replace(/⟨(?:(\d+) × )?U\+([0-9A-F]+)⟩/g, (_, times: string | undefined, point: string) =>
      String.fromCodePoint(parseInt(point, 16)).repeat(Number(times ?? 1)),
    );

const key = fc.oneof(
  fc.constantFrom('a', 'b', 'a.b', '', '__proto__', 'toString', '"a"', '⟨', '\u202e', 'e\u0301'),
  fc.string({ unit: 'binary', maxLength: 3 }),
);
const { value } = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.constantFrom<Json>(
      '\n'.repeat(500),
      '\u202e'.repeat(2000),
      'x'.repeat(9000),
      'true',
      '1',
      '',
      null,
      true,
      0,
      1.5,
      1e21,
    ),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(key, tie('value'), { maxKeys: 4 }),
  ),
}));
const given = fc.dictionary(key, value, { maxKeys: 5 }) as fc.Arbitrary<JsonObject>;

describe('of any arguments', () => {
  it('all of it is shown, or said to be cut with its digest', () => {
    fc.assert(
      fc.property(given, (made) => {
        const shown = argumentsOf(made);
        const isEmpty = Object.keys(made).length === 0;
        const expected = isEmpty ? [] : [...leaves(made)];
        expect(shown).toHaveLength(expected.length);
        expected.forEach((leaf, at) => {
          const { text, type, cut } = shown[at]!;
          const raw = typeof leaf === 'string' ? leaf : JSON.stringify(leaf, null, 1);
          expect(type === 'text').toBe(typeof leaf === 'string');
          if (cut)
            expect(cut).toEqual({
              characters: [...raw].length,
              sha256: sha256(raw.isWellFormed() ? raw : JSON.stringify(raw)),
            });
          else expect(readBack(text)).toBe(raw);
        });
      }),
      { numRuns: 500 },
    );
  });

  it('two are shown as the same only if they are the same', () => {
    fc.assert(
      fc.property(given, given, (one, other) => {
        const same = JSON.stringify(argumentsOf(one)) === JSON.stringify(argumentsOf(other));
        expect(same).toBe(JSON.stringify(one) === JSON.stringify(other));
      }),
    );
    const pairs: [JsonObject, JsonObject][] = [
      [{ 'a.b': 1 }, { a: { b: 1 } }],
      [{ a: '1' }, { a: 1 }],
      [{ a: '[]' }, { a: [] }],
      [{ '': { a: 1 } }, { a: 1 }],
      [{ a: 'x\n' }, { a: 'x↵\n' }],
      [{ a: '\u200b' }, { a: '⟨U+200B⟩' }],
      [{ a: 'x'.repeat(9000) }, { a: `${'x'.repeat(8500)}y${'x'.repeat(499)}` }],
    ];
    for (const [one, other] of pairs) expect(argumentsOf(one)).not.toEqual(argumentsOf(other));
  });

  it('the digest is the same each time, and nothing is changed by looking', () => {
    fc.assert(
      fc.property(given, (made) => {
        const before = JSON.stringify(made);
        const [one, other] = [
          shownOf(asked({ arguments: made })),
          shownOf(asked({ arguments: structuredClone(made) })),
        ];
        expect(digestOfShown(JSON.stringify(one))).toBe(digestOfShown(JSON.stringify(other)));
        expect(JSON.stringify(made)).toBe(before);
        expect(JSON.stringify(one).isWellFormed()).toBe(true);
        expect(JSON.stringify(JSON.parse(JSON.stringify(one)))).toBe(JSON.stringify(one));
      }),
      { numRuns: 300 },
    );
  });
});

describe('what comes with the arguments', () => {
  const placesOf = (values: readonly { place: string; text: string }[] = []) =>
    values.map(({ place, text }) => `${place} = ${text}`);

  it('is shown by its places, and not where there is none of it', () => {
    const attributes = { resource: { amount: 1, 'a.b': 'x' }, action: null, result: { content: ['y\u202e'] } };
    const shown = shownOf(asked({ attributes }));
    expect(placesOf(shown.attributes)).toEqual([
      'resource.amount = 1',
      'resource."a.b" = x',
      'result.content = [\n "y⟨U+202E⟩"\n]'.replaceAll('\n', '↵\n'),
    ]);
    expect(shown.warnings.join()).toContain('cannot be seen');
    expect(shownOf(asked({ attributes: { resource: {}, action: null } }))).not.toHaveProperty('attributes');
  });

  it('is shown of all that a message does besides, with who asks for it, and warned of as well', () => {
    const { requirements } = asked();
    const one = { action: 'elicitation/create:result', resource: { type: 'elicitation', id: 'fоrm' } };
    const shown = shownOf(
      asked({ also: [{ ...one, arguments: { a: 1 }, attributes: { result: { b: 'x\u200b' } }, requirements }] }),
    );
    expect(shown.also).toMatchObject([
      { what: 'elicitation/create:result elicitation fоrm', asked_by: [{ rule: 'ask' }] },
    ]);
    expect(placesOf(shown.also![0]!.arguments)).toEqual(['a = 1']);
    expect(placesOf(shown.also![0]!.attributes)).toEqual(['result.b = x⟨U+200B⟩']);
    expect(shown.warnings.join()).toMatch(/cannot be seen.*look alike/);
  });
});

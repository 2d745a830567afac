import { describe, expect, it } from 'vitest';
import { checkChange } from './check.js';
import { parseDocuments } from './parse.js';
import { documentName } from './schema.js';
import { DocumentSet } from './set.js';
import { wholeRequest } from './test-request.js';

const problemsOf = (text: string) => parseDocuments({ file: 'tests.yaml', text }).problems;

/** A Test whose one case is written as `request`, on line 5. */
const withRequest = (request: string, defaults = 'description: none') =>
  `kind: Test\nname: t\n${defaults}\ncases:\n  - { name: c, ${request}, expect: { effect: deny } }\n`;

const ANN = 'subject: { id: ann }';

describe('a Test', () => {
  it.each([
    `request: { ${ANN}, host: h, server: s, tool: t }`,
    `request: { ${ANN}, host: h, server: s, tool: t, action: 'tools/call:result' }`,
    `request: { ${ANN}, host: h, server: s, action: tools/list }`,
    `request: { ${ANN}, host: h, action: read, resource: { type: note, id: a } }`,
    `request: { subject: { type: 'role', id: admin }, host: h, action: read, resource: { type: note, id: '' } }`,
  ])('says all that a request needs: %s', (request) => {
    expect(problemsOf(withRequest(request))).toEqual([]);
  });

  it.each<[string, string]>([
    [`request: { host: h, server: s, tool: t }`, "'subject' is missing: who it is about"],
    [`request: { ${ANN}, server: s, tool: t }`, "'host' is missing: the application that asks"],
    [`request: { ${ANN}, host: h, server: s }`, "'action' is missing, or a 'tool' to call"],
    [`request: { ${ANN}, host: h, tool: t }`, "'server' is missing, or a 'resource' of a type that belongs to none"],
    [`request: { ${ANN}, host: h, resource: { type: note, id: a } }`, "'action' is missing, or a 'tool' to call"],
    [
      `request: { ${ANN}, host: h, server: s, tool: t, resource: { type: note, id: a } }`,
      'write tool or resource, not both',
    ],
    [`description: nothing`, "'subject' is missing: who it is about"],
  ])('is refused, with file, line and case, where %s', (request, message) => {
    expect(problemsOf(withRequest(request))).toEqual([
      {
        code: 'invalid',
        message,
        document: { kind: 'Test', name: 't' },
        case: 'c',
        path: 'cases.0',
        file: 'tests.yaml',
        line: 5,
        column: 5,
      },
    ]);
  });

  const OK = `request: { ${ANN}, host: h, server: s, tool: t }`;
  it.each<[string, object]>([
    [
      withRequest(OK).replace('deny', 'permit'),
      { message: 'is one of allow, deny, ask', path: 'cases.0.expect.effect', case: 'c', line: 5 },
    ],
    [
      withRequest(OK).replace('deny }', 'deny, reason: no_rule_alows }'),
      { message: expect.stringContaining('is one of allowed, ') as string, path: 'cases.0.expect.reason', case: 'c' },
    ],
    [
      withRequest(OK).replace('deny }', 'deny, rule: own-region }'),
      {
        message: 'a rule is named by its policy and its name, as in crm/own-region, or guardrail:no-exports/deny',
        case: 'c',
      },
    ],
    [
      withRequest(OK).replace('deny }', 'deny, rule: [p/r, p/r/r] }'),
      {
        message: 'a rule is named by its policy and its name, as in crm/own-region, or guardrail:no-exports/deny',
        path: 'cases.0.expect.rule.1',
      },
    ],
    [
      withRequest(OK).replace('tool: t', 'tool: t, now: noon'),
      { message: 'a time is written as in 2026-12-31T23:59:59Z', path: 'cases.0.request.now', case: 'c' },
    ],
    [
      withRequest(OK).replace('tool: t', 'tool: t, args: {}'),
      { code: 'unknown_field', path: 'cases.0.request.args', case: 'c' },
    ],
    [withRequest(OK).replace('name: c', 'named: c'), { path: 'cases.0.named', case: '#1', code: 'unknown_field' }],
    [
      `${withRequest(OK)}  - { name: c, ${OK}, expect: { effect: ask } }\n`,
      { message: 'there is another case of this name', path: 'cases.1.name', line: 6, case: 'c' },
    ],
    ['kind: Test\nname: t\ncases: []\n', { message: 'has at least 1 entry', path: 'cases', line: 3 }],
    [
      `kind: Test\nname: t\ncases:\n${`  - { name: c, ${OK}, expect: { effect: ask } }\n`.repeat(501)}`,
      { message: 'has at most 500 entries', path: 'cases' },
    ],
  ])('is refused where it is written as %j', (text, problem) => {
    expect(problemsOf(text)).toContainEqual(expect.objectContaining({ file: 'tests.yaml', ...problem }));
  });

  it('has, with all others, 2,000 cases at most', () => {
    const test = (name: string, cases: number) =>
      `kind: Test\nname: ${name}\ndefaults: { ${ANN}, host: h, server: s, tool: t }\ncases:\n` +
      Array.from({ length: cases }, (_, at) => `  - { name: c${at}, expect: { effect: deny } }\n`).join('');
    const stored = parseDocuments({ text: ['a', 'b', 'c'].map((name) => test(name, 500)).join('---\n') }).documents;
    const problems = (cases: number) => {
      const { documents } = parseDocuments({ file: 'd.yaml', text: test('d', cases) });
      const all = [...stored, ...documents].map(({ document }) => ({ document, version: 1 }));
      return checkChange(DocumentSet.of(all), { documents, deletions: [] });
    };
    expect(problems(500)).toEqual([]);
    expect(stored.map(({ document }) => documentName(document))).toEqual(['a', 'b', 'c']);
    const { documents } = parseDocuments({ file: 'd.yaml', text: `${test('d', 500)}---\n${test('e', 1)}` });
    const all = [...stored, ...documents].map(({ document }) => ({ document, version: 1 }));
    expect(checkChange(DocumentSet.of(all), { documents, deletions: [] })).toMatchObject([
      { code: 'too_many_cases', document: { kind: 'Test', name: 'd' }, file: 'd.yaml', line: 5, path: 'cases' },
    ]);
  });
});

describe('a request with defaults', () => {
  const whole = { subject: { type: 'user', id: 'ann' }, host: 'h', server: 's', tool: 't', arguments: { a: 1, b: 2 } };

  it('has of each member the whole of what the case says, or else the whole of the default', () => {
    expect(wholeRequest(whole, { arguments: { a: 3 } })).toEqual({
      ...whole,
      action: 'tools/call',
      arguments: { a: 3 },
    });
  });

  it('uses one thing: a tool of the case replaces a resource of the defaults, and the other way about', () => {
    const note = { type: 'note', id: 'a' };
    expect(wholeRequest(whole, { resource: note, action: 'read' })).toMatchObject({ resource: note, action: 'read' });
    expect(wholeRequest(whole, { resource: note, action: 'read' })).not.toHaveProperty('tool');
    const { tool: _tool, ...rest } = whole;
    expect(wholeRequest({ ...rest, resource: note }, { tool: 'u' })).not.toHaveProperty('resource');
  });
});

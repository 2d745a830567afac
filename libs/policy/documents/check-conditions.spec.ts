import { describe, expect, it } from 'vitest';
import { checkChange } from './check.js';
import { parseDocuments, type SourceDocument } from './parse.js';
import { documentName } from './schema.js';
import { DocumentSet, type DocumentChange } from './set.js';

/** What is wrong with a change to a set: `stored` is there already, `proposed` is saved. */
function problems(stored: string, proposed: string) {
  const documents = read(proposed);
  const after = DocumentSet.EMPTY.with([...read(stored), ...documents].map(asChange));
  return checkChange(after, { documents, deletions: [] });
}

function read(text: string): readonly SourceDocument[] {
  const { documents, problems: found } = parseDocuments({ text });
  expect(found).toEqual([]);
  return documents;
}

const asChange = ({ document }: SourceDocument): DocumentChange => ({
  kind: document.kind,
  name: documentName(document),
  stored: { document, version: 1 },
});

const policy = (condition: string, target = '{ actions: [tools/call], resources: ["*"] }', name = 'p') => `kind: Policy
name: ${name}
target: ${target}
rules:
  - name: r
    effect: deny
    to: [any]
    ${condition}
`;

const PROPERTIES = `{
  text: { type: string }, count: { type: integer }, flag: { type: boolean }, share: { type: number },
  tags: { type: array, items: { type: string } }, anything: { type: array }, point: { type: object },
  either: { type: [string, integer] }, choice: { anyOf: [{ type: string }] } }`;

const server = (name: string, tool: string, properties = PROPERTIES) =>
  `{ kind: Server, name: ${name}, tools: { ${tool}: { inputSchema: { type: object, properties: ${properties} } } } }`;

describe('a condition that does not compile', () => {
  it.each([
    ['when: nope.x == 1', 8, 11, 'when', 'Unknown variable: nope'],
    ['when: arguments.x ==', 8, 25, 'when', 'Unexpected'],
    ['when: true && subject.nme == 1', 8, 27, 'when', 'No such key: nme'],
    ['when: "true && subject.nme == 1"', 8, 28, 'when', 'No such key: nme'],
    ['unless: nope', 8, 13, 'unless', 'Unknown variable: nope'],
    ['when: |\n      true &&\n      nope', 8, 11, 'when', 'Unknown variable: nope'],
    ['when: "true"\n    unless: nope', 9, 13, 'unless', 'Unknown variable: nope'],
  ])('is reported with its rule, line and column: %j', (condition, line, column, clause, message) => {
    const found = problems('', policy(condition));
    expect(found).toMatchObject([{ code: 'condition', rule: 'r', path: `rules.0.${clause}`, line, column }]);
    expect(found[0]?.message).toContain(message);
    expect(found[0]?.document).toEqual({ kind: 'Policy', name: 'p' });
  });

  it('is reported in both clauses, and in every rule', () => {
    const found = problems('', policy('when: a\n    unless: b\n  - { name: q, effect: deny, to: [any], when: c }'));
    expect(found.map(({ rule, path }) => [rule, path])).toEqual([
      ['r', 'rules.0.when'],
      ['r', 'rules.0.unless'],
      ['q', 'rules.1.when'],
    ]);
  });

  it('is not one that only reads what may be absent', () => {
    expect(problems('', policy('when: arguments.x == 1 && context.purpose == "y"'))).toEqual([]);
  });
});

describe('a condition on the arguments of a tool with a schema', () => {
  it.each([
    ['arguments.text == "a"', undefined],
    ['arguments.text == 1', 'string == int'],
    ['arguments.text > 1', 'string > int'],
    ['arguments.count > 1', undefined],
    ['arguments.count == "a"', 'int == string'],
    ['arguments.flag', undefined],
    ['arguments.flag == "true"', 'bool == string'],
    ['arguments.count', 'of type int'],
    ['arguments.share > 1.5', undefined],
    ['arguments.share > 1', undefined],
    ['("a" in arguments.tags)', undefined],
    ['arguments.tags == "a"', 'list<string> == string'],
    ['arguments.tags[0] == 1', 'string == int'],
    ['arguments.tags.exists(tag, tag == 1)', 'string == int'],
    ['arguments.anything[0] == 1', undefined],
    ['arguments.point.x == 1', undefined],
    ['arguments.point == "a"', '== string'],
    ['arguments.either == 1', undefined],
    ['arguments.choice == 1', undefined],
    ['arguments.unknown == 1', undefined],
    ['has(arguments.text) && arguments.text == 1', 'string == int'],
    ['arguments["text"] == 1', undefined],
    ['size(arguments) > 1', undefined],
    ['subject.id == "ann"', undefined],
  ])('%s: %s', (condition, message) => {
    const found = problems(server('crm', 'query'), policy(`when: ${condition}`));
    if (message === undefined) expect(found).toEqual([]);
    else {
      expect(found).toMatchObject([{ code: 'condition', rule: 'r', path: 'rules.0.when', line: 8 }]);
      expect(found[0]?.message).toContain(message);
      expect(found[0]?.message).toContain('(by the schema of the tool crm/query)');
    }
  });

  it.each([
    // which tools a policy is about
    ['{ actions: [tools/call], resources: [query] }', true],
    ['{ actions: [tools/call], resources: ["q*"] }', true],
    ['{ actions: ["*"], resources: ["*"] }', true],
    ['{ actions: [tools/list, "tools/*"], resources: [other, "*y"] }', true],
    ['{ servers: [crm], actions: [tools/call], resources: ["*"] }', true],
    ['{ servers: ["c*"], actions: [tools/call], resources: ["*"] }', true],
    ['{ servers: [other, crm], actions: [tools/call], resources: [{ type: tool, id: "*" }] }', true],
    ['{ servers: [files], actions: [tools/call], resources: ["*"] }', false],
    ['{ actions: [tools/list], resources: ["*"] }', false],
    ['{ actions: [tools/call], resources: [other] }', false],
    ['{ actions: [tools/call], resources: [{ type: prompt, id: "*" }] }', false],
  ])('is checked for the target %s: %s', (target, checked) => {
    const found = problems(server('crm', 'query'), policy('when: arguments.text == 1', target));
    expect(found).toHaveLength(checked ? 1 : 0);
  });

  it('must fit every tool, and names the first that it does not fit', () => {
    const tools = `${server('a', 'one', '{ n: { type: integer } }')}\n---\n${server('b', 'two', '{ n: { type: string } }')}\n---\n${server('c', 'three', '{ n: { type: string } }')}`;
    const [found, ...more] = problems(tools, policy('when: arguments.n > 1'));
    expect(found?.message).toContain('(by the schema of the tool b/two)');
    expect(more).toEqual([]);
  });

  it('is not checked where a tool has no schema', () => {
    const plain = '{ kind: Server, name: crm, tools: { query: { operation: read } } }';
    expect(problems(plain, policy('when: arguments.text == 1'))).toEqual([]);
    expect(problems('{ kind: Server, name: crm }', policy('when: arguments.text == 1'))).toEqual([]);
  });

  it('names the place of the mistake within the condition', () => {
    const found = problems(server('crm', 'query'), policy('when: true && arguments.text == 1'));
    expect(found).toMatchObject([{ line: 8, column: 19 }]);
  });
});

describe('a server whose tools change', () => {
  it.each([
    [policy('when: arguments.n == "a"'), 1],
    [policy('unless: arguments.n == "a"'), 1],
    [policy('when: arguments.n == "a"\n    unless: arguments.n == "b"'), 2],
    [policy('when: arguments.n == "a"', '{ servers: ["c*"], actions: [tools/call], resources: [query] }'), 1],
    [policy('when: arguments.n == "a"', '{ servers: [files], actions: [tools/call], resources: ["*"] }'), 0],
    [policy('when: arguments.n == "a"', '{ actions: [tools/call], resources: [other] }'), 0],
    [policy('when: arguments.n == 1'), 0],
    [policy('when: subject.id == "ann"'), 0],
  ])('must not break a policy that is there: %#', (stored, count) => {
    const found = problems(stored, server('crm', 'query', '{ n: { type: integer } }'));
    expect(found).toHaveLength(count);
    for (const { code, path, document, message } of found) {
      expect({ code, path, document }).toEqual({
        code: 'condition',
        path: 'tools',
        document: { kind: 'Server', name: 'crm' },
      });
      expect(message).toContain("the rule 'r' of the policy 'p' would no longer fit: no such overload: int == string");
    }
  });

  it('needs no schemas', () => {
    const plain = '{ kind: Server, name: crm, tools: { query: { operation: read }, other: {} } }';
    expect(problems(policy('when: arguments.n == "a"'), plain)).toEqual([]);
    expect(problems(policy('when: arguments.n == "a"'), '{ kind: Server, name: crm }')).toEqual([]);
  });

  it('is not blamed for the tools of another server', () => {
    const other = server('files', 'query', '{ n: { type: integer } }');
    const stored = `${other}\n---\n${policy('when: arguments.n == "a"')}`;
    expect(problems(stored, server('crm', 'query', '{ n: { type: string } }'))).toEqual([]);
  });

  it.each([
    ['{ type: nope }', 'schema/type must be equal to one of the allowed values'],
    ['{ pattern: "(?=a)" }', 'invalid or unsupported Perl syntax'],
    ['{ $ref: "https://example.com/schema.json" }', "can't resolve reference"],
    ['{ $ref: "#" }', 'refers to itself without end'],
    ['{ properties: { __proto__: { type: string } } }', '"__proto__" cannot be the name of an argument'],
  ])('must have schemas that can be used: %s', (schema, message) => {
    const text = `kind: Server\nname: crm\ntools:\n  good: { inputSchema: { type: object } }\n  bad:\n    inputSchema: ${schema}`;
    const found = problems('', text);
    expect(found).toMatchObject([{ code: 'invalid', path: 'tools.bad.inputSchema', line: 6, column: 18 }]);
    expect(found[0]?.message).toContain(message);
  });
});

import { describe, expect, it } from 'vitest';
import { checkChange } from './check.js';
import { parseDocuments, type SourceDocument } from './parse.js';
import { documentName, type Kind } from './schema.js';
import { DocumentSet, type DocumentChange } from './set.js';

type Deletion = { kind: Kind; name: string };

/** What is wrong with a change to a set: `stored` is there already, `proposed` is saved, `deletions` go. */
function problems(stored: string, proposed: string, deletions: readonly Deletion[] = []) {
  const documents = read('new.yaml', proposed);
  const after = DocumentSet.EMPTY.with([
    ...read('old.yaml', stored).map(asChange),
    ...deletions,
    ...documents.map(asChange),
  ]);
  return checkChange(after, { documents, deletions });
}

function read(file: string, text: string): readonly SourceDocument[] {
  const { documents, problems: found } = parseDocuments({ file, text });
  expect(found).toEqual([]);
  return documents;
}

const asChange = ({ document }: SourceDocument): DocumentChange => ({
  kind: document.kind,
  name: documentName(document),
  stored: { document, version: 1 },
});

const ROLES = 'kind: Role\nname: reader\n---\nkind: Role\nname: writer\ninherits: [reader]\n';

const policy = (rule: string) => `kind: Policy
name: p
target: { actions: [tools/call], resources: ["*"] }
rules:
  - { name: r, effect: allow, to: [any] }
  - ${rule}
`;

describe('a role that is named', () => {
  it.each([
    ['{ kind: Role, name: r, inherits: [reader] }', undefined],
    ['{ kind: Role, name: r, inherits: [reader, admin] }', 'inherits.1'],
    ['{ kind: Binding, name: b, subjects: ["user:ann"], roles: [reader, writer] }', undefined],
    ['{ kind: Binding, name: b, subjects: ["user:ann"], roles: [reader, admin] }', 'roles.1'],
    [policy('{ name: s, effect: deny, to: ["role:reader", "group:admin", "user:admin", any] }'), undefined],
    [policy('{ name: s, effect: deny, to: ["role:reader", "role:admin"] }'), 'rules.1.to.1'],
    [policy('{ name: s, effect: ask, to: [any], consent: { by: [subject, "role:reader", manager] } }'), undefined],
    [policy('{ name: s, effect: ask, to: [any], consent: { by: [subject, "role:admin"] } }'), 'rules.1.consent.by.1'],
    ['{ kind: Tenant, name: t, defaults: { effect: ask, consent: { by: ["role:reader"] } } }', undefined],
    ['{ kind: Tenant, name: t, defaults: { effect: ask, consent: { by: ["role:admin"] } } }', 'defaults.consent.by.0'],
  ])('must be there: %s', (text, path) => {
    const found = problems(ROLES, text);
    const message = "there is no role 'admin': add a Role document";
    const rule = text.startsWith('kind: Policy') ? { rule: 's' } : {};
    expect(found).toEqual(
      path === undefined
        ? []
        : [expect.objectContaining({ code: 'unknown_role', message, path, file: 'new.yaml', ...rule })],
    );
  });

  it('is reported in full, and without what is not known', () => {
    const problem = {
      code: 'unknown_role',
      message: "there is no role 'admin': add a Role document",
      document: { kind: 'Binding', name: 'b' },
      path: 'roles.0',
      line: 1,
      column: 61,
    };
    const text = '{ kind: Binding, name: b, subjects: ["user:ann"],   roles: [admin] }';
    expect(problems('', text)).toStrictEqual([{ ...problem, file: 'new.yaml' }]);
    const [document] = parseDocuments({ text }).documents;
    const after = DocumentSet.EMPTY.with([asChange(document!)]);
    expect(checkChange(after, { documents: [document!], deletions: [] })).toStrictEqual([problem]);
  });

  it('may come in the same change', () => {
    expect(problems('', `${ROLES}---\n{ kind: Binding, name: b, subjects: ["user:ann"], roles: [writer] }`)).toEqual(
      [],
    );
  });

  it('is found missing at its place in the text', () => {
    const [problem] = problems(ROLES, policy('{ name: s, effect: deny, to: ["role:reader", "role:admin"] }'));
    expect(problem).toMatchObject({ document: { kind: 'Policy', name: 'p' }, rule: 's', line: 6, column: 50 });
  });
});

describe('roles that inherit', () => {
  const role = (name: string, ...parents: string[]) =>
    `{ kind: Role, name: ${name}, inherits: [${parents.join(', ')}] }\n---\n`;

  it.each([
    ['itself', '', role('a', 'a'), ['a -> a']],
    ['each other', '', role('a', 'b') + role('b', 'a'), ['a -> b -> a', 'b -> a -> b']],
    ['each other by a change of one', role('a') + role('b', 'a'), role('a', 'b'), ['a -> b -> a']],
    ['in a ring of three', role('a') + role('b', 'a') + role('c', 'b'), role('a', 'c'), ['a -> c -> b -> a']],
    [
      'by the shortest way that there is',
      role('a') + role('b', 'a') + role('c', 'b', 'a'),
      role('a', 'c'),
      ['a -> c -> a'],
    ],
    ['beside another one', '', role('a', 'b') + role('b', 'a') + role('d', 'a'), ['a -> b -> a', 'b -> a -> b']],
    ['twice', role('a') + role('b', 'a') + role('c', 'a'), role('a', 'b', 'c'), ['a -> b -> a', 'a -> c -> a']],
  ])('%s are refused', (_what, stored, proposed, cycles) => {
    const messages = cycles.map((cycle) => `a role may not inherit itself: ${cycle}`);
    const found = problems(stored, proposed);
    expect(found.map(({ message }) => message)).toEqual(messages);
    expect(found.every(({ code }) => code === 'role_cycle')).toBe(true);
    expect(found[0]?.path).toBe('inherits.0');
  });

  it.each([
    ['one from two', role('a') + role('b', 'a') + role('c', 'a') + role('d', 'b', 'c')],
    ['in a chain', role('a') + role('b', 'a') + role('c', 'b')],
  ])('%s are accepted', (_what, proposed) => {
    expect(problems('', proposed)).toEqual([]);
  });

  it('from roles that are not there are reported once, and end', () => {
    expect(problems('', role('a', 'nobody'))).toMatchObject([{ code: 'unknown_role', path: 'inherits.0' }]);
  });
});

describe('a role that is deleted', () => {
  const gone: Deletion[] = [{ kind: 'Role', name: 'reader' }];

  it.each([
    ['{ kind: Role, name: writer, inherits: [reader] }', "the Role 'writer'"],
    ['{ kind: Binding, name: b, subjects: ["user:ann"], roles: [reader] }', "the Binding 'b'"],
    [policy('{ name: s, effect: deny, to: ["role:reader"] }'), "the Policy 'p'"],
    [policy('{ name: s, effect: ask, to: [any], consent: { by: ["role:reader"] } }'), "the Policy 'p'"],
    ['{ kind: Tenant, name: t, defaults: { effect: ask, consent: { by: ["role:reader"] } } }', "the Tenant 't'"],
  ])('may not be named any more: %s', (user, who) => {
    expect(problems(`{ kind: Role, name: reader }\n---\n${user}`, '', gone)).toEqual([
      {
        code: 'in_use',
        message: `the role 'reader' is still named by ${who}`,
        document: { kind: 'Role', name: 'reader' },
      },
    ]);
  });

  it.each([
    ['', [...gone, { kind: 'Binding' as const, name: 'b' }]],
    ['{ kind: Binding, name: b, subjects: ["user:ann"], roles: [other] }', gone],
    ['{ kind: Role, name: reader }', gone],
  ])('may go where its last use goes with it, or where it comes back: %j', (proposed, deletions) => {
    const stored =
      '{ kind: Role, name: reader }\n---\n{ kind: Role, name: other }\n---\n{ kind: Binding, name: b, subjects: ["user:ann"], roles: [reader] }';
    expect(problems(stored, proposed, deletions)).toEqual([]);
  });

  it('is not confused with a group or a person, nor with another kind of document of that name', () => {
    const user = policy(
      '{ name: s, effect: ask, to: ["group:reader", "user:reader"], consent: { by: ["user:reader"] } }',
    );
    expect(problems(`{ kind: Role, name: reader }\n---\n${user}`, '', gone)).toEqual([]);
    const binding = '{ kind: Binding, name: reader, subjects: ["user:ann"], roles: [writer] }';
    expect(problems(`${ROLES}---\n${binding}`, '', [{ kind: 'Binding', name: 'reader' }])).toEqual([]);
    const nobody = '{ kind: Binding, name: b, subjects: ["user:ann"], roles: [desk] }';
    expect(problems(nobody, '', [{ kind: 'Host', name: 'desk' }])).toEqual([]);
  });
});

describe('names that must be one', () => {
  it('refuses two rules of a policy with one name', () => {
    const text = policy('{ name: r, effect: deny, to: [any] }');
    const message = "there is another rule named 'r'";
    const place = { path: 'rules.1.name', line: 6, column: 13 };
    expect(problems('', text)).toMatchObject([{ code: 'duplicate_name', message, rule: 'r', ...place }]);
  });

  it('refuses a second Tenant document, whose defaults would hold by chance', () => {
    const tenant = (name: string) => `{ kind: Tenant, name: ${name}, defaults: {} }`;
    const message = "there is already the Tenant document 'a': change that one";
    expect(problems(tenant('a'), tenant('b'))).toMatchObject([{ code: 'duplicate_name', message, path: 'name' }]);
    expect(problems('', `${tenant('a')}\n---\n${tenant('b')}`)).toHaveLength(2);
    expect(problems(tenant('a'), tenant('a'))).toEqual([]);
    expect(problems(tenant('a'), tenant('b'), [{ kind: 'Tenant', name: 'a' }])).toEqual([]);
  });

  const packaged = (name: string, version: string, digit = 'a') =>
    `{ kind: Server, name: ${name}, identity: { package: { registry: npm, name: x, version: "${version}", sha256: ${digit.repeat(64)} } } }`;
  const alias = (id: string) => `aliases: [{ type: identity, id: ${id} }]`;

  it.each([
    // people
    [
      `{ kind: Subject, id: ann, ${alias('x')} }`,
      `{ kind: Subject, id: bob, ${alias('x')} }`,
      "identity:x already stands for the Subject 'user:ann'",
    ],
    [
      '{ kind: Subject, id: ann }',
      '{ kind: Subject, id: bob, aliases: [{ type: user, id: ann }] }',
      "user:ann already stands for the Subject 'user:ann'",
    ],
    [
      '{ kind: Subject, id: bob, aliases: [{ type: user, id: ann }] }',
      '{ kind: Subject, id: ann }',
      "user:ann already stands for the Subject 'user:bob'",
    ],
    [
      '',
      `{ kind: Subject, id: ann, ${alias('x')} }\n---\n{ kind: Subject, id: bob, ${alias('x')} }`,
      "identity:x already stands for the Subject 'user:bob'",
    ],
    // servers
    [
      '{ kind: Server, name: a, identity: { url: "https://x.com/mcp" } }',
      '{ kind: Server, name: b, identity: { url: "https://X.com:443/mcp" } }',
      "https://x.com/mcp already stands for the Server 'a'",
    ],
    [
      '{ kind: Server, name: a, identity: { command: [npx, x] } }',
      '{ kind: Server, name: b, identity: { command: [npx, x] } }',
      'command ["npx","x"] already stands for',
    ],
    [packaged('a', '1'), packaged('b', '1'), 'package ["npm","x","1","aa'],
  ])('refuses an identity that is taken: %s and %s', (stored, proposed, message) => {
    const found = problems(stored, proposed);
    expect(found[0]).toMatchObject({
      code: 'identity_taken',
      path: proposed.includes('Subject') ? 'aliases' : 'identity',
      file: 'new.yaml',
      line: 1,
    });
    expect(found[0]?.message).toContain(message);
  });

  it.each([
    [`{ kind: Subject, id: ann, ${alias('x')} }`, `{ kind: Subject, id: bob, ${alias('y')} }`],
    [`{ kind: Subject, id: ann, ${alias('x')} }`, `{ kind: Subject, id: ann, ${alias('x')}, groups: [a] }`],
    ['{ kind: Subject, id: ann }', '{ kind: Subject, id: bob, aliases: [{ type: identity, id: ann }] }'],
    ['{ kind: Subject, id: ann, aliases: [{ type: user, id: ann }] }', '{ kind: Subject, id: bob }'],
    [
      `{ kind: Subject, id: ann, ${alias('x')} }`,
      `{ kind: Subject, id: ann }\n---\n{ kind: Subject, id: bob, ${alias('x')} }`,
    ],
    [
      '{ kind: Server, name: a, identity: { url: "https://x.com/mcp" } }',
      '{ kind: Server, name: b, identity: { url: "https://x.com/mcp2" } }',
    ],
    [
      '{ kind: Server, name: a, identity: { command: [npx, "x y"] } }',
      '{ kind: Server, name: b, identity: { command: [npx, x, y] } }',
    ],
    ['{ kind: Server, name: a }', '{ kind: Server, name: b }'],
    [packaged('a', '1'), packaged('b', '2')],
    [packaged('a', '1'), packaged('b', '1', 'b')],
  ])('takes identities that differ: %s and %s', (stored, proposed) => {
    expect(problems(stored, proposed)).toEqual([]);
  });

  it('takes an identity whose owner goes in the same change', () => {
    const deletions: Deletion[] = [{ kind: 'Subject', name: 'user:ann' }];
    expect(
      problems(`{ kind: Subject, id: ann, ${alias('x')} }`, `{ kind: Subject, id: bob, ${alias('x')} }`, deletions),
    ).toEqual([]);
  });
});

describe("a tool's own mapping", () => {
  it('is refused: nothing evaluates it, and it would pass for a check', () => {
    const server = (schema: string) => `{ kind: Server, name: s, tools: { t: { inputSchema: ${schema} } } }`;
    expect(problems('', server('{ type: object }'))).toEqual([]);
    expect(problems('', server('{ type: object, x-authzen-mapping: {} }'))).toMatchObject([
      { code: 'not_supported_yet', path: 'tools.t.inputSchema.x-authzen-mapping' },
    ]);
  });
});

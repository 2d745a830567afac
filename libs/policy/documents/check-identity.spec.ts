import { describe, expect, it } from 'vitest';
import { checkChange } from './check.js';
import { parseDocuments, type SourceDocument } from './parse.js';
import { documentName, type Kind } from './schema.js';
import { DocumentSet, type DocumentChange } from './set.js';

type Deletion = { kind: Kind; name: string };

/** What is wrong with a change: `stored` is there already, `proposed` is saved, `deletions` go. */
function problems(stored: string, proposed: string, deletions: readonly Deletion[] = []): string[] {
  const documents = read(proposed);
  const changes = [...read(stored).map(asChange), ...deletions, ...documents.map(asChange)];
  return checkChange(DocumentSet.EMPTY.with(changes), { documents, deletions }).map(
    ({ code, path, message }) => `${code} ${path ?? '-'}: ${message}`,
  );
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

const issuer = (name: string, members = '', iss = 'https://idp.example.com'): string =>
  `{ kind: Issuer, name: ${name}, issuer: '${iss}'${members && `, ${members}`} }\n`;
const mapping = (rest: string): string =>
  `{ kind: Mapping, name: m, issuer: company, rules: [{ name: r, when: always, ${rest} }] }\n`;
const role = (name: string, rest = ''): string => `{ kind: AdministratorRole, name: ${name}${rest && `, ${rest}`} }\n`;
const WORLD = [issuer('company'), '{ kind: Role, name: sales }\n', role('desk', 'inherits: [auditor]')].join('---\n');
const BUILT_IN = 'owner, policy-author, publisher, registrar, approver, auditor, user, operator';
const unknown = (name: string): string =>
  `there is no role of administrators '${name}': add an AdministratorRole document, or name one of ${BUILT_IN}`;

describe('what an identity document names', () => {
  it.each<[string, string[]]>([
    [mapping('roles: [sales], administration: [desk, owner]'), []],
    [mapping('roles: [sales, boss]'), ["unknown_role rules.0.roles.1: there is no role 'boss': add a Role document"]],
    [mapping('roles: [desk]'), ["unknown_role rules.0.roles.0: there is no role 'desk': add a Role document"]],
    [mapping('administration: [desk, sales]'), [`unknown_role rules.0.administration.1: ${unknown('sales')}`]],
    [
      '{ kind: Mapping, name: m, issuer: other, rules: [{ name: r, when: always, stop: true }] }',
      ["unknown_issuer issuer: there is no issuer 'other': add an Issuer document"],
    ],
    [
      '{ kind: Mapping, name: m, issuer: company, rules: [{ name: r, when: always, stop: true }, { name: r, when: always, stop: true }] }',
      ["duplicate_name rules.1.name: there is another rule named 'r'"],
    ],
    [role('lead', 'inherits: [desk, publisher]'), []],
    [role('lead', 'inherits: [sales]'), [`unknown_role inherits.0: ${unknown('sales')}`]],
    [role('auditor'), ["duplicate_name name: 'auditor' is the name of a built-in role: choose another"]],
    [role('a', 'inherits: [a]'), ['role_cycle inherits.0: a role may not inherit itself: a -> a']],
    [role('desk', 'inherits: [auditor, desk]'), ['role_cycle inherits.1: a role may not inherit itself: desk -> desk']],
    ["{ kind: AdministratorBinding, name: b, to: ['user:ann'], roles: [desk, approver] }", []],
    [
      "{ kind: AdministratorBinding, name: b, to: ['user:ann'], roles: [boss] }",
      [`unknown_role roles.0: ${unknown('boss')}`],
    ],
  ])('must be there: %s', (text, expected) => {
    expect(problems(WORLD, text)).toEqual(expected);
  });

  it('must not go in circles over several documents', () => {
    const circle = [role('a', 'inherits: [b]'), role('b', 'inherits: [c]'), role('c', 'inherits: [a]')].join('---\n');
    expect(problems('', circle)[0]).toBe('role_cycle inherits.0: a role may not inherit itself: a -> b -> c -> a');
  });

  it.each<[string, Deletion, string[]]>([
    [
      mapping('roles: [sales]'),
      { kind: 'Issuer', name: 'company' },
      ["in_use -: the issuer 'company' is still named by the Mapping 'm'"],
    ],
    [
      mapping('roles: [sales]'),
      { kind: 'Role', name: 'sales' },
      ["in_use -: the role 'sales' is still named by the Mapping 'm'"],
    ],
    [
      mapping('administration: [desk]'),
      { kind: 'AdministratorRole', name: 'desk' },
      ["in_use -: the role of administrators 'desk' is still named by the Mapping 'm'"],
    ],
    [
      role('lead', 'inherits: [desk]'),
      { kind: 'AdministratorRole', name: 'desk' },
      ["in_use -: the role of administrators 'desk' is still named by the AdministratorRole 'lead'"],
    ],
    [
      "{ kind: AdministratorBinding, name: b, to: ['user:ann'], roles: [desk] }",
      { kind: 'AdministratorRole', name: 'desk' },
      ["in_use -: the role of administrators 'desk' is still named by the AdministratorBinding 'b'"],
    ],
    [mapping('roles: [sales]'), { kind: 'AdministratorRole', name: 'desk' }, []],
    [mapping('administration: [desk]'), { kind: 'Role', name: 'sales' }, []],
  ])('is not deleted: %s', (text, deletion, expected) => {
    expect(problems(`${WORLD}---\n${text}`, '', [deletion])).toEqual(expected);
    expect(problems(WORLD, '', deletion.kind === 'Issuer' ? [deletion] : [])).toEqual([]);
  });
});

describe('two Issuers of the same text', () => {
  const tokens = (...audiences: string[]) => `subjectTokens: { audiences: [${audiences.join(', ')}] }`;
  const workloads = (...audiences: string[]) =>
    `workloads: {${audiences.length === 0 ? '' : ` audiences: [${audiences.join(', ')}] `}}`;
  it.each<[string, string, string | undefined]>([
    [tokens('a'), tokens('b'), undefined],
    [tokens('a', 'b'), tokens('b', 'c'), 'subjectTokens.audiences'],
    [tokens('a'), '', undefined],
    ['', 'signIn: { clientId: c }', undefined],
    [workloads(), '', undefined],
    [workloads(), workloads(), 'workloads'],
    [workloads('a'), workloads(), 'workloads'],
    [workloads('a'), workloads('a', 'b'), 'workloads'],
    [workloads('a'), workloads('b'), undefined],
    [tokens('a'), workloads('a'), undefined],
  ])('with %s and %s', (one, other, path) => {
    const message = `a token of https://idp.example.com could also be one of the Issuer 'one': give them audiences of which none is in both`;
    expect(problems(issuer('one', one), issuer('two', other))).toEqual(
      path === undefined ? [] : [`identity_taken ${path}: ${message}`],
    );
    expect(problems(issuer('one', one), issuer('two', other, 'https://idp.example.com/'))).toEqual([]);
    expect(problems(issuer('one', one), issuer('one', other))).toEqual([]);
  });
});

describe('two Issuers that people are led to by the domain of their address', () => {
  const door = (name: string, ...domains: string[]) =>
    issuer(name, `signIn: { clientId: c, domains: [${domains.join(', ')}] }`, `https://${name}.example.com`);

  it('do not claim the same domain', () => {
    expect(problems(door('one', 'a.example', 'b.example'), door('two', 'c.example', 'b.example'))).toEqual([
      "identity_taken signIn.domains: people of b.example are led to the Issuer 'one': leave the domain out of one of them",
    ]);
    expect(problems(door('one', 'a.example'), door('two', 'b.example'))).toEqual([]);
    expect(problems(door('one', 'a.example'), door('one', 'a.example', 'b.example'))).toEqual([]);
    const open = issuer('two', 'signIn: { clientId: c }', 'https://two.example.com');
    expect(problems(door('one', 'a.example'), open)).toEqual([]);
  });
});

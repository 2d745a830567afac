import { describe, expect, it } from 'vitest';
import { ADMINISTRATION_OBJECTS, BUILT_IN_ADMINISTRATION, isBuiltInAdministration } from './administration.js';
import { parseDocuments } from './parse.js';
import { AUTHORED_KINDS, documentName, KINDS, type AnyDocument } from './schema.js';

const read = (text: string): readonly string[] =>
  parseDocuments({ text }).problems.map(({ code, path, message }) => `${code} ${path}: ${message}`);
const issuer = (members: string, iss = 'https://idp.example.com'): string =>
  `{ kind: Issuer, name: i, issuer: '${iss}'${members && `, ${members}`} }`;
const mapping = (rule: string): string => `{ kind: Mapping, name: m, issuer: i, rules: [{ name: r, ${rule} }] }`;
const ADDRESS = 'write an https URL without user, password and fragment (http only on localhost)';
const POINTER = 'a claim is named by its JSON pointer, such as /groups or /realm_access/roles (~0 for ~, ~1 for /)';

describe('an Issuer', () => {
  it.each([
    'https://idp.example.com',
    'https://idp.example.com:8443/realms/a/',
    'https://IDP.example.com',
    'http://localhost:9',
    'http://127.0.0.1:9/x',
    'http://[::1]:9',
  ])('may be %s', (iss) => {
    expect(read(issuer('', iss))).toEqual([]);
  });

  it.each([
    'http://idp.example.com',
    'http://localhost.example.com',
    'http://127.0.0.1.example.com',
    'http://0.0.0.0',
    'https://ann@idp.example.com',
    'https://idp.example.com#x',
    'https://idp.example.com/#',
    'https:idp.example.com',
    'HTTPS://idp.example.com',
    ' https://idp.example.com',
    'https://idp.example.com\\@evil.example.com',
    'ftp://localhost',
    'idp.example.com',
    'javascript:alert(1)',
  ])('may not be %s', (iss) => {
    expect(read(issuer('', iss))).toEqual([`invalid issuer: ${ADDRESS}`]);
  });

  it.each([
    ['<', 'https://login.microsoftonline.com/<directory>/v2.0'],
    ['{', 'https://login.microsoftonline.com/{tenantid}/v2.0'],
  ])('may not be %s, which stands for something else', (sign, iss) => {
    expect(read(issuer('', iss))).toEqual([`invalid issuer: no URL has a ${sign}: put the real name in its place`]);
  });

  it('is filled in by what holds for most', () => {
    const [document] = parseDocuments({
      text: issuer('subjectTokens: { audiences: [a] }, signIn: { clientId: c }'),
    }).documents;
    expect(document!.document).toEqual({
      kind: 'Issuer',
      name: 'i',
      issuer: 'https://idp.example.com',
      profile: 'generic',
      algorithms: ['RS256'],
      subjectType: 'user',
      keysGoodForSeconds: 3600,
      subjectTokens: { audiences: ['a'], type: 'at+jwt', maxAgeSeconds: 86_400 },
      signIn: { clientId: 'c', authentication: 'private_key_jwt', scopes: ['openid', 'email', 'profile'] },
    });
  });

  it.each([
    ['algorithms: [none]', 'algorithms.0'],
    ['algorithms: [HS256]', 'algorithms.0'],
    ['algorithms: []', 'algorithms'],
    ['profile: auth0', 'profile'],
    ['subjectType: role', 'subjectType'],
    ['keysGoodForSeconds: 86401', 'keysGoodForSeconds'],
    ['jwksUri: "http://idp.example.com/keys"', 'jwksUri'],
    ['identity: { claim: sub }', 'identity.claim'],
    ['identity: { claim: "" }', 'identity.claim'],
    ['identity: { claim: /email }', 'identity.claim'],
    ['identity: { claim: /upn }', 'identity.claim'],
    ['identity: { claim: /preferred_username }', 'identity.claim'],
    ['identity: { claim: /user/Emails/0 }', 'identity.claim'],
    ['identity: { claim: "/https:~1~1ns.example~1email" }', 'identity.claim'],
    ['groups: { claim: "/a~2" }', 'groups.claim'],
    ['groups: { prefix: "" }', 'groups.prefix'],
    ['groups: { whenAbsent: empty }', 'groups.whenAbsent'],
    ['require: [{ claim: /hd }]', 'require.0.equals'],
    ['require: [{ claim: /hd, equals: [a] }]', 'require.0.equals'],
    ['subjectTokens: {}', 'subjectTokens.audiences'],
    ['subjectTokens: { audiences: [] }', 'subjectTokens.audiences'],
    ['subjectTokens: { audiences: [a], type: JWT }', 'subjectTokens.type'],
    ['signIn: { clientId: c, authentication: client_secret_basic }', 'signIn.clientSecret'],
    ['signIn: { clientId: c, clientSecret: s }', 'signIn.clientSecret'],
    ['signIn: { clientId: c, scopes: [email] }', 'signIn.scopes'],
    ['signIn: { clientId: c, scopes: ["openid email"] }', 'signIn.scopes.0'],
    ['signIn: { clientId: c, domains: [Example.com] }', 'signIn.domains.0'],
    ['signIn: { clientId: c, domains: [com] }', 'signIn.domains.0'],
    ['signIn: { clientId: c, extraParameters: { redirect_uri: x } }', 'signIn.extraParameters.redirect_uri'],
    ['signIn: { clientId: c, extraParameters: { state: x } }', 'signIn.extraParameters.state'],
    ['signIn: { clientId: c, secret: x }', 'signIn.secret'],
  ])('may not have %s', (members, path) => {
    expect(read(issuer(members)).map((problem) => problem.split(' ')[1])).toContain(`${path}:`);
  });
});

describe('a Mapping', () => {
  it.each<[string, string, string]>([
    ['when: always', 'rules.0', 'a rule gives something: write roles, administration, properties or stop'],
    ['when: always, stop: false', 'rules.0', 'a rule gives something: write roles, administration, properties or stop'],
    ['roles: [a]', 'rules.0.when', "'when' is missing"],
    ['when: [], roles: [a]', 'rules.0.when', 'has at least 1 entry'],
    ['when: never, roles: [a]', 'rules.0.when', 'must be always'],
    ['when: [{ claim: a, equals: x }], stop: true', 'rules.0.when.0.claim', POINTER],
    [
      'when: [{ claim: /a }], stop: true',
      'rules.0.when.0',
      'a condition has one of equals, oneOf, prefix, matches, present',
    ],
    [
      'when: [{ claim: /a, equals: x, prefix: x }], stop: true',
      'rules.0.when.0',
      'a condition has one of equals, oneOf, prefix, matches, present',
    ],
    ['when: [{ claim: /a, present: false }], stop: true', 'rules.0.when.0.present', 'must be true'],
    ['when: always, properties: { a: { value: 1, claim: /a } }', 'rules.0.properties.a', ''],
    ['when: always, properties: { a: {} }', 'rules.0.properties.a', ''],
  ])('may not have %s', (rule, path, message) => {
    const problems = read(mapping(rule));
    expect(problems[0]).toContain(` ${path}`);
    expect(problems[0]).toContain(message);
  });

  it('may have no pattern that is none, nor one that RE2 does not know', () => {
    for (const pattern of ['(', '(?=a)', '(a)\\\\1']) {
      const [problem] = read(mapping(`when: [{ claim: /a, matches: "${pattern}" }], stop: true`));
      expect(problem).toContain('rules.0.when.0.matches: the pattern is not valid (RE2 syntax)');
    }
  });

  it('may set an attribute to null', () => {
    expect(read(mapping('when: always, properties: { a: { value: null } }'))).toEqual([]);
  });
});

describe('a role of administrators', () => {
  it.each([
    ['grants: [{ actions: [fly], on: [all] }]', 'grants.0.actions.0'],
    ['grants: [{ actions: [read], on: [Everything] }]', 'grants.0.on.0'],
    ['grants: [{ actions: [], on: [all] }]', 'grants.0.actions'],
    ['grants: [{ actions: [read], on: [all], names: ["a*b"] }]', 'grants.0.names.0'],
    ['grants: [{ actions: [read], on: [all], names: ["a**"] }]', 'grants.0.names.0'],
  ])('may not have %s', (members, path) => {
    expect(read(`{ kind: AdministratorRole, name: r, ${members} }`)[0]).toContain(` ${path}:`);
  });

  it('can be about documents of every kind', () => {
    expect(ADMINISTRATION_OBJECTS).toEqual(expect.arrayContaining([...KINDS]));
    expect(AUTHORED_KINDS).toEqual(expect.arrayContaining(['Issuer', 'Mapping', 'AdministratorRole']));
  });

  it('is built in by these names and no others', () => {
    expect(BUILT_IN_ADMINISTRATION.every(isBuiltInAdministration)).toBe(true);
    expect(['Owner', 'constructor', ''].some(isBuiltInAdministration)).toBe(false);
  });

  it('is bound to subjects and groups only', () => {
    const bound = (to: string) => read(`{ kind: AdministratorBinding, name: b, to: ['${to}'], roles: [owner] }`);
    expect(['user:entra/3f2c', 'group:entra/a b'].flatMap(bound)).toEqual([]);
    for (const to of ['any', 'role:sales', 'ann']) expect(bound(to)[0]).toContain(' to.0:');
  });
});

it('is named by its name, whatever its kind', () => {
  for (const kind of ['Issuer', 'Mapping', 'AdministratorRole', 'AdministratorBinding']) {
    expect(documentName({ kind, name: 'n' } as AnyDocument)).toBe('n');
  }
});

const consent = {
  by: ['role:lead', 'subject'],
  approvals: 2,
  notSelf: true,
  uses: 1,
  until: '8h',
  bind: ['n'],
  show: ['n'],
};
const schema = { type: 'object', properties: { path: { type: 'string' } } };
const clauses = {
  servers: { allow: ['crm'] },
  actions: { deny: ['tools/call'] },
  resources: { allow: ['read_*', 'file:///work/*'] },
  operations: { allow: ['read'], deny: ['write'] },
  paths: { allow: ['~/Documents/Projects/', '/work/**'], deny: ['~/.ssh/**'] },
};

/** A document of every kind, between them with nearly every member that there is. */
export const EXAMPLES = [
  { kind: 'Role', name: 'sales', description: 'Sells.', inherits: ['employee'] },
  {
    kind: 'Binding',
    name: 'b',
    subjects: ['user:ann', 'group:emea/sales'],
    roles: ['sales'],
    expires: '2027-01-01T00:00:00+02:00',
  },
  {
    kind: 'Policy',
    name: 'crm',
    target: {
      servers: ['crm', 'c*'],
      actions: ['tools/call'],
      resources: ['query_*', { type: 'tool', id: 'send_mail' }],
    },
    rules: [
      {
        name: 'a',
        effect: 'allow',
        to: ['role:sales'],
        via: ['desk'],
        when: 'arguments.n > 1',
        fields: { arguments: ['n', 'filter.*'], result: ['name', 'payment.*'] },
        obligations: [
          { type: 'redact', fields: ['ssn'] },
          { type: 'session_termination', subject: 'user:ann' },
        ],
      },
      { name: 'b', effect: 'ask', to: ['any'], unless: 'arguments.n > 1', consent },
      { name: 'c', effect: 'deny', to: ['group:x', 'user:ann'] },
    ],
  },
  { kind: 'Scope', server: 'crm', ...clauses },
  { kind: 'Scope', name: 's', host: 'desk', paths: { deny: ['/etc/**'] } },
  { kind: 'Tenant', name: 'default', defaults: { effect: 'ask', consent, hostScope: clauses } },
  {
    kind: 'Subject',
    type: 'user',
    id: 'ann',
    aliases: [{ type: 'identity', id: 'ann@example.com' }],
    groups: ['emea'],
    properties: { level: 3, tags: ['x', null, true] },
  },
  { kind: 'Resource', server: 'files', type: 'resource', id: 'file:///work/a', properties: { owner: 'ann' } },
  {
    kind: 'Server',
    name: 'files',
    owner: 'user:ann',
    identity: { url: 'https://files.example.com/mcp' },
    tools: { read: { operation: 'read', arguments: { path: 'path', 'a.b': 'path' }, inputSchema: schema } },
  },
  { kind: 'Host', name: 'desk', owner: 'group:it', properties: { managed: true } },
  {
    kind: 'Test',
    name: 't',
    description: 'Sales.',
    defaults: { subject: { type: 'user', id: 'ann', properties: { groups: ['emea'] } }, host: 'desk', server: 'crm' },
    cases: [
      {
        name: 'reads its own region',
        description: 'And no other one.',
        request: {
          tool: 'query_crm',
          arguments: { n: 2 },
          context: { purpose: 'support' },
          session: { id: 's' },
          now: '2026-06-01T09:00:00+02:00',
        },
        consents: ['crm/b', 'default'],
        expect: { effect: 'allow', rule: 'crm/a', reason: 'allowed_by_consent', obligations: ['redact'] },
      },
      {
        name: 'is not let in',
        request: {
          subject: { type: 'user', id: 'ann', assurance: 'verified', groups: ['emea'], token: { acr: 'mfa' } },
          action: 'read',
          resource: { type: 'note', id: 'n', properties: { level: 1 } },
        },
        expect: { effect: 'deny', rule: ['crm/c'] },
      },
    ],
  },
  {
    kind: 'Issuer',
    name: 'entra',
    description: 'The people of the company.',
    issuer: 'https://login.microsoftonline.com/8a1f/v2.0',
    profile: 'entra',
    jwksUri: 'https://login.microsoftonline.com/8a1f/discovery/v2.0/keys',
    algorithms: ['RS256', 'ES256'],
    subjectType: 'user',
    identity: { claim: '/oid' },
    keysGoodForSeconds: 7200,
    groups: { claim: '/groups', prefix: 'entra/', truncatedAt: 100, whenAbsent: 'none' },
    require: [{ claim: '/tid', equals: '8a1f' }],
    subjectTokens: { audiences: ['api://placet'], type: 'any', maxAgeSeconds: 3600 },
    workloads: { audiences: ['api://placet-workloads'] },
    signIn: {
      clientId: 'placet',
      authentication: 'client_secret_basic',
      clientSecret: 'entra',
      scopes: ['openid', 'email'],
      domains: ['example.com'],
      title: 'The company',
      acrValues: ['urn:mfa'],
      extraParameters: { prompt: 'select_account' },
    },
  },
  {
    kind: 'Mapping',
    name: 'entra',
    issuer: 'entra',
    rules: [
      {
        name: 'sales',
        when: [{ group: 'entra/4f1c' }, { claim: '/department', oneOf: ['emea', 7, true] }],
        roles: ['sales'],
        properties: { region: { claim: '/region' }, level: { value: 3 } },
      },
      { name: 'staff', when: 'always', administration: ['auditor', 'desk'], stop: true },
      {
        name: 'a',
        when: [
          { claim: '/a~1b', prefix: 'x' },
          { claim: '/c', equals: 1 },
        ],
        roles: ['sales'],
      },
      {
        name: 'b',
        when: [
          { claim: '/d/0', matches: 'x+' },
          { claim: '/e', present: true },
        ],
        roles: ['sales'],
      },
    ],
  },
  {
    kind: 'AdministratorRole',
    name: 'desk',
    description: 'Looks after the servers of the desk.',
    inherits: ['auditor'],
    grants: [{ actions: ['read', 'write'], on: ['Server', 'Draft'], names: ['desk', 'desk-*'] }],
  },
  {
    kind: 'AdministratorBinding',
    name: 'desk',
    to: ['user:entra/3f2c', 'group:entra/4f1c'],
    roles: ['desk', 'publisher'],
    expires: '2027-01-01T00:00:00Z',
  },
];

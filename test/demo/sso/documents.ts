import type { IdentityProvider } from '../../support/identity-provider.js';

/** What access tokens of the company must name, to be good for Placet. */
export const AUDIENCE = 'https://placet.example.com';

/** What the owner of the tenant saves: whom to trust, what its groups give, and what that allows. */
export function companyDocuments({ issuer }: IdentityProvider): readonly object[] {
  return [
    { kind: 'Tenant', name: 'default', defaults: { effect: 'deny' } },
    {
      kind: 'Issuer',
      name: 'company',
      issuer,
      groups: { prefix: 'company:' },
      subjectTokens: { audiences: [AUDIENCE] },
      signIn: { clientId: 'placet', authentication: 'client_secret_basic', clientSecret: 'company' },
    },
    { kind: 'Role', name: 'developer' },
    {
      kind: 'Mapping',
      name: 'company',
      issuer: 'company',
      rules: [
        { name: 'engineering', when: [{ group: 'company:engineering' }], roles: ['developer'] },
        { name: 'leads', when: [{ claim: '/roles', equals: 'team-lead' }], administration: ['policy-author'] },
      ],
    },
    {
      kind: 'AdministratorBinding',
      name: 'operations',
      to: ['group:company:on-call'],
      roles: ['approver'],
    },
    { kind: 'Server', name: 'tickets' },
    { kind: 'Host', name: 'assistant', title: 'The assistant of the developers' },
    { kind: 'Scope', host: 'assistant', servers: { allow: ['tickets'] } },
    {
      kind: 'Policy',
      name: 'tickets',
      target: { servers: ['tickets'], actions: ['tools/call'], resources: ['search_tickets'] },
      rules: [
        {
          name: 'developers-search',
          effect: 'allow',
          to: ['role:developer'],
          when: 'subject.assurance == "verified" && subject.token.client_id == "assistant"',
        },
      ],
    },
  ];
}

const ms = (column: string): string => `(extract(epoch from ${column}) * 1000)::float8`;

/** In whose place an answer `a` was given, where `f` is that person. */
const DELEGATOR = `
  case when a.for_person is not null then json_build_object('person', f.id, 'issuer', f.issuer, 'claims', f.claims) end`;

/** A request `r`, as `StoredConsentRequest`. */
export const REQUEST = `
  r.id, r.evaluation, r.credential, r.host, r.agent, r.subject, r.server, r.action, r.resource_type as "resourceType",
  r.resource_id as "resourceId", r.session, r.content, r.shown, encode(r.shown_digest, 'hex') as "shownDigest",
  case when r.status = 'pending' and r.expires_at <= clock_timestamp() then 'expired' else r.status end as status,
  ${ms('r.created_at')} as "createdAt", ${ms('r.expires_at')} as "expiresAt", ${ms('r.ended_at')} as "endedAt",
  coalesce((
    select json_agg(json_build_object('person', a.person, 'issuer', p.issuer, 'claims', p.claims, 'answer', a.answer,
        'choice', a.choice, 'brokeGlass', a.broke_glass, 'for', ${DELEGATOR}, 'session', a.session, 'acr', a.acr, 'amr', a.amr,
        'authenticatedAt', ${ms('a.authenticated_at')}, 'at', ${ms('a.at')}, 'withdrawnAt', ${ms('a.withdrawn_at')})
      order by a.at, a.person)
    from placet.consent_answer a join placet.person p on p.tenant = a.tenant and p.id = a.person
      left join placet.person f on f.tenant = a.tenant and f.id = a.for_person
    where a.tenant = r.tenant and a.request = r.id
  ), '[]') as answers`;

/** A consent `c`, as `ConsentRow`. */
export const CONSENT = `
  c.id, c.request, c.requirement, encode(c.binding, 'hex') as binding, c.policy, c.rule, c.uses_left as "usesLeft",
  c.session, ${ms('c.created_at')} as "createdAt", ${ms('c.expires_at')} as "expiresAt", ${ms('c.ended_at')} as "endedAt",
  c.ended_for as "endedFor", c.subject, c.agent, c.server, ${ms('c.last_used_at')} as "lastUsedAt"`;

/** Those who agreed to a consent `c`, as `AgreedRow`. */
export const AGREED = `
  coalesce((
    select json_agg(json_build_object('person', a.person, 'issuer', p.issuer, 'claims', p.claims, 'acr', a.acr,
      'brokeGlass', a.broke_glass, 'for', ${DELEGATOR}) order by a.person, a.number)
    from placet.consent_answer a join placet.person p on p.tenant = a.tenant and p.id = a.person
      left join placet.person f on f.tenant = a.tenant and f.id = a.for_person
    where a.tenant = c.tenant and a.request = c.request and a.answer = 'agreed' and a.withdrawn_at is null
      and a.person = any (c.agreed)
  ), '[]') as agreed`;

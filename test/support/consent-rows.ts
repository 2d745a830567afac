/** What a request keeps besides its columns: one requirement, of a rule. */
const CONTENT = JSON.stringify({
  subject: { type: 'user', id: 'ann' },
  requirements: [{ rule: { policy: 'p', version: 1, rule: 'r' }, consent: { by: ['subject'] }, binding: '' }],
});

/** Of the consent among the rows. */
export const CONSENT_ID = 'co_aaaaaaaaaaaaaaaaaaaaaa';

/**
 * Rows of every table about consents, for specs that need some of a tenant: an open request, an answer to it by a person who
 * is there, in the place of another, and a consent that was used.
 */
export const consentRows = (tenant: string, person: string, request = 'r', text = 'ann'): string => `
  insert into placet.consent_request (tenant, id, join_key, evaluation, credential, host, agent, subject, action,
      resource_type, resource_id, content, shown, shown_digest, body_digest, expires_at)
    values ('${tenant}', '${request}', '', 'e', 'k', 'desk', 'desk', 'user:${text}', 'tools/call', 'tool', '${text}',
      '${CONTENT}', '{}', '', '', now() + interval '1 day');
  insert into placet.person (tenant, id, issuer, claims) values ('${tenant}', '${person}-delegator', 'okta', '{}');
  insert into placet.delegation (tenant, id, from_person, to_person, expires_at)
    values ('${tenant}', 'd', '${person}-delegator', '${person}', now() + interval '1 day');
  insert into placet.consents_settled (tenant, revision) values ('${tenant}', 1) on conflict do nothing;
  insert into placet.consent_answer (tenant, request, person, answer, session, shown_digest, for_person, delegation)
    values ('${tenant}', '${request}', '${person}', 'agreed', 's', '', '${person}-delegator', 'd');
  insert into placet.consent (tenant, id, request, requirement, binding, agreed, expires_at, subject, agent)
    values ('${tenant}', '${CONSENT_ID}', '${request}', 0, 'x', array['${person}'], now() + interval '1 day', 'user:${text}', 'desk');
  insert into placet.consent_use (tenant, consent, writer, seq) values ('${tenant}', '${CONSENT_ID}', 9, 1);
  insert into placet.consent_retry (tenant, consent, of_writer, of_seq, writer, seq)
    values ('${tenant}', '${CONSENT_ID}', 9, 1, 9, 2);
  insert into placet.consent_event (tenant, request, kind, by, content)
    values ('${tenant}', '${request}', 'requested', 'desk', '{}');
  insert into placet.notification (tenant, request, event, url, loud, at)
    values ('${tenant}', '${request}', 'requested', 'https://${text}.example', false, now());`;

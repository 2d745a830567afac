import { CONSENT_FUNCTIONS_0020 } from './consent-functions-0020.js';

/** One of the functions that migration 0020 made, as it made it. */
function made(name: string): string {
  const [text] =
    new RegExp(`create function placet\\.${name}\\([^]*?\\nend \\$\\$;`).exec(CONSENT_FUNCTIONS_0020) ?? [];
  if (text === undefined) throw new Error(`migration 0020 made no function ${name}`);
  return text.replace('create function', 'create or replace function');
}

/** With other texts in some places, each of which is there once. */
function changed(text: string, ...changes: readonly (readonly [from: string, to: string])[]): string {
  return changes.reduce((before, [from, to]) => {
    if (before.split(from).length !== 2) throw new Error(`this is not there once: ${from}`);
    return before.replace(from, () => to);
  }, text);
}

export const OPEN_CONSENT_REQUEST_0020 = made('open_consent_request');

/** The same that was refused is what an agreement would be bound to the same: in whichever session, through whichever host. */
export const OPEN_CONSENT_REQUEST_0024 = changed(
  OPEN_CONSENT_REQUEST_0020,
  [
    `r.subject = ask ->> 'subject' and r.join_key = key and r.status = 'denied'
        and r.created_at > clock_timestamp() - interval '1 day'`,
    `r.subject = ask ->> 'subject' and r.status = 'denied'
        and r.created_at > clock_timestamp() - interval '1 day'
        and jsonb_path_query_array(r.content, '$.requirements[*].binding') @> bindings
        and jsonb_path_query_array(r.content, '$.requirements[*].binding') <@ bindings`,
  ],
  [
    `body bytea := decode(ask ->> 'body_digest', 'hex');`,
    `body bytea := decode(ask ->> 'body_digest', 'hex');
  bindings jsonb := jsonb_path_query_array(ask -> 'content', '$.requirements[*].binding');`,
  ],
);

export const ANSWER_CONSENT_REQUEST_0020 = made('answer_consent_request');

/** Agreements for two sessions stand beside each other. */
export const ANSWER_CONSENT_REQUEST_0024 = changed(ANSWER_CONSENT_REQUEST_0020, [
  `          and c.binding in (select decode(n ->> 'binding', 'hex') from jsonb_array_elements(consents) n)
`,
  `          and c.binding in (select decode(n ->> 'binding', 'hex') from jsonb_array_elements(consents) n)
          and exists (
            select from jsonb_array_elements(consents) n
            where decode(n ->> 'binding', 'hex') = c.binding
              and (c.session is null or n ->> 'session' is null or n ->> 'session' = c.session)
          )
`,
]);

export const REVOKE_CONSENTS_0020 = made('revoke_consents');

/**
 * A subject is meant by all of their names. What some have agreed to and others have not answered yet is refused: it would be
 * an agreement later, after the revocation has returned.
 */
export const REVOKE_CONSENTS_0024 = changed(
  REVOKE_CONSENTS_0020,
  [
    `array['id', 'request', 'subject', 'agent', 'server', 'mine']`,
    `array['id', 'request', 'subject', 'subjects', 'agent', 'server', 'mine']`,
  ],
  [
    `          and (not which ? 'agent' or c.agent = which ->> 'agent')`,
    `          and (not which ? 'subjects' or c.subject = any (array(select jsonb_array_elements_text(which -> 'subjects'))))
          and (not which ? 'agent' or c.agent = which ->> 'agent')`,
  ],
  [
    `  outcome := 'revoked';
  return next;`,
    `  for of_request in
    update placet.consent_request r set status = 'denied', ended_at = clock_timestamp()
      where r.tenant = wanted and r.status = 'pending' and r.expires_at > clock_timestamp()
        and not which ? 'id'
        and (not which ? 'request' or r.id = which ->> 'request')
        and (not which ? 'subject' or r.subject = which ->> 'subject')
        and (not which ? 'subjects' or r.subject = any (array(select jsonb_array_elements_text(which -> 'subjects'))))
        and (not which ? 'agent' or r.agent = which ->> 'agent')
        and (not which ? 'server' or r.server = which ->> 'server')
        and exists (
          select from placet.consent_answer a
          where a.tenant = wanted and a.request = r.id and a.answer = 'agreed' and (
            not which ? 'mine' or a.person = which #>> '{mine,person}'
            or r.subject = any (array(select jsonb_array_elements_text(which -> 'mine' -> 'names')))
          )
        )
      returning r.id
  loop
    ended := ended + 1;
    perform placet.note_consent(wanted, of_request, 'revoked', who, jsonb_strip_nulls(jsonb_build_object(
      'status', 'denied', 'principal', by_principal, 'reason', reason
    )));
  end loop;
  outcome := 'revoked';
  return next;`,
  ],
);

/** What was taken back before anything came of it is no agreement. */
export const REVOKE_CONSENTS_0028 = changed(REVOKE_CONSENTS_0024, [
  `a.request = r.id and a.answer = 'agreed' and (`,
  `a.request = r.id and a.answer = 'agreed' and a.withdrawn_at is null and (`,
]);

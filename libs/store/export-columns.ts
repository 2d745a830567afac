/**
 * What an export has of each table, in the order of the file, and what it leaves out: secrets, even where they are MACs or
 * encrypted, and what is only of use to the running service. Whole: a column that stands in neither is in no export, and a
 * spec says so.
 */
export const EXPORTED: Readonly<
  Record<
    string,
    { readonly columns: readonly string[]; readonly order: readonly string[]; readonly withheld?: readonly string[] }
  >
> = {
  document: { columns: ['kind', 'name', 'version', 'revision', 'body'], order: ['kind', 'name'] },
  document_version: {
    columns: ['kind', 'name', 'version', 'revision', 'body', 'changed_by', 'changed_at'],
    order: ['kind', 'name', 'version'],
  },
  draft: {
    columns: [
      ...['name', 'version', 'base_revision', 'description', 'prune', 'documents', 'deletions'],
      ...['changed_by', 'changed_at', 'seen_by'],
    ],
    order: ['name'],
  },
  revision: {
    columns: [
      ...['revision', 'epoch', 'changed_by', 'changed_at', 'message', 'draft', 'rolled_back_to', 'seen_by'],
      ...['documents', 'others'],
    ],
    order: ['revision'],
  },
  change: { columns: ['revision', 'epoch', 'restricting', 'keys', 'commit', 'at'], order: ['revision'] },
  credential: {
    columns: [
      ...['id', 'kind', 'principal_kind', 'principal', 'environment', 'rights', 'cidrs', 'jwks', 'issuer', 'subject'],
      ...['person', 'created_by', 'created_at', 'expires_at', 'disabled_at', 'revision'],
    ],
    order: ['id'],
  },
  credential_secret: {
    columns: ['credential', 'number', 'expires_at'],
    order: ['credential', 'number'],
    withheld: ['mac'],
  },
  credential_use: { columns: ['credential', 'last_used_at'], order: ['credential'] },
  denial: { columns: ['key', 'before', 'expires_at', 'revision'], order: ['key'] },
  person: { columns: ['id', 'issuer', 'claims', 'name', 'email', 'first_at', 'last_at', 'read_at'], order: ['id'] },
  directory_reading: { columns: ['issuer', 'begun_at', 'as_of'], order: ['issuer'] },
  session: {
    columns: [
      ...['id', 'person', 'issuer', 'upstream_session', 'acr', 'amr', 'authenticated_at', 'created_at', 'seen_at'],
      ...['idle_ends_at', 'ends_at', 'ended_at', 'address', 'user_agent'],
    ],
    order: ['id'],
    withheld: ['mac', 'sealed_hint'],
  },
  // Of what is used up, nothing is of use elsewhere.
  used_once: { columns: ['expires_at'], order: ['expires_at'], withheld: ['mac'] },
  // What came of it is told to who began it, and to nobody else.
  sign_in_test: {
    columns: ['issuer', 'begun_by', 'state', 'begun_at', 'expires_at'],
    order: ['begun_at', 'id'],
    withheld: ['id', 'sealed'],
  },
  oauth_state: {
    columns: ['model', 'client', 'account', 'issued_at', 'expires_at', 'consumed_at'],
    order: ['model', 'id'],
    // Ids are MACs of what is handed out; user codes are handed out themselves.
    withheld: ['id', 'sealed', 'grant_id', 'user_code'],
  },
  signing_key: {
    columns: ['id', 'algorithm', 'public_jwk', 'created_at', 'retires_at'],
    order: ['id'],
    withheld: ['sealed'],
  },
  receipt_key: { columns: ['id', 'public_jwk', 'made_at', 'replaced_at'], order: ['id'] },
  consent_request: {
    columns: [
      ...[
        'id',
        'evaluation',
        'credential',
        'host',
        'agent',
        'subject',
        'server',
        'action',
        'resource_type',
        'resource_id',
      ],
      ...['session', 'content', 'shown', 'shown_digest', 'status', 'created_at', 'expires_at', 'ended_at'],
    ],
    order: ['id'],
    // Of use only while the request is open.
    withheld: ['join_key', 'idempotency_key', 'body_digest'],
  },
  consent_answer: {
    columns: [
      ...['request', 'person', 'answer', 'choice', 'broke_glass', 'session', 'acr', 'amr', 'authenticated_at'],
      ...['shown_digest', 'at', 'for_person', 'delegation', 'number', 'withdrawn_at'],
    ],
    order: ['request', 'person', 'number'],
  },
  consent: {
    columns: [
      ...['id', 'request', 'requirement', 'binding', 'agreed', 'policy', 'rule', 'uses_left', 'session', 'created_at'],
      ...['expires_at', 'ended_at', 'ended_for', 'subject', 'agent', 'server', 'last_used_at'],
    ],
    order: ['id'],
  },
  delegation: {
    columns: ['id', 'from_person', 'to_person', 'created_at', 'expires_at', 'ended_at'],
    order: ['id'],
  },
  consents_settled: { columns: ['revision'], order: ['tenant'] },
  consent_use: { columns: ['consent', 'writer', 'seq', 'at'], order: ['consent', 'writer', 'seq'] },
  consent_retry: {
    columns: ['consent', 'of_writer', 'of_seq', 'writer', 'seq', 'at'],
    order: ['consent', 'of_writer', 'of_seq', 'writer', 'seq'],
  },
  consent_event: { columns: ['request', 'number', 'kind', 'by', 'at', 'content'], order: ['request', 'number'] },
  notification: {
    columns: ['id', 'request', 'event', 'url', 'status', 'loud', 'at', 'due_at', 'attempts', 'outcome', 'ended_at'],
    order: ['at', 'id'],
  },
  scim_user: {
    columns: [
      ...[
        'id',
        'issuer',
        'external_id',
        'user_name',
        'active',
        'identity',
        'body',
        'version',
        'created_at',
        'changed_at',
      ],
      ...['expires_at', 'revision'],
    ],
    order: ['id'],
  },
  scim_group: {
    columns: ['id', 'issuer', 'external_id', 'display_name', 'version', 'created_at', 'changed_at'],
    order: ['id'],
  },
  scim_member: { columns: ['group_id', 'user_id'], order: ['group_id', 'user_id'] },
  ledger_record: {
    columns: ['writer', 'seq', 'commit', 'at', 'kind', 'body', 'hash', 'subject'],
    order: ['writer', 'seq'],
  },
  deleted_tenant: {
    columns: ['name', 'id', 'title', 'created_at', 'deleted_at', 'deleted_by', 'export_digest'],
    order: ['name'],
  },
  usage: {
    columns: [
      ...['documents', 'document_bytes', 'history_bytes', 'credentials'],
      ...['scim_users', 'scim_groups', 'scim_members'],
    ],
    order: ['tenant'],
    withheld: ['accepted_documents', 'accepted_bytes', 'accepted_credentials'],
  },
};

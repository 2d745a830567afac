/** What `placet --help` prints. */
export const USAGE = `usage: placet COMMAND

  apply DIR [--prune] [--dry-run]      make the documents be as in DIR: prints a diff, then changes all or nothing;
      [-m MESSAGE]                       what is not in DIR is deleted with --prune only; MESSAGE says why
  validate DIR                         say what is wrong with the documents in DIR
  lint DIR                             say what in the documents is hardly meant, taking DIR for all that there
                                       are, without asking a service; exits with 1 if there is anything
  test DIR|FILE... [--json]            run the Test documents in DIR on the documents there, without asking a
                                       service; exits with 1 if a case fails, or there is none
  get [KIND [NAME]] [--json]           list documents, or print one as YAML
  draft save NAME DIR                  keep the documents in DIR as a draft, which decides nothing; prints what
      [--prune] [--delete KIND/NAME]...  publishing it would change, and what stands in the way
      [--description TEXT]
      [--base REVISION]                  what others changed after REVISION is in conflict (default: the present one)
  draft save NAME --rollback-to REVISION   keep as a draft what going back would change [--description TEXT]
  draft show NAME                      the same of a draft that is there, its version, and who has seen it
  draft approve NAME --version VERSION approve of the version that you have looked at, where two people must have
                                       seen what is published (fourEyes); as who has signed in
  draft list, draft delete NAME        list drafts, or throw one away
  publish NAME -m MESSAGE              make a draft hold, all or nothing; the draft is then gone
      [--version VERSION]                no other version than this one, which you have looked at
  history [--all]                      who changed which documents when and why, newest first; everything with --all
  diff [FROM [TO]]                     what differs between two revisions; without any: what the last change did
  rollback REVISION -m MESSAGE         make the documents be what they were at REVISION, as a new revision;
                                       suspensions and keys stay as they are
  suspend OF NAME [--reason TEXT]      stop a Server, a Host, a Subject (as in user:ann) or the Tenant (default) at once
  resume OF NAME                       let it go on
  access review FILE [--json]          who has been given which role, since when and last used, as CSV (or lines of JSON)
  people list                          who has signed in
  people sessions PERSON               where somebody (as in user:entra/3f2c) is signed in
  people sign-out PERSON               sign them out everywhere, and end the tokens that they have
  consent list [--subject TYPE:ID] [--agent HOST] [--server NAME] [--live]
                                       what people have agreed to
  consent revoke ID --reason TEXT      take back one agreement, or all of a person, a host or a server:
      [--subject TYPE:ID] [--agent HOST] [--server NAME]   when it returns, none of them counts any more
  receipt verify FILE --keys FILE|URL  whether a receipt of an agreement holds, and what it says; asks nobody,
                                       with the keys (/t/NAME/oauth/jwks/receipts) in a file
  host create NAME [--title TEXT]      register a host and make a key for it
      [--may-speak-for PATTERN]...       subjects it may name, as in 'user:*' (default: none)
      [--may-assert ATTRIBUTE]...        attributes of subjects it may assert
      [--may-assert-resource ATTRIBUTE]... attributes of resources it may assert
      [--explain]                        tell it in detail what stood in the way
      [--scope NAME]...                  what it may ask for: decisions, listings, search, filter (default: all)
      [--may-act-for PATTERN]...         of a gateway: the hosts that it may act for, one named in each request
  client create HOST                   make an OAuth client of a host (the options of host create say what it may)
      [--keys FILE]                      by public keys of its own (a JWK set) and not by a secret
      [--issuer NAME --subject SUB]      a workload that an Issuer vouches for
      [--cidr NETWORK]... [--expires DATE] from where it may be used, and until when
  client change ID                     change one: what is said replaces what there was (--cidr any, --expires never)
  client list                          list OAuth clients
  client rotate ID [--now]             give one a new secret; the old one is good for a day, or ends with its tokens now
  client disable ID                    end one and its tokens at once
  connector-token create ISSUER        make a token by which a directory provisions people and groups (SCIM)
      [--cidr NETWORK]... [--expires DATE] from where it may be used, and until when
  connector-token list [--json]        such tokens, and when each was last used
  connector-token rotate ID [--now]    give one a new secret; the old one is good for a day, or ends now
  connector-token disable ID           end one at once
  key create --host NAME               make another key for a host, with the options above, and
      [--cidr NETWORK]...                from where it may be used (default: anywhere)
      [--expires DATE]                   until when
  key create --administrator NAME      make a key for an administrator; you must have its roles yourself
      --role ROLE...                     owner, policy-author, publisher, registrar, approver, auditor, user,
      [--cidr NETWORK]... [--expires DATE] operator, or the name of an AdministratorRole
  key change ID                        change one: what is said replaces what there was (--cidr any, --expires never)
  key list [--host NAME] [--json]      keys, and when each was last used
  decide --subject TYPE:ID --server NAME --tool NAME [--arguments JSON]
  decide --file FILE                   ask for a decision (PLACET_KEY is the key of a host);
                                       exits with 0 for allow, 3 for deny, 4 for ask
      [--explain]                        say why, to be read: the key must have that right
  who-can --server NAME --tool NAME [--arguments JSON] [--host NAME] [--json]
  who-can --resource TYPE:ID [--server NAME] [--action NAME] [...]
                                       everybody who could do this, and by which rules
  what-can [--subject TYPE:ID] [--host NAME] [--server NAME] [--json]
                                       what a person, or anybody through a host, could do
  mapping try --token-file FILE        whom a token proves, and what each rule of the Mappings gives them, and why;
  mapping try --claims FILE --issuer NAME   or claims that such a token would have (a FILE of - is the input) [--json];
                                       exits with 3 where the token is not believed
  tenant create NAME [--title TEXT]    make a tenant and a key for its owner, as an operator: an owner of the tenant
                                       'default'; so are the following
  tenant list                          every tenant
  tenant suspend NAME [--reason TEXT]  stop a whole tenant; nobody of it can lift that
  tenant resume NAME                   let it go on
  tenant owner-key NAME --reason TEXT  make a further key of an owner, for a tenant that has lost its own
  tenant export NAME FILE              write everything of it but secrets into FILE; prints the SHA-256 of the export
  tenant delete NAME --export SHA256   delete a suspended tenant of which there is that export
  idp metadata FILE|URL --name NAME    print the Issuer that the metadata of a SAML identity provider come to;
      [--entity ID]                      which of several; without asking a service
      [--certificate SHA256]...          certificates that it may have, and no other
  idp test ISSUER [--json]             try a way to sign in step by step: the provider or directory, its keys and
                                       certificates, our secret or account; exits with 1 if a step fails
      [--sign-in] [--no-browser]         and have somebody try to sign in at a browser: says what was looked at, who it
      [--wait SECONDS]                   was and what they would get (default: 600 s); nobody is signed in by it
  login [--tenant NAME]                sign in with a browser, which can be on another machine
      [--no-browser]                     and do not open one here
  logout                               end that
  key new [--environment NAME]         make a key without asking a service, for PLACET_BOOTSTRAP_KEY

The service is found by PLACET_URL (default http://127.0.0.1:8360), with the key in PLACET_KEY
or, where that is not set, as who has signed in.
`;

/** The lines of it about the commands that begin with a word, as in `client`; undefined: there are none. */
export function usageOf(word: string): string | undefined {
  const [heading, ...entries] = USAGE.split(/\n(?= {2}\S|\n)/);
  const about = entries.filter((entry) => entry.split(/[\s,]+/)[1] === word);
  return about.length === 0 ? undefined : `${[`${heading}\n`, ...about].join('\n')}\n`;
}

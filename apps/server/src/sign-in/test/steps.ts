import type { DirectoryStep } from '#directory';
import type { SamlStep } from '#saml';

/** Every look that is taken where a way to sign in is tested. docs/identity.md has a line on each. */
export type StepName =
  | SamlStep
  | DirectoryStep
  | 'document'
  | 'secret'
  | 'discovery'
  | 'endpoints'
  | 'keys'
  | 'algorithms'
  | 'client_authentication'
  | 'token_endpoint'
  | 'redirect_uri'
  | 'entry_point'
  | 'certificates'
  | 'service_provider'
  | 'signing_key'
  | 'request'
  | 'attempt'
  | 'response'
  | 'state'
  | 'id_token'
  | 'replay'
  | 'strength'
  | 'require'
  | 'identity'
  | 'suspension'
  | 'signed_out'
  | 'person'
  | 'claims'
  | 'groups'
  | 'mapping'
  | 'roles';

/** One look, and what came of it. */
export interface Step {
  readonly step: StepName;
  /** `unknown`: nobody can say, and nothing is refused for it. */
  readonly outcome: 'ok' | 'failed' | 'unknown';
  /** What was there, and why it is not good. */
  readonly found: string;
  /** What to do about it, where it is not good. */
  readonly mend?: string;
}

/** What to do where a step has failed, or says nothing. */
export const MENDS: Readonly<Record<StepName, string>> = {
  document: 'the Issuer document must have signIn; what came back must be one answer of SAML with one signed assertion',
  secret: 'put the secret that the document names among the settings (PLACET_SECRET_<TENANT>__<NAME>), and start anew',
  discovery:
    'issuer of the document must be exactly what the metadata say; look at the name, the network and the certificate',
  endpoints: 'the provider must name an authorization and a token endpoint, by https',
  keys: 'look at jwks_uri, or write jwksUri into the document',
  algorithms: 'write an algorithm into the document that the provider signs ID tokens with',
  client_authentication: 'write an authentication into the document that the provider takes',
  token_endpoint: 'compare clientId and the secret (or the keys of the client) with what the provider has',
  redirect_uri: 'register this very redirect URI at the provider, for this clientId',
  entry_point: 'write the address for requests by HTTP-Redirect into signIn.url',
  certificates: 'take the present certificates out of the metadata of the provider (placet idp metadata)',
  service_provider: 'set PLACET_PUBLIC_URL to where browsers reach the service, and give the provider our metadata',
  signing_key: 'give the provider our metadata again',
  clock: 'set the clocks of both by the same time (NTP)',
  server:
    'look at the URL, the name server, the network, and whether it may be gone to (PLACET_PRIVATE_IDENTITY_PROVIDERS)',
  tls: 'the certificate must be good for the name in the URL, and of an authority in ca; give it a new one, or mend url or ca',
  reading_account: 'compare account and the secret of password with what the directory has',
  paging: 'let the directory answer in pages (RFC 2696)',
  people: 'look at people.base and people.objectClass, and let the account read the attributes of people',
  user_name: 'look at people.base, people.objectClass and people.login: exactly one account must be found',
  attempts: 'too many passwords were tried: wait a minute',
  password: 'the password is another one',
  account: 'let the account go on in the directory, and let the reading account read its state',
  memberships: 'look at groups of the document, and let the account read the groups',
  request: 'mend what the checks without a person say',
  attempt: 'begin another test, and open its address in one browser, once',
  response: 'the provider has not sent the browser back with what was asked for: look at its page and its log',
  state: 'what came back is of another sign-in: begin another test, and use one browser and one tab',
  id_token: 'the provider must send an ID token for this client alone, by a key and an algorithm of the document',
  status: 'the provider has signed nobody in: look at its log, and whether the person may use the application',
  in_response_to: 'what came back answers another request: begin another test, and do not start at the provider',
  destination: 'write our address for answers (ACS URL) at the provider as it stands in our metadata',
  response_issuer: 'write the entity id of the provider into issuer of the document',
  encryption: 'let the provider encrypt for the certificate in our metadata, or leave out signIn.encrypted',
  signature:
    'the provider signs with another key, or not as asked: take its present certificates (placet idp metadata)',
  assertion_issuer: 'write the entity id of the provider into issuer of the document',
  issue_instant: 'set the clocks of both by the same time (NTP)',
  recipient: 'write our address for answers (ACS URL) at the provider as it stands in our metadata',
  confirmation: 'the provider must confirm by bearer, and say until when',
  audience: 'write our entity id at the provider as it stands in our metadata',
  validity:
    'set the clocks of both by the same time (NTP); an assertion counts for five minutes, and a minute is forgiven',
  authentication: 'the provider must say that and when the person has signed in (AuthnStatement)',
  replay: 'what came back was used before: begin another test',
  strength: 'the provider must confirm the sign-in as well and as freshly as was asked',
  require: 'the claim must be as require of the document says, or another document must',
  identity: 'let the provider send the claim, or name another one in identity of the document',
  suspension: 'lift the suspension, or let the directory provision the person as active',
  signed_out: 'the person was signed out everywhere meanwhile: begin another test',
  person: 'nothing is to be done',
  claims: 'nothing is to be done',
  groups:
    'let the provider send the groups (all of them), or write groups.whenAbsent: none if their absence means that there are none',
  mapping: 'look at the rules with placet mapping try',
  roles: 'write a Mapping or a binding that gives some',
};

/** Steps that a tester keeps at most, and how much of each: others say what is in it. */
const MOST_STEPS = 200;
const MOST_TEXT = 1000;

/** What others have said, fit to be kept. */
const clean = (text: string): string =>
  text
    .slice(0, MOST_TEXT)
    .toWellFormed()
    .replaceAll(/[\u0000-\u001f\u007f]/g, '?');

/** A step as it is told. */
export const stepOf = (step: StepName, outcome: Step['outcome'], found: string): Step => ({
  step,
  outcome,
  found: clean(found),
  ...(outcome === 'ok' ? {} : { mend: MENDS[step] }),
});

/** Something that was looked at without a person is not as it must be. The message is for an administrator. */
export class NotGood extends Error {
  override readonly name = 'NotGood';
}

/** Keeps what was looked at, one after the other. */
export class Steps {
  readonly #all: Step[] = [];
  #open: { readonly step: StepName; readonly found: string } | undefined;

  /** As `Watch`. */
  look(step: StepName, found: string): void {
    this.#close('ok');
    this.#open = { step, found };
  }

  /** As `Watch`. */
  missed(why: string, step?: StepName): void {
    if (this.#open && step !== undefined) this.#open = { ...this.#open, step };
    this.#close('failed', why);
  }

  /** Notes what is known at once. */
  note(step: StepName, outcome: Step['outcome'], found: string): void {
    this.#close('ok');
    this.#add(stepOf(step, outcome, found));
  }

  /** What was looked at last was good. */
  passed(): void {
    this.#close('ok');
  }

  /** What was looked at last was not good, and it ends with that. */
  failed(why: string): void {
    if (this.#open) this.#close('failed', why);
    else if (this.#all.at(-1)?.outcome !== 'failed') this.note('response', 'failed', why);
  }

  get all(): readonly Step[] {
    return this.#all;
  }

  #close(outcome: 'ok' | 'failed', why?: string): void {
    const open = this.#open;
    this.#open = undefined;
    if (!open) return;
    this.#add(stepOf(open.step, outcome, why === undefined ? open.found : `${open.found}: ${why}`));
  }

  #add(step: Step): void {
    if (this.#all.length < MOST_STEPS) this.#all.push(step);
  }
}

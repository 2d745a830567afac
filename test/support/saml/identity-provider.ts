import { createPublicKey, createVerify, X509Certificate } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inflateRawSync } from 'node:zlib';
import { answerXml, encryptAssertion, newKey, posted, sign, type IdpKey, type Said } from './answers.js';
import { all, one, parse } from './xml.js';

/** A request as it came. */
interface CameRequest {
  readonly id: string;
  readonly issuer: string;
  readonly recipient: string;
  readonly forceAuthn: boolean;
  readonly contextClasses: readonly string[];
  readonly nameFormat: string;
  /** Whether one of the service's certificates has signed it. */
  readonly signed: boolean;
}

/** A company's SAML identity provider, whose people sign in without a human. */
export interface SamlProvider {
  readonly entityId: string;
  /** Where it takes requests. */
  readonly url: string;
  readonly key: IdpKey;
  /** What it says of who is at its keyboard; undefined: they click on Cancel. */
  person: Partial<Said> | undefined;
  /** Whether its page asks who somebody is, for people at a browser: `people` says what it then says of them. */
  asksWho: boolean;
  readonly people: Map<string, Partial<Said>>;
  /** What it signs. */
  signs: 'assertion' | 'both';
  /** The certificate that it encrypts for; undefined: it does not. */
  encryptsFor: string | undefined;
  /** The service's certificates by which it knows requests. */
  trusts: readonly string[];
  /** Changes an answer on its way, as an attacker would. */
  tamper: ((xml: string) => string) | undefined;
  readonly requests: CameRequest[];
  /** An answer that nobody has asked for. */
  unsolicited(audience: string, recipient: string): Promise<string>;
  close(): Promise<void>;
}

/** Starts one on a free port. */
export async function startSamlProvider(): Promise<SamlProvider> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://localhost:${(server.address() as AddressInfo).port}`;
  const idp: SamlProvider = {
    entityId: `${origin}/entity`,
    url: `${origin}/sso`,
    key: newKey(),
    person: undefined,
    asksWho: false,
    people: new Map(),
    signs: 'both',
    encryptsFor: undefined,
    trusts: [],
    tamper: undefined,
    requests: [],
    unsolicited: (audience, recipient) => answer(idp, idp.person ?? {}, { audience, recipient, requestId: null }),
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  server.on('request', (request, response) => {
    respond(idp, new URL(request.url!, origin), response).catch((error: unknown) => {
      response.writeHead(500).end(String(error));
    });
  });
  return idp;
}

async function respond(idp: SamlProvider, url: URL, response: ServerResponse): Promise<void> {
  if (url.pathname === '/entity')
    return void response.writeHead(200, { 'Content-Type': 'text/html' }).end('<h1>Apps</h1>');
  if (url.pathname !== '/sso') return void response.writeHead(404).end();
  const request = read(idp, url);
  const who = url.searchParams.get('as');
  if (idp.asksWho && !idp.people.has(who ?? '')) return askWho(idp, url, response);
  idp.requests.push(request);
  const person = idp.asksWho ? idp.people.get(who!) : idp.person;
  const denied = { status: 'urn:oasis:names:tc:SAML:2.0:status:Responder' };
  const said = { audience: request.issuer, recipient: request.recipient, requestId: request.id };
  const text = await answer(idp, person ?? denied, said);
  response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' });
  response.end(
    `<!doctype html><title>Signing in</title><form method="post" action="${request.recipient}">` +
      `<input type="hidden" name="SAMLResponse" value="${text}"><button>Continue</button></form>` +
      '<script>document.forms[0].submit()</script>',
  );
}

/** As it is posted. */
async function answer(
  idp: SamlProvider,
  person: Partial<Said>,
  to: Pick<Said, 'audience' | 'recipient' | 'requestId'>,
): Promise<string> {
  const said: Said = { issuer: idp.entityId, ...to, ...person };
  let xml = answerXml(said);
  if (said.status === undefined) xml = sign(xml, 'Assertion', idp.key);
  if (said.status === undefined && idp.encryptsFor !== undefined) xml = await encryptAssertion(xml, idp.encryptsFor);
  if (idp.signs === 'both') xml = sign(xml, 'Response', idp.key);
  return posted(idp.tamper?.(xml) ?? xml);
}

function read(idp: SamlProvider, { search, searchParams }: URL): CameRequest {
  const root = parse(
    inflateRawSync(Buffer.from(searchParams.get('SAMLRequest')!, 'base64')).toString(),
  ).documentElement;
  const [signedPart, signature] = [search.slice(1).split('&Signature=')[0]!, searchParams.get('Signature')];
  const isSignedBy = (certificate: string): boolean =>
    signature !== null &&
    createVerify('RSA-SHA256')
      .update(signedPart)
      .verify(
        createPublicKey(new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'pem' })),
        signature,
        'base64',
      );
  return {
    id: root.getAttribute('ID'),
    issuer: one(root, 'Issuer').textContent,
    recipient: root.getAttribute('AssertionConsumerServiceURL'),
    forceAuthn: root.getAttribute('ForceAuthn') === 'true',
    contextClasses: all(root, 'AuthnContextClassRef').map(({ textContent }) => textContent),
    nameFormat: one(root, 'NameIDPolicy').getAttribute('Format'),
    signed: idp.trusts.some(isSignedBy),
  };
}

/** The page on which a person says who they are. */
function askWho({ people }: SamlProvider, { search }: URL, response: ServerResponse): void {
  const links = [...people.keys()].map(
    (who) => `<p><a href="/sso${search}&as=${encodeURIComponent(who)}">${who}</a></p>`,
  );
  response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' });
  response.end(`<!doctype html><title>Who are you?</title><h1>Who are you?</h1>${links.join('')}`);
}

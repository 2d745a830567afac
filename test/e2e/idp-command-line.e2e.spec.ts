import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseDocuments } from '#policy';
import { readProviderMetadata } from '#saml';
import { newKey } from '../support/saml/answers.js';
import { openTerminal } from '../support/terminal.js';

const terminal = openTerminal();
const { folder, placet } = terminal;
const { certificate } = newKey();
const METADATA = `<?xml version="1.0"?>
<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="http://www.okta.com/exk1">
  <md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    <md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data>
      <ds:X509Certificate>${certificate.replace(/-----[^-]+-----/g, '')}</ds:X509Certificate>
    </ds:X509Data></ds:KeyInfo></md:KeyDescriptor>
    <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://example.okta.com/sso"/>
  </md:IDPSSODescriptor>
</md:EntityDescriptor>`;
const { sha256 } = readProviderMetadata(METADATA).certificates[0]!;

let server: Server;
let url: string;

beforeAll(async () => {
  folder('idp', {
    'idp.xml': METADATA,
    'none.xml': '<x/>',
    'page.txt': 'Sign in & go on',
    'open.xml': METADATA.replace('https://example', 'http://example'),
  });
  server = createServer(({ url: path }, response) =>
    path === '/metadata' ? response.end(METADATA) : response.writeHead(404).end(),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/metadata`;
});
afterAll(() => {
  server.close();
  terminal.close();
});

describe('idp metadata', () => {
  it.each([
    ['a file', () => 'idp/idp.xml'],
    ['a URL', () => url],
  ])('prints an Issuer that can be saved, out of %s', async (_what, source) => {
    const { code, stdout, stderr } = await placet(['idp', 'metadata', source(), '--name', 'okta']);
    expect(code).toBe(0);
    const { documents, problems } = parseDocuments({ text: stdout });
    expect(problems).toEqual([]);
    expect(documents[0]!.document).toMatchObject({
      kind: 'Issuer',
      name: 'okta',
      issuer: 'http://www.okta.com/exk1',
      signIn: { protocol: 'saml', url: 'https://example.okta.com/sso', signed: 'response', idpInitiated: 'off' },
    });
    expect(stderr).toContain(`certificate ${sha256}`);
    expect(stderr).toContain('nothing proves that this is their metadata');
  });

  it.each([
    [
      'another certificate',
      ['idp/idp.xml', '--name', 'okta', '--certificate', 'ab'.repeat(32)],
      'is none that you named',
    ],
    ['no metadata', ['idp/none.xml', '--name', 'okta'], 'describes no identity provider'],
    ['another entity', ['idp/idp.xml', '--name', 'okta', '--entity', 'urn:x'], 'or not that one'],
    ['an address without TLS in it', ['idp/open.xml', '--name', 'okta'], 'write an https URL'],
    ['an address without TLS', ['http://idp.example/metadata', '--name', 'okta'], 'by https only'],
    ['no file', ['idp/missing.xml', '--name', 'okta'], 'cannot be read (ENOENT)'],
    ['another page', ['idp/page.txt', '--name', 'okta'], 'it is no XML: it does not begin with a tag'],
  ])('refuses %s', async (_what, args, message) => {
    const { code, stdout, stderr } = await placet(['idp', 'metadata', ...args]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(message);
  });

  it('says why an address has none, and the way round', async () => {
    const { code, stderr } = await placet(['idp', 'metadata', `${url}/elsewhere`, '--name', 'okta']);
    expect(code).toBe(1);
    expect(stderr).toContain('does not answer with metadata (status 404). Where a browser gets them, save them');
    const closed = await placet(['idp', 'metadata', 'https://localhost:64999/metadata', '--name', 'okta']);
    expect(closed.stderr).toContain('does not answer with metadata (ECONNREFUSED)');
  });

  it('takes the certificate that was named, however it is written', async () => {
    const pin = sha256.toUpperCase().replace(/..(?=.)/g, '$&:');
    const { code, stderr } = await placet(['idp', 'metadata', 'idp/idp.xml', '--name', 'okta', '--certificate', pin]);
    expect(code).toBe(0);
    expect(stderr).not.toContain('nothing proves');
  });
});

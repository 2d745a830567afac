import { readFileSync } from 'node:fs';
import { isLoopbackUrl } from '#outgoing';
import { documentText, parseDocuments } from '#policy';
import { MAX_XML_BYTES, readProviderMetadata, SamlRefused, type ProviderMetadata } from '#saml';
import { CommandError } from '../command-error.js';
import { plain, type Output } from '../output.js';

interface MetadataOptions {
  /** What the Issuer is to be called. */
  readonly name: string;
  /** The entity id of the one that is meant, where there are several. */
  readonly entity: string | undefined;
  /** SHA-256 of the certificates that are expected; none: whichever there are. */
  readonly certificates: readonly string[];
}

/**
 * `idp metadata FILE|URL`: the Issuer that the metadata of a SAML identity provider comes to, for an administrator to look
 * over and save. It is read this once: no service ever fetches it again.
 */
export async function printIssuerOf(output: Output, source: string, options: MetadataOptions): Promise<void> {
  const metadata = parsed(source, await bytesOf(source), options.entity);
  checkPins(metadata, options.certificates);
  const { entityId, url, certificates } = metadata;
  const signIn = { protocol: 'saml', url, certificates: certificates.map(({ pem }) => `${pem}\n`) };
  const text = JSON.stringify({ kind: 'Issuer', name: options.name, issuer: entityId, signIn });
  const { documents, problems } = parseDocuments({ text });
  const [problem] = problems;
  if (problem) throw new CommandError(`${source}: ${problem.path ?? ''}: ${plain(problem.message)}`);
  output.text(documentText(documents[0]!.document));
  for (const { sha256, validUntil } of certificates)
    output.note(`certificate ${sha256}, which says that it is good until ${validUntil}`);
  if (options.certificates.length === 0)
    output.note('nothing proves that this is their metadata: compare the certificates with what the provider shows');
}

function parsed(source: string, xml: Buffer, entity: string | undefined): ProviderMetadata {
  try {
    return readProviderMetadata(xml, entity);
  } catch (error) {
    if (error instanceof SamlRefused) throw new CommandError(`${source}: ${plain(error.message)}.`);
    throw error;
  }
}

/** Every certificate must be one of those that are expected: one too many could sign as well. */
function checkPins({ certificates }: ProviderMetadata, pins: readonly string[]): void {
  const wanted = pins.map((pin) => pin.replaceAll(':', '').toLowerCase());
  const foreign = certificates.find(({ sha256 }) => !wanted.includes(sha256));
  if (pins.length > 0 && foreign) throw new CommandError(`the certificate ${foreign.sha256} is none that you named.`);
}

async function bytesOf(source: string): Promise<Buffer> {
  if (/^https?:\/\//.test(source)) return fetched(source);
  try {
    return readFileSync(source);
  } catch (cause) {
    throw new CommandError(`${source} cannot be read (${(cause as NodeJS.ErrnoException).code}).`, { cause });
  }
}

async function fetched(url: string): Promise<Buffer> {
  if (!URL.canParse(url) || (!url.startsWith('https:') && !isLoopbackUrl(url)))
    throw new CommandError(`${url}: metadata are fetched by https only.`);
  try {
    const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(60_000) });
    if (!response.ok) throw new Error(`status ${response.status}`);
    const bytes = Buffer.from(await response.arrayBuffer());
    // What is larger is refused where it is read.
    return bytes.subarray(0, MAX_XML_BYTES + 1);
  } catch (cause) {
    const why = `${url} does not answer with metadata (${reasonOf(cause)}).`;
    throw new CommandError(`${why} Where a browser gets them, save them as a file and name that.`, { cause });
  }
}

/** `fetch` says why in the cause of its error: the network's or the certificate's code, or that it was sent elsewhere. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as { message: string; cause?: { code?: string; message?: string } };
  return plain(cause?.code ?? cause?.message ?? message);
}

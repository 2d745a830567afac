import { readFileSync } from 'node:fs';
import { faultOfReceipt, RECEIPT_TYPE } from '#consent';
import { SignatureError, verifiedText } from '#identity';
import { isLoopbackUrl } from '#outgoing';
import { CommandError } from '../command-error.js';
import { plain, type Output } from '../output.js';

interface Receipt {
  readonly issuer: string;
  readonly issued_at: string;
  readonly record: { readonly record_id: string; readonly pii_principal_id: string };
  readonly state: { readonly event_state: string };
  readonly pii_processing: { readonly purposes: readonly { readonly service: string }[] };
  readonly answers: readonly { readonly person: string; readonly in_place_of: string | null; readonly at: string }[];
}

/**
 * `receipt verify FILE --keys FILE|URL`: whether one of the keys has signed the receipt of a consent, and what it says. With
 * keys out of a file it asks nobody.
 */
export async function verifyReceipt(output: Output, file: string, keys: string): Promise<void> {
  const set = /^https?:\/\//.test(keys) ? await fetchKeys(keys) : readJson(keys);
  const { text, key } = await verifiedText(read(file).trim(), RECEIPT_TYPE, set).catch((error: unknown) => {
    if (error instanceof SignatureError) throw new CommandError(`${file}: ${error.message}`);
    throw error;
  });
  const receipt = JSON.parse(text) as Receipt;
  const fault = faultOfReceipt(receipt, key);
  if (fault !== undefined) throw new CommandError(`${file}: ${fault}`);
  output.line(`the receipt holds: ${plain(receipt.issuer)} issued it at ${receipt.issued_at}`);
  output.line(`consent ${receipt.record.record_id} of ${plain(receipt.record.pii_principal_id)}`);
  for (const { service } of receipt.pii_processing.purposes) output.line(`  ${plain(service)}`);
  for (const { person, in_place_of: other, at } of receipt.answers)
    output.line(`  ${plain(person)}${other === null ? '' : `, in the place of ${plain(other)},`} agreed at ${at}`);
  output.line(`  at that time it was: ${receipt.state.event_state}`);
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw new CommandError(`${file} cannot be read.`);
  }
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(read(file)) as unknown;
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(
      `${file} is not JSON: it must be a JWK set, as in /t/NAME/oauth/jwks/receipts of the service.`,
    );
  }
}

async function fetchKeys(url: string): Promise<unknown> {
  // Whoever can change the keys on their way can sign receipts.
  if (!URL.canParse(url) || (!url.startsWith('https:') && !isLoopbackUrl(url)))
    throw new CommandError(`${url}: keys are fetched by https only.`);
  try {
    const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(60_000) });
    if (!response.ok) throw new Error(String(response.status));
    return await response.json();
  } catch {
    throw new CommandError(`${url} does not answer with a JWK set.`);
  }
}

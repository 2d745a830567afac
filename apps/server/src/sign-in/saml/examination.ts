import { X509Certificate } from 'node:crypto';
import type { Examined } from '../connector.js';
import { NotGood } from '../test/steps.js';
import type { SamlParts, SamlSettings } from './saml-parts.js';

/** Looks at everything that is known of a SAML identity provider, and of us as it knows us: nobody is asked. */
export async function examineSaml(
  { url, certificates, signed, encrypted }: SamlSettings,
  parts: SamlParts,
  { callback, step, unknown }: Examined,
): Promise<void> {
  const now = parts.now();
  await step('entry_point', () => `browsers are sent to ${url} with a signed request`);
  for (const pem of certificates) await step('certificates', () => certificateText(pem, now));
  const wants = `${signed === 'response' ? 'answers and assertions' : 'assertions'} must be signed, assertions ${encrypted ? 'must' : 'may'} be encrypted`;
  await step('service_provider', () => `entity id ${parts.entityId()}, answers to ${callback}; ${wants}`);
  await step('signing_key', async () => certificateText((await parts.key()).certificate, now));
  unknown('clock', `ours is ${new Date(now).toISOString()}; the provider is not asked for its own before it answers`);
}

/** What a certificate is of. Throws where no signature by its key counts, or where it says that it is over. */
function certificateText(pem: string, now: number): string {
  const certificate = new X509Certificate(pem);
  const { subject, publicKey, validFromDate: from, validToDate: to } = certificate;
  const name = subject.replaceAll('\n', ', ');
  const text = `${name} (SHA-256 ${certificate.fingerprint256.replaceAll(':', '').toLowerCase()}), good until ${to.toISOString()}`;
  if (publicKey.asymmetricKeyType !== 'rsa') throw new NotGood(`${text}: only signatures by RSA are taken`);
  if (now < from.getTime()) throw new NotGood(`${text}: it begins on ${from.toISOString()}`);
  if (now >= to.getTime()) throw new NotGood(`${text}: it is over, and the provider is likely to have another one`);
  return text;
}

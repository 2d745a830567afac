import { NAMESPACES } from './names.js';
import { SamlRefused } from './saml-refused.js';
import { algorithm, child, textOf } from './signature-shape.js';
import type { XmlElement } from './xmldom.js';

const AUTHENTICATED: ReadonlySet<string> = new Set([
  `${NAMESPACES.xenc11}aes128-gcm`,
  `${NAMESPACES.xenc11}aes256-gcm`,
]);

/** Without a tag of its own: only a signature around it says that nobody has changed it. */
const UNAUTHENTICATED: ReadonlySet<string> = new Set([`${NAMESPACES.xenc}aes128-cbc`, `${NAMESPACES.xenc}aes256-cbc`]);

/** The key of the content is encrypted by RSA-OAEP; the older padding gives away what was encrypted by how it fails. */
const KEY_METHOD = `${NAMESPACES.xenc}rsa-oaep-mgf1p`;

/**
 * Throws SamlRefused unless an encrypted assertion is one key and one content, by algorithms that count.
 * @param withinSignature whether it stands in something whose signature holds: then AES-CBC is taken as well
 */
export function checkEncryptionShape(encrypted: XmlElement, withinSignature: boolean): void {
  const data = child(encrypted, 'xenc:EncryptedData');
  const key = child(child(data, 'ds:KeyInfo'), 'xenc:EncryptedKey');
  if (child(child(key, 'ds:KeyInfo'), 'xenc:EncryptedKey')) refuse('a key is encrypted by an encrypted key');
  const content = algorithm(child(data, 'xenc:EncryptionMethod'));
  const isTaken = AUTHENTICATED.has(content) || (withinSignature && UNAUTHENTICATED.has(content));
  if (!isTaken) refuse('the assertion is encrypted by an algorithm that is not taken');
  if (algorithm(child(key, 'xenc:EncryptionMethod')) !== KEY_METHOD)
    refuse('the key of the assertion is encrypted by an algorithm that is not taken');
  for (const part of [data, key])
    if (!textOf(child(child(part, 'xenc:CipherData'), 'xenc:CipherValue')))
      refuse('the encrypted assertion has no content');
}

const refuse = (message: string): never => {
  throw new SamlRefused('shape', message);
};

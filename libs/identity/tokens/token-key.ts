import { decodeProtectedHeader } from 'jose';

/** By which algorithm and key a signed token says that it is signed, to be shown and not to be believed. Throws for what is no token. */
export function saidKeyOf(token: string): { readonly algorithm: string; readonly keyId: string } {
  const { alg = 'none', kid = 'none' } = decodeProtectedHeader(token);
  return { algorithm: alg, keyId: kid };
}

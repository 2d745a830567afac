import { createPublicKey } from 'node:crypto';
import { z } from 'zod';

/** Members of a JWK that are secret (RFC 7518), in whatever type of key. */
const SECRET = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'];

const LEAST_RSA_BITS = 2048;

/** The public keys of a client: of a type that we verify, strong enough, and nothing secret among them. */
export const publicKeySetSchema = z
  .strictObject({
    keys: z
      .array(
        z
          .looseObject({ kty: z.string(), kid: z.string().min(1).max(256).optional(), alg: z.string().optional() })
          .superRefine((key, context) => {
            const problem = problemOf(key);
            if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
          }),
      )
      .min(1)
      .max(10),
  })
  .refine(
    ({ keys }) =>
      keys.length === 1 || (keys.every(({ kid }) => kid) && new Set(keys.map(({ kid }) => kid)).size === keys.length),
    'several keys need a kid each, and no two the same',
  );

function problemOf(key: Readonly<Record<string, unknown>>): string | undefined {
  const secret = SECRET.find((member) => Object.hasOwn(key, member));
  if (secret !== undefined) return `'${secret}' is secret: send the public key only, and make a new one now`;
  if (key.use !== undefined && key.use !== 'sig') return 'the key is not for signatures';
  try {
    const { asymmetricKeyType, asymmetricKeyDetails } = createPublicKey({ key: key, format: 'jwk' });
    if (asymmetricKeyType === 'rsa')
      return (asymmetricKeyDetails?.modulusLength ?? 0) >= LEAST_RSA_BITS
        ? undefined
        : 'an RSA key has at least 2048 bits';
    if (asymmetricKeyType === 'ec' && key.crv === 'P-256') return undefined;
    return asymmetricKeyType === 'ed25519' ? undefined : 'a key is RSA, EC on P-256 or Ed25519';
  } catch {
    return 'not a public key';
  }
}

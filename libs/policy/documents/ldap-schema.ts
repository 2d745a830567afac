import { X509Certificate } from 'node:crypto';
import { z } from 'zod';
import { name, withoutProblem } from './members.js';

/** An attribute by its name (RFC 4512 §2.5, without options: what they would say is ours to ask). */
const attribute = z
  .string()
  .max(128)
  .regex(/^[A-Za-z][A-Za-z0-9-]*$/, 'the name of an attribute, such as sAMAccountName');

/** A distinguished name as a document writes it; whether it names anything, the directory knows. */
const dn = z
  .string()
  .min(3)
  .max(1024)
  .regex(
    /^[^\u0000-\u001f\u007f]*=[^\u0000-\u001f\u007f]*$/,
    'a distinguished name, such as OU=People,DC=corp,DC=example',
  );

const url = z.string().max(512).superRefine(withoutProblem(directoryUrlProblem));

const certificates = z.string().max(100_000).superRefine(withoutProblem(certificatesProblem));

/** Sign-in with a user name and a password that a directory knows (LDAP, RFC 4511; Active Directory). */
export const ldapSignInMembers = {
  protocol: z.literal('ldap'),
  directory: z.enum(['active-directory', 'generic']),
  /** In the order in which they are tried. `ldap:` is never used without StartTLS. */
  urls: z.array(url).min(1).max(10),
  /** Certificates (PEM) of whoever may vouch for the directory; left out: the authorities that Node trusts. */
  ca: certificates.optional(),
  /** Who we are to the directory, with a right to read and none to write: a distinguished name, or user@domain. */
  account: z
    .string()
    .min(3)
    .max(1024)
    .regex(/^[^\u0000-\u001f\u007f]*[=@][^\u0000-\u001f\u007f]*$/, 'a distinguished name, or user@domain'),
  /** The name of a secret among the settings of the service; never the secret. */
  password: name,
  people: z.strictObject({
    base: dn,
    /** What people may type as their user name. Left out: by the directory. */
    login: z.array(attribute).min(1).max(5).optional(),
    objectClass: attribute.optional(),
  }),
  /** Left out: nothing is known of groups. */
  groups: z
    .strictObject({
      base: dn,
      /** The attribute that groups are called by, or `dn`. Left out: by the directory. */
      name: attribute.optional(),
      /** Of groups in a generic directory, what names their members. */
      member: z.enum(['member', 'uniqueMember', 'memberUid']).default('member'),
    })
    .optional(),
  /** Further attributes that become claims. */
  attributes: z.array(attribute).min(1).max(50).optional(),
  /** Who has one of these attributes with one of these values is not let in, and is stopped. */
  inactiveWhen: z
    .array(z.strictObject({ attribute, oneOf: z.array(z.string().min(1).max(256)).min(1).max(100) }))
    .min(1)
    .max(20)
    .optional(),
  /** How old what the directory said may be, in seconds, before nothing rests on it any more. */
  goodForSeconds: z.int().min(5).max(86_400).default(300),
} as const;

/** How people sign in at a directory, as an Issuer document has it. */
export type LdapSignIn = z.output<z.ZodObject<typeof ldapSignInMembers>>;

function directoryUrlProblem(text: string): string | undefined {
  const message =
    'write ldaps://HOST or ldap://HOST (which is used with StartTLS), with a port if need be, and nothing else';
  if (!/^ldaps?:\/\/[^/?#@\s\\]+\/?$/.test(text) || !URL.canParse(text)) return message;
  const { hostname, username, password } = new URL(text);
  return hostname === '' || username !== '' || password !== '' ? message : undefined;
}

function certificatesProblem(text: string): string | undefined {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0)
    return 'certificates in PEM, each from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----';
  try {
    for (const block of blocks) new X509Certificate(block);
    return undefined;
  } catch {
    return 'one of the certificates cannot be read';
  }
}

/** What is wrong with the name of an Issuer that is a directory: any absolute URI, for nothing is looked for there. */
export function directoryNameProblem(text: string): string | undefined {
  return /^[a-z][a-z0-9+.-]*:[\x21-\x7e]+$/i.test(text) && !/[<>"^`{|}\\]/.test(text)
    ? undefined
    : 'write an absolute URI that names the directory, such as ldap://corp.example';
}

/** Members of an Issuer that a directory has no use for, by their names. */
export function* directoryProblems(document: {
  readonly profile: string;
  readonly identity?: unknown;
  readonly groups?: { readonly claim?: string | undefined } | undefined;
}): Generator<[member: string, message: string]> {
  if (document.profile !== 'generic') yield ['profile', 'a directory has no profile: leave this out'];
  if (document.identity)
    yield ['identity', 'people of a directory are known by its objectGUID or entryUUID: leave this out'];
  if (document.groups?.claim !== undefined)
    yield ['groups', 'of a directory the groups are what signIn.groups finds: leave out the claim'];
}

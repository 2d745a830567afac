import { z } from 'zod';
import { returnPath } from '#identity';

/** A path of ours, as it is asked for: anything that could lead elsewhere is refused. */
const returnTo = z
  .string()
  .max(4096)
  .transform((text, context) => {
    const path = returnPath(text);
    if (path !== undefined) return path;
    context.addIssue({ code: 'custom', message: 'must be a path of this service' });
    return z.NEVER;
  })
  .optional();

const tenant = z.string().min(1).max(256);

export const tenantParamsSchema = z.object({ tenant });
export type TenantParams = z.output<typeof tenantParamsSchema>;

export const issuerParamsSchema = z.object({ tenant, issuer: z.string().min(1).max(256) });
export type IssuerParams = z.output<typeof issuerParamsSchema>;

export const chooseQuerySchema = z.object({ return_to: returnTo });
export type ChooseQuery = z.output<typeof chooseQuerySchema>;

export const addressFormSchema = z.object({ email: z.string().max(320), return_to: returnTo });
export type AddressForm = z.output<typeof addressFormSchema>;

/** What somebody has typed. What it may be, the directory's connector says, so that every answer is the same. */
export const passwordFormSchema = z.object({
  token: z.string().max(100).default(''),
  username: z.string().max(1024).default(''),
  password: z.string().max(4096).default(''),
});
export type PasswordForm = z.output<typeof passwordFormSchema>;

/** How a sign-in begins: the words of OpenID Connect for how fresh and how good it must be. */
export const beginQuerySchema = z.object({
  return_to: returnTo,
  max_age: z
    .string()
    .regex(/^\d{1,6}$/, 'must be a number of seconds')
    .transform(Number)
    .optional(),
  acr: z
    .string()
    .max(2048)
    .regex(/^[\x21\x23-\x5b\x5d-\x7e]+( [\x21\x23-\x5b\x5d-\x7e]+){0,19}$/, 'must be words with a space between')
    .transform((text) => text.split(' '))
    .optional(),
});
export type BeginQuery = z.output<typeof beginQuerySchema>;

/** An answer by SAML; `again` where a page of ours brings it. */
export const samlFormSchema = z.object({
  SAMLResponse: z.string().min(1).max(524_288),
  again: z.literal('1').optional(),
});
export type SamlForm = z.output<typeof samlFormSchema>;

/** A test of a sign-in, by the id that stands in the address that its administrator was given. */
export const signInTestSchema = z.object({ id: z.string().max(100) });
export type SignInTestForm = z.output<typeof signInTestSchema>;

export const signOutFormSchema = z.object({ token: z.string().max(100) });
export type SignOutForm = z.output<typeof signOutFormSchema>;

export const logoutFormSchema = z.object({ logout_token: z.string().min(1).max(32_768) });
export type LogoutForm = z.output<typeof logoutFormSchema>;

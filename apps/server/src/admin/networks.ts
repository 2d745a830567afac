import { z } from 'zod';
import { normalNetwork } from '#identity';

/** Networks that a credential is bound to. */
export const networksSchema = z
  .array(
    z
      .string()
      .max(64)
      .refine(
        (text) => normalNetwork(text) !== undefined,
        'an address or a network, such as 10.0.0.0/8 or 2001:db8::/32',
      ),
  )
  .min(1)
  .max(100)
  .meta({ description: 'From where it may be used; anywhere, where there are none.' });

/** Networks in the one way of writing them, each once. */
export const networksOf = (cidrs: readonly string[] | null | undefined): readonly string[] | null =>
  cidrs ? [...new Set(cidrs.map((text) => normalNetwork(text)!))] : null;

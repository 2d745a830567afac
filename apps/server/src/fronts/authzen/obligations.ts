import { OBLIGATIONS, type Json, type Obligation } from '#policy';

/** An obligation by the AuthZEN obligations profile (draft 1). */
export interface ProfileObligation {
  readonly id: string;
  readonly type: string;
  readonly properties: Readonly<Record<string, Json>>;
}

/** What we have that the profile has a type for. */
const OF_PROFILE: readonly string[] = ['notification', 'session_termination', 'step-up'];

/** The types that an answer can carry, as the metadata lists them. */
export const PROFILE_TYPES: readonly string[] = [...OF_PROFILE, 'custom'];

/** Our names for what is `custom` in the profile. */
export const CUSTOM_NAMES: readonly string[] = OBLIGATIONS.filter((type) => !OF_PROFILE.includes(type));

/** Ours in the profile's words; what it has no type for is `custom`, with our name for it. */
export function profileObligations(obligations: readonly Obligation[]): ProfileObligation[] {
  return obligations.map(({ type, ...properties }, index) => {
    const id = `obligation-${index + 1}`;
    if (type === 'step-up') return { id, type, properties: { acr_value: properties.acr! } };
    if (OF_PROFILE.includes(type)) return { id, type, properties };
    return { id, type: 'custom', properties: { name: type, ...properties } };
  });
}

/**
 * What a host says that it supports, by our names. `custom` is all that the profile has no type for, as it speaks of types
 * only; `custom:NAME`, which is ours, is one of these. What we never issue is left out, as the profile wants it.
 */
export function supportedByProfile(names: readonly string[]): readonly string[] {
  return OBLIGATIONS.filter((type) =>
    OF_PROFILE.includes(type) ? names.includes(type) : names.includes('custom') || names.includes(`custom:${type}`),
  );
}

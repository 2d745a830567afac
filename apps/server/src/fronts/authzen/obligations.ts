import type { Json, Obligation } from '#policy';

/** An obligation by the AuthZEN obligations profile (draft 1). */
export interface ProfileObligation {
  readonly id: string;
  readonly type: string;
  readonly properties: Readonly<Record<string, Json>>;
}

/** Ours in the profile's words; what it has no type for is `custom`, with our name for it. */
export function profileObligations(obligations: readonly Obligation[]): ProfileObligation[] {
  return obligations.map(({ type, ...properties }, index) => {
    const id = `obligation-${index + 1}`;
    if (type === 'step-up') return { id, type, properties: { acr_value: properties.acr! } };
    if (type === 'notification') return { id, type, properties };
    return { id, type: 'custom', properties: { name: type, ...properties } };
  });
}

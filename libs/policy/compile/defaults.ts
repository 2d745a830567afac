import type { TenantDocument } from '../documents/schema.js';
import { compileConsent, type CompiledConsent } from './rules.js';
import { compileScope, type CompiledScope } from './scopes.js';

/** What holds where no rule says otherwise. */
export interface TenantDefaults {
  readonly effect: 'deny' | 'ask';
  readonly consent: CompiledConsent | null;
  /** The boundary of hosts that have none of their own; null: nothing is inside. */
  readonly hostScope: CompiledScope | null;
}

/** Those of the Tenant document; without one nothing is allowed. */
export function compileDefaults(tenant: TenantDocument | undefined): TenantDefaults {
  if (!tenant) return NO_DEFAULTS;
  const { effect, consent, hostScope } = tenant.defaults;
  return {
    effect,
    consent: compileConsent(consent),
    hostScope: hostScope ? compileScope('defaults.hostScope', hostScope) : null,
  };
}

const NO_DEFAULTS: TenantDefaults = { effect: 'deny', consent: null, hostScope: null };

import { Refusal } from '#http';
import { isStrongEnough, type AdministratorPrincipal, type StrengthDemand } from '#identity';
import type { Kind, PolicySet } from '#policy';
import type { Operation, Store } from '#store';

/** Documents that say who people are and what they may administer, and what is demanded of those who change them. */
const SENSITIVE: readonly Kind[] = ['Issuer', 'Mapping', 'AdministratorRole', 'AdministratorBinding', 'Tenant'];

/** Looks at how a person has signed in who changes who may do what. Throws as `demandFreshSignIn`. */
export async function demandStepUp(
  store: Store,
  policies: PolicySet,
  principal: AdministratorPrincipal,
  operations: readonly Operation[],
): Promise<void> {
  if (operations.some(isSensitive)) await demandFreshSignIn(store, policies, principal);
}

/** Whether a tenant demands that people have signed in well or freshly for a change. */
export function takesStepUp(policies: PolicySet, operations: readonly Operation[]): boolean {
  const { acr, maxAge } = demandOf(policies);
  return (acr.length > 0 || maxAge !== null) && operations.some(isSensitive);
}

/**
 * Throws Refusal (`step_up_required`) for a person who has not signed in as well or as freshly as their tenant demands
 * (RFC 9470). Keys have not signed in: what they may is limited by their roles.
 */
export async function demandFreshSignIn(
  store: Store,
  policies: PolicySet,
  { via, tenant, subject, assurance }: AdministratorPrincipal,
): Promise<void> {
  if (via === 'key') return;
  const demand = demandOf(policies);
  if (demand.acr.length === 0 && demand.maxAge === null) return;
  if (assurance && isStrongEnough(assurance, demand, store.clock.now())) return;
  const how = {
    ...(demand.acr.length > 0 ? { acr_values: demand.acr.join(' ') } : {}),
    ...(demand.maxAge === null ? {} : { max_age: demand.maxAge }),
  };
  // How a person has signed in is known of a session. Who holds the token of a device need not be who signs in meanwhile.
  if (via === 'token') {
    const detail = 'this takes a session in a browser that was signed in anew, and the sign-in of a device is none';
    throw new Refusal('step_up_required', detail, how);
  }
  throw new Refusal('step_up_required', 'for this you have to sign in anew: go to sign_in_url, then try again', {
    sign_in_url: await signInPath(store, { tenant, subject }, demand),
    ...how,
  });
}

/** Where a person signs in anew, as well and as freshly as is demanded: a path of ours. */
export async function signInPath(
  store: Store,
  { tenant, subject }: Pick<AdministratorPrincipal, 'tenant' | 'subject'>,
  { acr, maxAge }: StrengthDemand,
): Promise<string> {
  const name = (await store.tenantName(tenant)) ?? '';
  const issuer = subject?.id.slice(0, subject.id.indexOf('/')) ?? '';
  const query = new URLSearchParams({
    ...(acr.length > 0 ? { acr: acr.join(' ') } : {}),
    ...(maxAge === null ? {} : { max_age: String(maxAge) }),
  });
  return `/t/${encodeURIComponent(name)}/sign-in/${encodeURIComponent(issuer)}?${query.toString()}`;
}

function demandOf({ documents }: PolicySet): StrengthDemand {
  const [tenant] = documents.all('Tenant');
  const { acr = [], maxAgeSeconds = null } = tenant?.document.administration?.stepUp ?? {};
  return { acr, maxAge: maxAgeSeconds };
}

function isSensitive(operation: Operation): boolean {
  switch (operation.op) {
    case 'put_document':
    case 'delete_document':
      return SENSITIVE.includes(operation.kind);
    case 'approve_draft':
      return operation.kinds.some((kind) => SENSITIVE.includes(kind));
    case 'create_credential':
      return operation.principalKind === 'administrator';
    // Whose it is, is not said here.
    case 'rotate_credential':
    case 'change_credential':
      return true;
    default:
      return false;
  }
}

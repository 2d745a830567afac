import {
  generateApiKey,
  HOST_SCOPES,
  macOf,
  parseApiKey,
  type ApiKey,
  type HostRights,
  type KeyCheck,
} from '#identity';
import { operationWord } from '#mcp';
import { AUTHORED_KINDS, DocumentSet, PolicySet, runTests } from '#policy';
import { commitChange, loadCredential, loadTenant, type Operation, type Store } from '#store';
import { planChange } from './admin/documents/plan.js';
import { quickstartSources } from './quickstart.js';

/** A key given for the first administrator cannot be used. */
export class BootstrapError extends Error {
  override readonly name = 'BootstrapError';
}

/** Keys that were made at the first start, as texts. They are shown or handed on now, or never. */
export interface FirstKeys {
  readonly owner: string | undefined;
  readonly quickstartHost: string | undefined;
}

export interface BootstrapOptions {
  readonly quickstart: boolean;
  /** A key for the owner, made beforehand, instead of one that is shown. */
  readonly bootstrapKey: string | undefined;
}

/** Whoever sets a service up may also make tenants. */
const HOME_OWNER = ['owner', 'operator'];

const QUICKSTART_HOST = 'quickstart';

const QUICKSTART_RIGHTS: HostRights = {
  subjects: ['user:*'],
  subjectProperties: [],
  resourceProperties: [],
  explain: true,
  scopes: [...HOST_SCOPES],
  agents: [],
};

/**
 * Gives a new tenant its first documents and keys, in one change: after a crash in between, the next start finds all of
 * it or none. A bootstrap key is seen to at every start, so that it is also the way back in after the owner's was lost.
 */
export async function bootstrap(
  store: Store,
  tenant: string,
  check: KeyCheck,
  options: BootstrapOptions,
): Promise<FirstKeys> {
  const given = options.bootstrapKey === undefined ? undefined : readBootstrapKey(options.bootstrapKey, check);
  const state = await loadTenant(store, tenant, 0);
  if (state!.revision > 0) {
    if (given) await ensureOwner(store, tenant, given, check);
    return { owner: undefined, quickstartHost: undefined };
  }
  const owner = given ? undefined : generateApiKey(check.environment);
  const host = options.quickstart ? generateApiKey(check.environment) : undefined;
  const operations = [
    ...(options.quickstart ? quickstartDocuments() : []),
    ownerKey(given ?? owner!.key, check, HOME_OWNER),
    ...(host ? [hostKey(host.key, check)] : []),
  ];
  const { outcome } = await commitChange(store, {
    tenant,
    principal: 'system:bootstrap',
    expectedRevision: 0,
    keys: ['*'],
    operations,
  });
  // Another replica that starts at the same moment has done it; its keys are the ones.
  if (outcome !== 'committed') return bootstrap(store, tenant, check, options);
  return { owner: owner?.text, quickstartHost: host?.text };
}

function readBootstrapKey(text: string, { environment }: KeyCheck): ApiKey {
  const key = parseApiKey(text);
  if (!key) throw new BootstrapError('PLACET_BOOTSTRAP_KEY is not a key: make one with npm run placet -- key new');
  if (key.environment === environment) return key;
  throw new BootstrapError(
    `PLACET_BOOTSTRAP_KEY is a key of the environment '${key.environment}', and this one is '${environment}'`,
  );
}

async function ensureOwner(store: Store, tenant: string, key: ApiKey, check: KeyCheck): Promise<void> {
  const mac = macOf(key, check.pepper);
  const { credential: known } = await loadCredential(store, tenant, key.id);
  if (known?.secrets.some((secret) => secret.mac.equals(mac))) return;
  if (known)
    throw new BootstrapError(
      'PLACET_BOOTSTRAP_KEY has the id of another key: make a new one with npm run placet -- key new',
    );
  await commitChange(store, {
    tenant,
    principal: 'system:bootstrap',
    keys: [],
    operations: [ownerKey(key, check, HOME_OWNER)],
  });
}

function quickstartDocuments(): Operation[] {
  const plan = planChange(
    DocumentSet.EMPTY,
    { sources: quickstartSources(), deletions: [], prune: false },
    AUTHORED_KINDS,
  );
  if ('problems' in plan) throw new BootstrapError(`examples/quickstart is not valid: ${plan.problems[0]!.message}`);
  const set = PolicySet.of(plan.documents.map(({ after }) => ({ document: after!, version: 0 })));
  const [failure] = runTests(set, operationWord).failures;
  if (failure) throw new BootstrapError(`examples/quickstart fails the case '${failure.case}': ${failure.message}`);
  return [...plan.operations];
}

/** The key of a tenant's first owner, with the roles of administrators that it is to have. */
export function ownerKey(key: ApiKey, check: KeyCheck, roles: readonly string[]): Operation {
  return credential(key, check, 'administrator', 'owner', { roles });
}

function hostKey(key: ApiKey, check: KeyCheck): Operation {
  return credential(key, check, 'host', QUICKSTART_HOST, QUICKSTART_RIGHTS);
}

function credential(
  key: ApiKey,
  { pepper }: KeyCheck,
  principalKind: 'host' | 'administrator',
  principal: string,
  rights: object,
): Operation {
  return {
    op: 'create_credential',
    id: key.id,
    principalKind,
    principal,
    environment: key.environment,
    rights,
    expiresAt: null,
    mac: macOf(key, pepper).toString('hex'),
  };
}

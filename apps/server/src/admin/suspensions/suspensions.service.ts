import { Injectable } from '@nestjs/common';
import { Refusal } from '#http';
import type { AdministratorPrincipal } from '#identity';
import { documentName, parsePrincipal, touchedKeys, type SuspensionDocument } from '#policy';
import type { Snapshots } from '#snapshot';
import { DocumentReader, type Operation, type Store, type StoredVersion } from '#store';
import type { Changes } from '../changes.js';
import { refuseLastOwners } from '../grants.js';
import { endingOf } from './denials.js';

/**
 * Attempts at suspending a person on the very state that was looked at, who may become an owner at that moment. Then it is
 * done all the same, if it has not: who must be stopped is stopped, however much else changes.
 */
const FENCED_ATTEMPTS = 4;

/** Stops servers, hosts, people and the tenant, and lets them go on. */
@Injectable()
export class SuspensionsService {
  readonly #reader: DocumentReader;

  constructor(
    private readonly store: Store,
    private readonly snapshots: Snapshots,
    private readonly changes: Changes,
  ) {
    this.#reader = new DocumentReader(store);
  }

  /** Suspensions by name, one more than `limit` if there is more. */
  async list(tenant: string, after: string | undefined, limit: number): Promise<StoredVersion[]> {
    const cursor = after === undefined ? undefined : { kind: 'Suspension', name: after };
    return this.#reader.list(tenant, 'Suspension', cursor, limit);
  }

  /**
   * When this returns, nothing that is asked for afterwards is allowed. Again is as good as once. Throws Refusal where nobody
   * would be left who is an owner.
   */
  async suspend(principal: AdministratorPrincipal, suspension: SuspensionDocument): Promise<number> {
    await this.#refuseUnknown(principal.tenant, suspension);
    return this.#make(principal, suspension, () => ({ op: 'put_document', body: suspension }));
  }

  /** Takes a suspension back; Refusal where there is none. */
  async resume(
    principal: AdministratorPrincipal,
    { of, name }: Pick<SuspensionDocument, 'of' | 'name'>,
  ): Promise<number> {
    const suspension: SuspensionDocument = { kind: 'Suspension', of, name };
    return this.#make(principal, suspension, (isSuspended) => {
      if (!isSuspended) throw new Refusal('not_found', `the ${of} '${name}' is not suspended`);
      return { op: 'delete_document' };
    });
  }

  async #make(
    principal: AdministratorPrincipal,
    suspension: SuspensionDocument,
    operation: (
      isSuspended: boolean,
    ) => { readonly op: 'put_document'; readonly body: SuspensionDocument } | { readonly op: 'delete_document' },
  ): Promise<number> {
    const name = documentName(suspension);
    let attempts = 0;
    return this.changes.make(principal, async () => {
      const snapshot = await this.snapshots.of(principal.tenant);
      const { policies, revision } = snapshot;
      const now = this.store.clock.now();
      const isSuspended = policies.documents.find('Suspension', name) !== undefined;
      const write: Operation = { kind: 'Suspension', name, ...operation(isSuspended) };
      const isEnd = write.op === 'put_document' && suspension.of === 'Subject';
      const endsOwner = isEnd && refuseLastOwners(snapshot, suspension, now);
      return {
        ...(endsOwner || (isEnd && attempts++ < FENCED_ATTEMPTS) ? { expectedRevision: revision } : {}),
        keys: touchedKeys(suspension, undefined),
        // Who goes on later signs in anew: what was given out before is over.
        operations: isEnd ? [write, ...endingOf(suspension.name, policies, now)] : [write],
        ...(suspension.reason === undefined ? {} : { about: { message: suspension.reason } }),
      };
    });
  }

  /** A mistyped name would stop nobody, and nobody would notice. People need not be stored. */
  async #refuseUnknown(tenant: string, { of, name }: SuspensionDocument): Promise<void> {
    const { policies } = await this.snapshots.of(tenant);
    if (of === 'Tenant' && name !== 'default') throw new Refusal('not_found', `the tenant is called 'default'`);
    if ((of === 'Server' || of === 'Host') && !policies.documents.find(of, name)) {
      throw new Refusal('not_found', `there is no ${of} named '${name}'`);
    }
    if (of === 'Subject' && parsePrincipal(name)?.kind !== 'subject') {
      throw new Refusal('invalid_request', 'name: a subject is named by its type and id, as in user:ann');
    }
  }
}

import { Refusal } from '#http';
import type { ConnectorPrincipal } from '#identity';
import type { IssuerDocument, PolicySet, TouchKey } from '#policy';
import { ScimError } from '#scim';
import type { Snapshots } from '#snapshot';
import type { RightsProof } from '#store';
import type { ChangeRates } from '../admin/change-rates.js';
import type { Changes, PlannedChange } from '../admin/changes.js';
import type { Log } from '../operations/log.js';

/** The state that a change of a connector is planned on, and the epoch that it has at least. */
export interface ProvisioningState {
  readonly issuer: ProvisionedIssuer;
  readonly policies: PolicySet;
  readonly epoch: number;
}

/** An Issuer whose people a connector provisions. */
export type ProvisionedIssuer = IssuerDocument & { readonly provisioning: NonNullable<IssuerDocument['provisioning']> };

/** People whose groups one change may concern by their names; a change that concerns more concerns everybody. */
const MOST_TOUCHED = 2000;

/**
 * Attempts at a change on all that is known of the people whom it touches. Then it is made all the same: whoever leaves is
 * stopped, however much else changes, and cannot hold that up by changes of their own.
 */
const FENCED_ATTEMPTS = 4;

/** No change is younger. */
const WHATEVER_CAME: RightsProof = { epoch: Number.MAX_SAFE_INTEGER, keys: [] };

/** The subject that a user is, by what tokens of the Issuer call them. */
export const subjectOfUser = ({ subjectType, name }: IssuerDocument, identity: string): string =>
  `${subjectType}:${name}/${identity}`;

/** What a change touches that concerns some users. */
export function keysOfUsers(issuer: IssuerDocument, identities: Iterable<string | null>): readonly TouchKey[] {
  const named = [...new Set(identities)].filter((identity) => identity !== null);
  if (named.length > MOST_TOUCHED) return ['*'];
  return named.map((identity): TouchKey => `subject:${subjectOfUser(issuer, identity)}`);
}

/** Makes the changes of connectors, and says what of theirs is not kept. */
export class Provisioning {
  constructor(
    private readonly snapshots: Snapshots,
    private readonly changes: Changes,
    private readonly rates: ChangeRates,
    private readonly log: Log,
  ) {}

  /**
   * Plans a change on the newest state and makes it, as often as it takes, under one revision. Undefined from `plan` means
   * that there is nothing to do. Throws what `plan` throws, and ScimError (`uniqueness`).
   *
   * INVARIANT: what is known of the people whom a change touches, such as by what other names they go, is as new as the commit: what
   * touched one of them since is planned with, as long as others do not keep coming first.
   * @param taken what to say where there is another one like it
   */
  async make(
    connector: ConnectorPrincipal,
    taken: string,
    plan: (state: ProvisioningState) => Promise<PlannedChange | undefined>,
  ): Promise<void> {
    this.rates.take({ ...connector, subject: null });
    try {
      let attempts = 0;
      await this.changes.make(connector, async () => {
        const state = await this.#state(connector);
        const change = await plan(state);
        const isFenced = attempts++ < FENCED_ATTEMPTS;
        return change && { ...change, restsOn: isFenced ? { epoch: state.epoch, keys: change.keys } : WHATEVER_CAME };
      });
    } catch (error) {
      if (error instanceof Refusal && error.code === 'already_exists') throw new ScimError('uniqueness', taken);
      throw error;
    }
  }

  /** Takes note of what a request says that is not kept: one line, with the names and never the values. */
  dropping({ issuer }: ConnectorPrincipal): { readonly note: (name: string) => void; readonly say: () => void } {
    const names = new Set<string>();
    return {
      note: (name) => void (names.size < 20 && names.add(name.replaceAll(/\[.*\]/g, '[…]').slice(0, 100))),
      say: () => {
        if (names.size > 0) this.log.info('attributes that SCIM sent are not kept', { issuer, names: [...names] });
      },
    };
  }

  async #state({ tenant, issuer: name }: ConnectorPrincipal): Promise<ProvisioningState> {
    // A snapshot moves on: its policies may be newer than the epoch, and never older.
    const { policies, epoch } = await this.snapshots.of(tenant);
    const issuer = policies.documents.find('Issuer', name)?.document;
    if (!issuer?.provisioning) throw new Refusal('forbidden', `the Issuer '${name}' is not provisioned any more`);
    return { issuer: issuer as ProvisionedIssuer, policies, epoch };
  }
}

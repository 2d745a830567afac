import {
  groupsOfPerson,
  identityOf,
  mapClaims,
  unmetRequirement,
  type IssuerDocument,
  type JsonObject,
  type Mapped,
  type PolicySet,
  type TokenGroups,
} from '#policy';
import type { TryAnswerBody } from './wire.js';

/** What the Mappings make of claims of an Issuer. */
export interface Outcome {
  readonly identity: { readonly type: string; readonly id: string } | null;
  /** The pointer of a claim that the Issuer requires otherwise. */
  readonly unmet: string | null;
  readonly groups: TokenGroups | null;
  readonly mapped: Mapped;
}

/** What claims of an Issuer come to. Nothing is authorised by it. */
export function whatComesOf(
  { documents, provisioned }: Pick<PolicySet, 'documents' | 'provisioned'>,
  issuer: IssuerDocument,
  claims: JsonObject,
): Outcome {
  const groups = groupsOfPerson({ provisioned }, issuer, claims);
  return {
    identity: identityOf(issuer, claims) ?? null,
    unmet: unmetRequirement(issuer, claims) ?? null,
    groups,
    mapped: mapClaims(documents.all('Mapping'), issuer, claims, groups),
  };
}

/** The same, as an answer says it. */
export function outcomeBody({ identity, unmet, groups, mapped }: Outcome): Partial<TryAnswerBody> {
  const { fired, roles, administration, properties, unsure } = mapped;
  return {
    subject: identity,
    ...(unmet === null ? {} : { unmet }),
    groups: groups && { names: [...groups.names], complete: groups.complete },
    rules: fired.map(({ because, stoppedBy, ...rule }) => ({
      ...rule,
      because: [...because],
      ...(stoppedBy ? { stopped_by: stoppedBy } : {}),
    })),
    roles: { held: [...roles.held], possible: [...roles.possible] },
    administration: [...administration.held],
    properties: { ...properties },
    unsure: [...unsure],
  };
}

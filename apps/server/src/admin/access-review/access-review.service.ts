import { Injectable } from '@nestjs/common';
import { Refusal } from '#http';
import { principalName, type AdministratorPrincipal } from '#identity';
import { groupsOfPerson, mapClaims, parsePrincipal, PolicySet, unmetRequirement } from '#policy';
import {
  OperationRefused,
  reviewAccess,
  type AccessGrant,
  type ReviewedIdentity,
  type ReviewedPerson,
  type Store,
} from '#store';
import type { Standing } from '../changes.js';
import { csvLine } from './csv.js';
import type { ReviewFormat } from './wire.js';

/** Attempts of somebody whose rights rest on what others keep changing. */
const ATTEMPTS = 5;

/** Reviews that this replica has under way at once, of all tenants together: each holds a connection of its own. */
const AT_ONCE = 4;

/** Who has been given what, since when, and when it was used last. */
@Injectable()
export class AccessReviewService {
  readonly #underWay = new Set<string>();

  constructor(
    private readonly store: Store,
    private readonly standing: Standing,
  ) {}

  /**
   * Everything that anybody has been given in a tenant, as lines. Throws Refusal before the first line: while another review
   * of the tenant is read, and where the caller may not any more.
   */
  async lines(principal: AdministratorPrincipal, format: ReviewFormat): Promise<AsyncGenerator<string>> {
    const { tenant } = principal;
    if (this.#underWay.has(tenant) || this.#underWay.size >= AT_ONCE) {
      throw new Refusal('too_many_changes', 'another review is being read: ask again when it has ended');
    }
    this.#underWay.add(tenant);
    const end = () => void this.#underWay.delete(tenant);
    try {
      const grants = await this.#begun(principal);
      return (format === 'csv' ? asCsv : asJson)(grants, end);
    } catch (error) {
      end();
      throw error;
    }
  }

  /** What was begun on the word of the database that the caller stands. */
  async #begun(principal: AdministratorPrincipal): Promise<AsyncGenerator<AccessGrant>> {
    let standing = principal;
    for (let attempt = 1; ; attempt++) {
      const grants = grantsOf(this.store, standing);
      try {
        const first = await grants.next();
        return resumed(first, grants);
      } catch (error) {
        if (!(error instanceof OperationRefused)) throw error;
        if (error.why !== 'rights') throw new Refusal('forbidden', 'the credential was disabled or expired meanwhile');
        if (attempt === ATTEMPTS) {
          throw new Refusal(
            'too_many_changes',
            'others keep changing what the rights of the caller rest on: try again',
          );
        }
        standing = await this.standing.again(standing);
      }
    }
  }
}

async function* grantsOf(store: Store, principal: AdministratorPrincipal): AsyncGenerator<AccessGrant> {
  let identity: ReviewedIdentity | undefined;
  let set: PolicySet | undefined;
  const by = { principal: principalName(principal), proof: principal.proof };
  for await (const row of reviewAccess(store, principal.tenant, by, (told) => (identity = told))) {
    if ('grant' in row) yield row.grant;
    else yield* mappedGrants((set ??= PolicySet.of(identity!.issuers)), identity!, row.person);
  }
}

/**
 * What the Mappings make of what was said of somebody at their last sign-in, as far as it is certain, and of the groups that are
 * provisioned where these count. Whom the connector of their Issuer does not let in has nothing by that any more.
 */
function* mappedGrants(
  set: PolicySet,
  { mappings }: ReviewedIdentity,
  { id, issuer: name, claims, lastAt, provisioned }: ReviewedPerson,
): Generator<AccessGrant> {
  const issuer = set.documents.find('Issuer', name)?.document;
  const named = parsePrincipal(id);
  if (!issuer || named?.kind !== 'subject' || unmetRequirement(issuer, claims) !== undefined) return;
  if (provisioned) set.provision([provisioned]);
  if (set.keepsOut([named])) return;
  const mapped = mapClaims(mappings, issuer, claims, groupsOfPerson(set, issuer, claims));
  const given = { who: id, since: null, grantedBy: null, expires: null, lastUsed: lastAt };
  for (const { role, mapping, rule, possible } of mapped.roles.ways)
    if (!possible) yield { ...given, kind: 'mapping', what: role, by: `${mapping}/${rule}` };
  for (const role of mapped.administration.held)
    yield { ...given, kind: 'administrator_mapping', what: role, by: name };
}

async function* resumed<T>(first: IteratorResult<T, void>, rest: AsyncGenerator<T>): AsyncGenerator<T> {
  try {
    if (!first.done) yield first.value;
    yield* rest;
  } finally {
    await rest.return(undefined);
  }
}

const COLUMNS = ['kind', 'who', 'what', 'by', 'since', 'granted_by', 'expires', 'last_used'] as const;

const bodyOf = ({ grantedBy, lastUsed, ...grant }: AccessGrant): Record<(typeof COLUMNS)[number], string | null> => ({
  ...grant,
  granted_by: grantedBy,
  last_used: lastUsed,
});

/** The last line says how many there were before it: without it the review is not whole. */
async function* asJson(grants: AsyncGenerator<AccessGrant>, end: () => void): AsyncGenerator<string> {
  try {
    let rows = 0;
    for await (const grant of grants) {
      rows++;
      yield `${JSON.stringify(bodyOf(grant))}\n`;
    }
    yield `${JSON.stringify({ end: { rows } })}\n`;
  } finally {
    end();
  }
}

async function* asCsv(grants: AsyncGenerator<AccessGrant>, end: () => void): AsyncGenerator<string> {
  try {
    yield csvLine(COLUMNS);
    for await (const grant of grants) {
      const body = bodyOf(grant);
      yield csvLine(COLUMNS.map((column) => body[column] ?? ''));
    }
  } finally {
    end();
  }
}

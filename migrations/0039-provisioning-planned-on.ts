import type { MigrationInterface, QueryRunner } from 'typeorm';
import { replaced } from './replaced.js';

/**
 * A connector's change is made on what it was planned with: whom a Subject document has linked meanwhile, under whose other
 * names somebody has sessions and tokens as well, is planned with first. And an Issuer's users can be told by another attribute,
 * whoever has had the value before.
 */
export class ProvisioningPlannedOn0039 implements MigrationInterface {
  readonly name = 'ProvisioningPlannedOn1795132800039';

  async up(runner: QueryRunner): Promise<void> {
    for (const { of, before, after } of PATCHES) await runner.query(replaced(of, before, after));
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const { of, before, after } of PATCHES) await runner.query(replaced(of, after, before));
  }
}

/** After it the proof is looked at, as with everybody but the service. */
const STANDS = {
  of: 'principal_stands',
  before: `            return case when exists (
              select from placet.credential c
                join placet.document d on d.tenant = c.tenant and d.kind = 'Issuer' and d.name = c.issuer
              where c.tenant = wanted and c.id = of_id and c.kind = 'scim' and c.disabled_at is null
                and (c.expires_at is null or c.expires_at > clock_timestamp())
                and d.body #> '{provisioning,scim}' = 'true'
            ) then 'stands' else 'principal' end;`,
  after: `            is_live := exists (
              select from placet.credential c
                join placet.document d on d.tenant = c.tenant and d.kind = 'Issuer' and d.name = c.issuer
              where c.tenant = wanted and c.id = of_id and c.kind = 'scim' and c.disabled_at is null
                and (c.expires_at is null or c.expires_at > clock_timestamp())
                and d.body #> '{provisioning,scim}' = 'true'
            );`,
};

/** In two steps: one user may come to be called what another one was. */
const FOLLOWS = {
  of: 'scim_follow_issuer',
  before: `begin
  update placet.scim_user u
    set identity = placet.scim_identity(`,
  after: `begin
  update placet.scim_user u set identity = null, revision = new.revision
    where u.tenant = new.tenant and u.issuer = new.name and u.expires_at is null and u.identity is not null;
  update placet.scim_user u
    set identity = placet.scim_identity(`,
};

/** The change that it is part of has been looked at: what it rests on is older than itself. What is not done is not passed over. */
const ENDS = {
  of: 'end_consents_of',
  before: `    perform placet.revoke_consents(wanted, by_principal, null, by_principal,
      jsonb_build_object('mine', jsonb_build_object('names', persons, 'person', person)), 'deprovisioned');`,
  after: `    if (
      select r.outcome from placet.revoke_consents(wanted, by_principal, '{"epoch": 9223372036854775807, "keys": []}', by_principal,
        jsonb_build_object('mine', jsonb_build_object('names', persons, 'person', person)), 'deprovisioned') r
    ) is distinct from 'revoked' then
      raise exception 'placet: what somebody who leaves has agreed to was not ended';
    end if;`,
};

const PATCHES = [STANDS, FOLLOWS, ENDS] as const;

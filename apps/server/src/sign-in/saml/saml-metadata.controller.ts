import { Controller, Get, Param, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Response } from 'express';
import { Refusal } from '#http';
import { serviceMetadata } from '#saml';
import type { Snapshots } from '#snapshot';
import type { PublicAddress } from '../../http/public-address.js';
import { Public } from '../../http/rights.js';
import type { NamedTenant } from '../connectors.js';
import { Doorway } from '../doorway.js';
import { issuerParamsSchema, type IssuerParams } from '../wire.js';
import { callbackOf, entityIdOf } from './places.js';
import { asksPersistentName } from './saml-connector.js';
import type { SamlKeys } from './saml-keys.js';

/** What we tell identity providers of ourselves. */
export class ServiceMetadataOf {
  constructor(
    private readonly snapshots: Pick<Snapshots, 'of'>,
    private readonly keys: Pick<SamlKeys, 'certificates'>,
    private readonly address: PublicAddress,
  ) {}

  /** Our metadata for one Issuer of SAML; undefined: there is none of that name. */
  async xml(tenant: NamedTenant, name: string): Promise<string | undefined> {
    const { policies } = await this.snapshots.of(tenant.id);
    const issuer = policies.documents.find('Issuer', name)?.document;
    if (issuer?.signIn?.protocol !== 'saml') return undefined;
    const [current, next] = await this.keys.certificates(tenant.id);
    return serviceMetadata({
      entityId: entityIdOf(this.address, tenant.name, name),
      recipient: callbackOf(this.address, tenant.name, name),
      signing: [current, next],
      encryption: current,
      persistentName: asksPersistentName(issuer),
    });
  }
}

/** Our metadata as a SAML service provider: nothing in it is a secret. */
@Controller('t/:tenant/saml')
@ApiExcludeController()
@Public()
export class SamlMetadataController {
  constructor(
    private readonly doorway: Doorway,
    private readonly metadata: ServiceMetadataOf,
  ) {}

  @Get(':issuer/metadata')
  async get(
    @Param({ schema: issuerParamsSchema }) { tenant, issuer }: IssuerParams,
    @Res() response: Response,
  ): Promise<void> {
    const xml = await this.metadata.xml(await this.doorway.tenant(tenant), issuer);
    if (xml === undefined) throw new Refusal('not_found', 'there is no SAML identity provider of that name');
    response.status(200).type('application/samlmetadata+xml').send(xml);
  }
}

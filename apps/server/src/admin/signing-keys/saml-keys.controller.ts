import { Controller, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiCreatedResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import type { AdministratorPrincipal } from '#identity';
import { Caller } from '../../http/nest.js';
import { Requires } from '../../http/rights.js';
import { SamlKeys } from '../../sign-in/saml/saml-keys.js';

const rotatedSchema = z
  .object({
    certificates: z
      .array(z.string())
      .meta({ description: 'PEM: of the key that signs from now on, and of the one that will be next.' }),
  })
  .meta({ id: 'RotatedSamlKeys' });

/** The keys of a tenant as a SAML service provider. */
@Controller('api/v1/saml-keys')
@ApiTags('clients')
@ApiBearerAuth()
export class SamlKeysController {
  constructor(private readonly keys: SamlKeys) {}

  @Post('rotate')
  @Requires('rotate', 'Client')
  @ApiOperation({
    summary: 'Sign SAML requests with the key that was to be next; assertions for the old one are read for 30 days',
  })
  @ApiCreatedResponse({ standardSchema: rotatedSchema })
  async rotate(@Caller() principal: AdministratorPrincipal): Promise<z.output<typeof rotatedSchema>> {
    return { certificates: [...(await this.keys.rotate(principal))] };
  }
}

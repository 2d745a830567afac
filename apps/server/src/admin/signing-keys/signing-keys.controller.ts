import { Controller, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiCreatedResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import type { AdministratorPrincipal } from '#identity';
import { Caller } from '../../http/nest.js';
import { Requires } from '../../http/rights.js';
import { SigningKeys } from '../../oauth/signing-keys.js';

const rotatedSchema = z
  .object({ keys: z.array(z.string()).meta({ description: 'The ids (kid) of the new keys.' }) })
  .meta({ id: 'RotatedSigningKeys' });

/** The keys with which the service signs for a tenant. */
@Controller('api/v1/signing-keys')
@ApiTags('clients')
@ApiBearerAuth()
export class SigningKeysController {
  constructor(private readonly keys: SigningKeys) {}

  @Post('rotate')
  @Requires('rotate', 'Client')
  @ApiOperation({ summary: 'Sign with new keys; the public parts of the old ones stay published for a day' })
  @ApiCreatedResponse({ standardSchema: rotatedSchema })
  async rotate(@Caller() principal: AdministratorPrincipal): Promise<z.output<typeof rotatedSchema>> {
    return { keys: await this.keys.rotate(principal) };
  }
}

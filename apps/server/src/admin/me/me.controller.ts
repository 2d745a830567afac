import { Controller, Get } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import type { Principal } from '#identity';
import { Caller, Requires } from '../../http/nest.js';

const principalSchema = z
  .object({
    host: z.string().optional(),
    administrator: z.string().optional(),
    tenant: z.string(),
    key: z.string(),
    rights: z.looseObject({}),
    expires_at: z.string().nullable(),
  })
  .meta({ id: 'Principal' });

/** Who am I. */
@Controller('api/v1/me')
@ApiTags('keys')
@ApiBearerAuth()
export class MeController {
  @Get()
  @Requires('any-key')
  @ApiOperation({ summary: 'Whose key the call carries, and what it may do' })
  @ApiOkResponse({ standardSchema: principalSchema })
  get(@Caller() principal: Principal): z.output<typeof principalSchema> {
    return {
      ...(principal.kind === 'host' ? { host: principal.host } : { administrator: principal.name }),
      tenant: principal.tenant,
      key: principal.credential,
      rights: { ...principal.rights },
      expires_at: principal.validUntil === null ? null : new Date(principal.validUntil).toISOString(),
    };
  }
}

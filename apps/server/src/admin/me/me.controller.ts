import { Controller, Get } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { packed, type Principal } from '#identity';
import { Caller } from '../../http/nest.js';
import { AnyCaller } from '../../http/rights.js';

const principalSchema = z
  .object({
    host: z.string().optional(),
    administrator: z.string().optional(),
    tenant: z.string(),
    key: z.string(),
    rights: z.looseObject({}).meta({ description: 'Of a host: what it may assert. Of an administrator: its roles.' }),
    capabilities: z
      .array(z.array(z.unknown()))
      .optional()
      .meta({ description: 'What an administrator may do, for unpackRules of @casl/ability.' }),
    cidrs: z
      .array(z.string())
      .nullable()
      .meta({ description: 'From where the key may be used; null: from anywhere, or it is no key.' }),
    expires_at: z.string().nullable(),
  })
  .meta({ id: 'Principal' });

/** Who am I. */
@Controller('api/v1/me')
@ApiTags('keys')
@ApiBearerAuth()
export class MeController {
  @Get()
  @AnyCaller()
  @ApiOperation({ summary: 'Whose key the call carries, and what it may do' })
  @ApiOkResponse({ standardSchema: principalSchema })
  get(@Caller() principal: Principal): z.output<typeof principalSchema> {
    return {
      ...(principal.kind === 'host'
        ? { host: principal.host, rights: { ...principal.rights } }
        : {
            administrator: principal.name,
            rights: { roles: principal.roles },
            capabilities: packed(principal.ability),
          }),
      tenant: principal.tenant,
      key: principal.credential,
      cidrs: principal.cidrs === undefined ? null : [...principal.cidrs],
      expires_at: principal.validUntil === null ? null : new Date(principal.validUntil).toISOString(),
    };
  }
}

import { Body, Controller, Delete, Get, Param, Put, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { may, SUSPENDABLE_OBJECTS, type AdministratorPrincipal } from '#identity';
import type { SuspensionDocument } from '#policy';
import type { StoredVersion } from '#store';
import { Caller } from '../../http/nest.js';
import { permit, Requires } from '../../http/rights.js';
import { cursorOf, pageOf, type Page } from '../paging.js';
import { SuspensionsService } from './suspensions.service.js';
import {
  suspensionChangeSchema,
  suspensionPageSchema,
  suspensionParamsSchema,
  suspensionReasonSchema,
  suspensionsQuerySchema,
  type SuspensionBody,
  type SuspensionChangeBody,
  type SuspensionParams,
  type SuspensionReasonBody,
  type SuspensionsQuery,
} from './wire.js';

/** Stops what must not go on, in one call, whatever the policies say. */
@Controller('api/v1/suspensions')
@ApiTags('suspensions')
@ApiBearerAuth()
export class SuspensionsController {
  constructor(private readonly suspensions: SuspensionsService) {}

  @Get()
  @Requires('read', 'Suspension', { each: true })
  @ApiOperation({ summary: 'What is suspended, as far as the caller may read it' })
  @ApiOkResponse({ standardSchema: suspensionPageSchema })
  async list(
    @Caller() { tenant, ability }: AdministratorPrincipal,
    @Query({ schema: suspensionsQuerySchema }) { page_size, page_token }: SuspensionsQuery,
  ): Promise<Page<SuspensionBody>> {
    const rows = await this.suspensions.list(tenant, cursorOf(page_token, z.string()), page_size);
    const page = pageOf(rows, page_size, suspensionBody, (last) => last.name);
    return { ...page, items: page.items.filter(({ of, name }) => may(ability, 'read', 'Suspension', `${of}:${name}`)) };
  }

  @Put(':of/:name')
  @Requires('suspend', SUSPENDABLE_OBJECTS, { each: true })
  @ApiOperation({ summary: 'Suspend a server, a host, a subject or the tenant, at once and on every replica' })
  @ApiOkResponse({ standardSchema: suspensionChangeSchema })
  async suspend(
    @Caller() principal: AdministratorPrincipal,
    @Param({ schema: suspensionParamsSchema }) { of, name }: SuspensionParams,
    @Body({ schema: suspensionReasonSchema }) { reason }: SuspensionReasonBody,
  ): Promise<SuspensionChangeBody> {
    permit(principal, 'suspend', of, name);
    const why = reason === undefined ? {} : { reason };
    return { revision: await this.suspensions.suspend(principal, { kind: 'Suspension', of, name, ...why }) };
  }

  @Delete(':of/:name')
  @Requires('suspend', SUSPENDABLE_OBJECTS, { each: true })
  @ApiOperation({ summary: 'Take a suspension back' })
  @ApiOkResponse({ standardSchema: suspensionChangeSchema })
  async resume(
    @Caller() principal: AdministratorPrincipal,
    @Param({ schema: suspensionParamsSchema }) params: SuspensionParams,
  ): Promise<SuspensionChangeBody> {
    permit(principal, 'suspend', params.of, params.name);
    return { revision: await this.suspensions.resume(principal, params) };
  }
}

function suspensionBody({ body, revision }: StoredVersion): SuspensionBody {
  const { of, name, reason } = body as SuspensionDocument;
  return { of, name, ...(reason === undefined ? {} : { reason }), revision };
}

import { Controller, Delete, Get, Header, Param, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import { Consents } from '#consent';
import type { AdministratorPrincipal } from '#identity';
import { Caller } from '../../http/nest.js';
import { Requires } from '../../http/rights.js';
import { pageOf, type Page } from '../paging.js';
import {
  consentBody,
  consentDetailBody,
  consentDetailSchema,
  consentPageSchema,
  consentParamsSchema,
  consentsQuerySchema,
  liveOf,
  reasonSchema,
  revocationSchema,
  revokedSchema,
  type ConsentBody,
  type ConsentDetailBody,
  type ConsentParams,
  type ConsentsQuery,
  type Reason,
  type Revocation,
  type RevokedBody,
} from './consents-wire.js';
import { given, placeAfter, placeOf } from './own-consents.controller.js';
import { RECEIPT_DISPOSITION, RECEIPT_MEDIA_TYPE, Receipts } from './receipts.js';

/** What people of the tenant have agreed to, for administrators. */
@Controller('api/v1/consents')
@ApiTags('consent')
@ApiBearerAuth()
export class ConsentsController {
  constructor(
    private readonly consents: Consents,
    private readonly receipts: Receipts,
  ) {}

  @Get()
  @Requires('read', 'Consent')
  @ApiOperation({ summary: 'What people have agreed to, the newest first' })
  @ApiOkResponse({ standardSchema: consentPageSchema })
  async list(
    @Caller() principal: AdministratorPrincipal,
    @Query({ schema: consentsQuerySchema }) { page_size, page_token, live, ...which }: ConsentsQuery,
  ): Promise<Page<ConsentBody>> {
    const rows = await this.consents.list(principal, { ...which, live: liveOf(live) }, placeOf(page_token), page_size);
    return pageOf(rows, page_size, consentBody, placeAfter);
  }

  @Delete()
  @Requires('delete', 'Consent')
  @ApiOperation({ summary: 'Revoke all of one person, for one application, or for one server' })
  @ApiOkResponse({ standardSchema: revokedSchema })
  async revokeAll(
    @Caller() principal: AdministratorPrincipal,
    @Query({ schema: revocationSchema }) { reason, ...which }: Revocation,
  ): Promise<RevokedBody> {
    return { revoked: await this.consents.revoke(principal, given(which), reason) };
  }

  @Get(':id')
  @Requires('read', 'Consent')
  @ApiOperation({ summary: 'One consent, who agreed to it, and what has become of it' })
  @ApiOkResponse({ standardSchema: consentDetailSchema })
  async get(
    @Caller() principal: AdministratorPrincipal,
    @Param({ schema: consentParamsSchema }) { id }: ConsentParams,
  ): Promise<ConsentDetailBody> {
    return consentDetailBody(await this.consents.find(principal, id));
  }

  @Delete(':id')
  @Requires('delete', 'Consent')
  @ApiOperation({ summary: 'Revoke one' })
  @ApiOkResponse({ standardSchema: revokedSchema })
  async revoke(
    @Caller() principal: AdministratorPrincipal,
    @Param({ schema: consentParamsSchema }) { id }: ConsentParams,
    @Query({ schema: reasonSchema }) { reason }: Reason,
  ): Promise<RevokedBody> {
    return { revoked: await this.consents.revoke(principal, { id }, reason) };
  }

  @Get(':id/receipt')
  @Requires('read', 'Consent')
  @Header('Content-Type', RECEIPT_MEDIA_TYPE)
  @Header('Content-Disposition', RECEIPT_DISPOSITION)
  @Header('Cache-Control', 'no-store')
  @ApiProduces(RECEIPT_MEDIA_TYPE)
  @ApiOperation({ summary: 'A signed receipt of one, as it is now' })
  @ApiOkResponse({ description: 'A compact JWS.', schema: { type: 'string' } })
  async receipt(
    @Caller() principal: AdministratorPrincipal,
    @Param({ schema: consentParamsSchema }) { id }: ConsentParams,
  ): Promise<string> {
    return this.receipts.issue(principal.tenant, await this.consents.find(principal, id));
  }
}

import { Controller, Delete, Get, Header, Param, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Consents } from '#consent';
import type { Principal } from '#identity';
import type { ConsentListing } from '#store';
import { Caller } from '../../http/nest.js';
import { AnyCaller } from '../../http/rights.js';
import { cursorOf, pageOf, type Page } from '../paging.js';
import {
  consentBody,
  consentDetailBody,
  consentDetailSchema,
  consentPageSchema,
  consentParamsSchema,
  liveOf,
  ownConsentsQuerySchema,
  ownRevocationSchema,
  revokedSchema,
  type ConsentBody,
  type ConsentDetailBody,
  type ConsentParams,
  type OwnConsentsQuery,
  type OwnRevocation,
  type RevokedBody,
} from './consents-wire.js';
import { peopleOnly } from './people-only.js';
import { RECEIPT_DISPOSITION, RECEIPT_MEDIA_TYPE, Receipts } from './receipts.js';

const cursor = z.tuple([z.iso.datetime({ offset: true }), z.string()]);

/** Where a listing of consents goes on. */
export function placeOf(token: string | undefined): { readonly place: string; readonly id: string } | undefined {
  const from = cursorOf(token, cursor);
  return from && { place: from[0], id: from[1] };
}

/** The place of a consent in a listing. */
export const placeAfter = ({ place, id }: ConsentListing): unknown => [place, id];

/** What I have agreed to, and what is about me, on every host; and taking it back, which is as easy as giving it. */
@Controller('api/v1/me/consents')
@ApiTags('consent')
@ApiBearerAuth()
@AnyCaller()
export class OwnConsentsController {
  constructor(
    private readonly consents: Consents,
    private readonly receipts: Receipts,
  ) {}

  @Get()
  @ApiOperation({ summary: 'Everything that I agreed to, or that is about me, on every host' })
  @ApiOkResponse({ standardSchema: consentPageSchema })
  async list(
    @Caller() caller: Principal,
    @Query({ schema: ownConsentsQuerySchema }) { page_size, page_token, server, agent, live }: OwnConsentsQuery,
  ): Promise<Page<ConsentBody>> {
    const principal = peopleOnly(caller);
    const which = { server, agent, live: liveOf(live), mine: await this.consents.ownOf(principal) };
    const rows = await this.consents.list(principal, which, placeOf(page_token), page_size);
    return pageOf(rows, page_size, consentBody, placeAfter);
  }

  @Delete()
  @ApiOperation({ summary: 'Take back all of mine, or what there is for one server or one application' })
  @ApiOkResponse({ standardSchema: revokedSchema })
  async revokeAll(
    @Caller() caller: Principal,
    @Query({ schema: ownRevocationSchema }) { server, agent }: OwnRevocation,
  ): Promise<RevokedBody> {
    return { revoked: await this.consents.revokeOwn(peopleOnly(caller), given({ server, agent })) };
  }

  @Get(':id')
  @ApiOperation({ summary: 'One of mine, with its answers and what has become of it' })
  @ApiOkResponse({ standardSchema: consentDetailSchema })
  async get(
    @Caller() caller: Principal,
    @Param({ schema: consentParamsSchema }) { id }: ConsentParams,
  ): Promise<ConsentDetailBody> {
    const principal = peopleOnly(caller);
    return consentDetailBody(await this.consents.find(principal, id, await this.consents.ownOf(principal)));
  }

  @Delete(':id')
  @ApiOperation({ summary: 'Take one back' })
  @ApiOkResponse({ standardSchema: revokedSchema })
  async revoke(
    @Caller() caller: Principal,
    @Param({ schema: consentParamsSchema }) { id }: ConsentParams,
  ): Promise<RevokedBody> {
    return { revoked: await this.consents.revokeOwn(peopleOnly(caller), { id }) };
  }

  @Get(':id/receipt')
  @Header('Content-Type', RECEIPT_MEDIA_TYPE)
  @Header('Content-Disposition', RECEIPT_DISPOSITION)
  @Header('Cache-Control', 'no-store')
  @ApiProduces(RECEIPT_MEDIA_TYPE)
  @ApiOperation({ summary: 'A signed receipt of one of mine, as it is now' })
  @ApiOkResponse({ description: 'A compact JWS.', schema: { type: 'string' } })
  async receipt(
    @Caller() caller: Principal,
    @Param({ schema: consentParamsSchema }) { id }: ConsentParams,
  ): Promise<string> {
    const principal = peopleOnly(caller);
    const found = await this.consents.find(principal, id, await this.consents.ownOf(principal));
    return this.receipts.issue(principal.tenant, found);
  }
}

/** Without the members that are not given. */
export const given = <T extends object>(members: { readonly [Name in keyof T]: T[Name] | undefined }): T =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as T;

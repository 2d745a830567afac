import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import { z } from 'zod';
import { may, type AdministratorPrincipal } from '#identity';
import type { ConnectorTokenListing } from '#store';
import { Caller } from '../../http/nest.js';
import { Requires } from '../../http/rights.js';
import { cursorOf, pageOf, type Page } from '../paging.js';
import { ConnectorTokensService } from './connector-tokens.service.js';
import {
  connectorTokenPageSchema,
  connectorTokensQuerySchema,
  newConnectorTokenSchema,
  rotationSchema,
  shownConnectorTokenSchema,
  tokenParamsSchema,
  type ConnectorTokenBody,
  type ConnectorTokensQuery,
  type NewConnectorTokenBody,
  type RotationBody,
  type ShownConnectorTokenBody,
  type TokenParams,
} from './wire.js';

/** Tokens by which directories provision people and groups (SCIM). */
@Controller('api/v1/connector-tokens')
@ApiTags('provisioning')
@ApiBearerAuth()
export class ConnectorTokensController {
  constructor(private readonly tokens: ConnectorTokensService) {}

  @Get()
  @Requires('read', 'Key', { each: true })
  @ApiOperation({ summary: 'List tokens of connectors, as far as the caller may read them' })
  @ApiOkResponse({ standardSchema: connectorTokenPageSchema })
  async list(
    @Caller() { tenant, ability }: AdministratorPrincipal,
    @Query({ schema: connectorTokensQuerySchema }) { page_size, page_token }: ConnectorTokensQuery,
  ): Promise<Page<ConnectorTokenBody>> {
    const rows = await this.tokens.reader.list(tenant, cursorOf(page_token, z.string()), page_size);
    const page = pageOf(rows, page_size, tokenBody, (last) => last.id);
    return { ...page, items: page.items.filter(({ issuer }) => may(ability, 'read', 'Key', issuer)) };
  }

  @Post()
  @Requires('write', 'Key', { each: true })
  @ApiOperation({ summary: 'Make a token for the connector of an Issuer; it is shown once' })
  @ApiCreatedResponse({ standardSchema: shownConnectorTokenSchema })
  async create(
    @Caller() principal: AdministratorPrincipal,
    @Body({ schema: newConnectorTokenSchema }) body: NewConnectorTokenBody,
  ): Promise<ShownConnectorTokenBody> {
    return this.tokens.create(principal, body);
  }

  @Post(':id/rotate')
  @Requires('rotate', 'Key', { each: true })
  @ApiOperation({ summary: 'Give a token a new secret; the old one stays good for a while' })
  @ApiCreatedResponse({ standardSchema: shownConnectorTokenSchema })
  async rotate(
    @Caller() principal: AdministratorPrincipal,
    @Param({ schema: tokenParamsSchema }) { id }: TokenParams,
    @Body({ schema: rotationSchema }) { overlap_seconds }: RotationBody,
  ): Promise<ShownConnectorTokenBody> {
    return this.tokens.rotate(principal, id, overlap_seconds);
  }

  @Delete(':id')
  @Requires('delete', 'Key', { each: true })
  @HttpCode(204)
  @ApiOperation({ summary: 'End a token at once' })
  @ApiNoContentResponse()
  async disable(
    @Caller() principal: AdministratorPrincipal,
    @Param({ schema: tokenParamsSchema }) { id }: TokenParams,
  ): Promise<void> {
    await this.tokens.disable(principal, id);
  }
}

const tokenBody = (token: ConnectorTokenListing): ConnectorTokenBody => ({
  id: token.id,
  issuer: token.issuer,
  environment: token.environment,
  cidrs: token.cidrs === null ? null : [...token.cidrs],
  created_by: token.createdBy,
  created_at: token.createdAt,
  expires_at: token.expiresAt,
  disabled_at: token.disabledAt,
  last_used_at: token.lastUsedAt,
  secrets: token.secrets.map(({ expiresAt }) => ({ expires_at: expiresAt })),
});

import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Put, Query } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import { z } from 'zod';
import type { AdministratorPrincipal } from '#identity';
import type { ClientListing } from '#store';
import { Caller } from '../../http/nest.js';
import { Requires } from '../../http/rights.js';
import { rotationSchema, type RotationBody } from '../keys/wire.js';
import { cursorOf, pageOf, type Page } from '../paging.js';
import { authenticationOf, ClientsService } from './clients.service.js';
import {
  clientChangeSchema,
  clientPageSchema,
  clientParamsSchema,
  clientSchema,
  clientsQuerySchema,
  newClientSchema,
  replacedKeysSchema,
  shownClientSchema,
  type ClientBody,
  type ClientChangeBody,
  type ClientParams,
  type ClientsQuery,
  type NewClientBody,
  type ReplacedKeysBody,
  type ShownClientBody,
} from './wire.js';

/** OAuth clients of hosts. */
@Controller('api/v1/clients')
@ApiTags('clients')
@ApiBearerAuth()
export class ClientsController {
  constructor(private readonly clients: ClientsService) {}

  @Get()
  @Requires('read', 'Client')
  @ApiOperation({ summary: 'List OAuth clients, of one host or all' })
  @ApiOkResponse({ standardSchema: clientPageSchema })
  async list(
    @Caller() { tenant }: AdministratorPrincipal,
    @Query({ schema: clientsQuerySchema }) { host, page_size, page_token }: ClientsQuery,
  ): Promise<Page<ClientBody>> {
    const after = cursorOf(page_token, z.string());
    const rows = await this.clients.reader.list(tenant, host, after, page_size);
    return pageOf(rows, page_size, clientBody, (last) => last.id);
  }

  @Post()
  @Requires('write', 'Client', { each: true })
  @ApiOperation({ summary: 'Make an OAuth client; its secret, if it has one, is shown once' })
  @ApiCreatedResponse({ standardSchema: shownClientSchema })
  async create(
    @Caller() principal: AdministratorPrincipal,
    @Body({ schema: newClientSchema }) body: NewClientBody,
  ): Promise<ShownClientBody> {
    return this.clients.create(principal, body);
  }

  @Get(':id')
  @Requires('read', 'Client')
  @ApiOperation({ summary: 'One client, without its secrets' })
  @ApiOkResponse({ standardSchema: clientSchema })
  async get(
    @Caller() { tenant }: AdministratorPrincipal,
    @Param({ schema: clientParamsSchema }) { id }: ClientParams,
  ): Promise<ClientBody> {
    return clientBody(await this.clients.get(tenant, id));
  }

  @Patch(':id')
  @Requires('write', 'Client', { each: true })
  @ApiOperation({ summary: 'Change what a client may do, from where, and how long' })
  @ApiOkResponse({ standardSchema: clientSchema })
  async change(
    @Caller() principal: AdministratorPrincipal,
    @Param({ schema: clientParamsSchema }) { id }: ClientParams,
    @Body({ schema: clientChangeSchema }) body: ClientChangeBody,
  ): Promise<ClientBody> {
    await this.clients.change(principal, id, body);
    return clientBody(await this.clients.get(principal.tenant, id));
  }

  @Post(':id/rotate')
  @Requires('rotate', 'Client', { each: true })
  @ApiOperation({
    summary: 'Give a client a new secret; the old one stays good for a while, or ends with its tokens at once',
  })
  @ApiCreatedResponse({ standardSchema: shownClientSchema })
  async rotate(
    @Caller() principal: AdministratorPrincipal,
    @Param({ schema: clientParamsSchema }) { id }: ClientParams,
    @Body({ schema: rotationSchema }) { overlap_seconds }: RotationBody,
  ): Promise<ShownClientBody> {
    return this.clients.rotate(principal, id, overlap_seconds);
  }

  @Put(':id/keys')
  @Requires('rotate', 'Client', { each: true })
  @HttpCode(204)
  @ApiOperation({ summary: 'Replace the public keys by which a client proves itself, and end its tokens' })
  @ApiNoContentResponse()
  async replaceKeys(
    @Caller() principal: AdministratorPrincipal,
    @Param({ schema: clientParamsSchema }) { id }: ClientParams,
    @Body({ schema: replacedKeysSchema }) { keys, end_tokens }: ReplacedKeysBody,
  ): Promise<void> {
    await this.clients.replaceKeys(principal, id, keys, end_tokens);
  }

  @Delete(':id')
  @Requires('delete', 'Client', { each: true })
  @HttpCode(204)
  @ApiOperation({ summary: 'End a client and its tokens at once, on every replica' })
  @ApiNoContentResponse()
  async disable(
    @Caller() principal: AdministratorPrincipal,
    @Param({ schema: clientParamsSchema }) { id }: ClientParams,
  ): Promise<void> {
    await this.clients.disable(principal, id);
  }
}

function clientBody(client: ClientListing): ClientBody {
  const { issuer, subject } = client;
  return {
    id: client.id,
    host: client.principal,
    environment: client.environment,
    authentication: authenticationOf(client),
    rights: client.rights as Record<string, unknown>,
    cidrs: client.cidrs === null ? null : [...client.cidrs],
    ...(client.jwks === null ? {} : { keys: client.jwks as Record<string, unknown> }),
    ...(issuer === null || subject === null ? {} : { federated: { issuer, subject } }),
    created_by: client.createdBy,
    created_at: client.createdAt,
    expires_at: client.expiresAt,
    disabled_at: client.disabledAt,
    secrets: client.secrets.map(({ expiresAt }) => ({ expires_at: expiresAt })),
  };
}

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
import type { AdministratorPrincipal } from '#identity';
import type { CredentialListing } from '#store';
import { Caller, Requires } from '../../http/nest.js';
import { cursorOf, pageOf, type Page } from '../paging.js';
import { KeysService } from './keys.service.js';
import {
  keyPageSchema,
  keyParamsSchema,
  keySchema,
  keysQuerySchema,
  newKeySchema,
  rotationSchema,
  shownKeySchema,
  type KeyBody,
  type KeyParams,
  type KeysQuery,
  type NewKeyBody,
  type RotationBody,
  type ShownKeyBody,
} from './wire.js';

/** Keys of hosts and of administrators. */
@Controller('api/v1/keys')
@ApiTags('keys')
@ApiBearerAuth()
export class KeysController {
  constructor(private readonly keys: KeysService) {}

  @Get()
  @Requires('read')
  @ApiOperation({ summary: 'List keys, of one host or all' })
  @ApiOkResponse({ standardSchema: keyPageSchema })
  async list(
    @Caller() { tenant }: AdministratorPrincipal,
    @Query({ schema: keysQuerySchema }) { host, page_size, page_token }: KeysQuery,
  ): Promise<Page<KeyBody>> {
    const after = cursorOf(page_token, z.string());
    const rows = await this.keys.reader.list(tenant, host, after, page_size);
    return pageOf(rows, page_size, keyBody, (last) => last.id);
  }

  @Post()
  @Requires('write')
  @ApiOperation({ summary: 'Make a key; it is shown once' })
  @ApiCreatedResponse({ standardSchema: shownKeySchema })
  async create(
    @Caller() principal: AdministratorPrincipal,
    @Body({ schema: newKeySchema }) body: NewKeyBody,
  ): Promise<ShownKeyBody> {
    return this.keys.create(principal, body);
  }

  @Get(':id')
  @Requires('read')
  @ApiOperation({ summary: 'One key, without its secrets' })
  @ApiOkResponse({ standardSchema: keySchema })
  async get(
    @Caller() { tenant }: AdministratorPrincipal,
    @Param({ schema: keyParamsSchema }) { id }: KeyParams,
  ): Promise<KeyBody> {
    return keyBody(await this.keys.get(tenant, id));
  }

  @Post(':id/rotate')
  @Requires('write')
  @ApiOperation({ summary: 'Give a key a new secret; the old one stays good for a while' })
  @ApiCreatedResponse({ standardSchema: shownKeySchema })
  async rotate(
    @Caller() principal: AdministratorPrincipal,
    @Param({ schema: keyParamsSchema }) { id }: KeyParams,
    @Body({ schema: rotationSchema }) { overlap_seconds }: RotationBody,
  ): Promise<ShownKeyBody> {
    return this.keys.rotate(principal, id, overlap_seconds);
  }

  @Delete(':id')
  @Requires('write')
  @HttpCode(204)
  @ApiOperation({ summary: 'End a key at once, on every replica' })
  @ApiNoContentResponse()
  async disable(
    @Caller() principal: AdministratorPrincipal,
    @Param({ schema: keyParamsSchema }) { id }: KeyParams,
  ): Promise<void> {
    await this.keys.disable(principal, id);
  }
}

function keyBody(key: CredentialListing): KeyBody {
  return {
    id: key.id,
    ...(key.principalKind === 'host' ? { host: key.principal } : { administrator: key.principal }),
    environment: key.environment,
    rights: key.rights as Record<string, unknown>,
    created_by: key.createdBy,
    created_at: key.createdAt,
    expires_at: key.expiresAt,
    disabled_at: key.disabledAt,
    secrets: key.secrets.map(({ expiresAt }) => ({ expires_at: expiresAt })),
  };
}

import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
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
import type { CredentialListing } from '#store';
import { Caller } from '../../http/nest.js';
import { permit, Requires } from '../../http/rights.js';
import { cursorOf, pageOf, type Page } from '../paging.js';
import { KeysService } from './keys.service.js';
import {
  keyChangeSchema,
  keyPageSchema,
  keyParamsSchema,
  keySchema,
  keysQuerySchema,
  newKeySchema,
  rotationSchema,
  shownKeySchema,
  type KeyBody,
  type KeyChangeBody,
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
  @Requires('read', 'Key', { each: true })
  @ApiOperation({ summary: 'List keys, of one host or all, as far as the caller may read them' })
  @ApiOkResponse({ standardSchema: keyPageSchema })
  async list(
    @Caller() { tenant, ability }: AdministratorPrincipal,
    @Query({ schema: keysQuerySchema }) { host, page_size, page_token }: KeysQuery,
  ): Promise<Page<KeyBody>> {
    const after = cursorOf(page_token, z.string());
    const rows = await this.keys.reader.list(tenant, host, after, page_size);
    const readable = (key: CredentialListing) => may(ability, 'read', 'Key', key.principal);
    const page = pageOf(
      rows,
      page_size,
      (key) => key,
      (last) => last.id,
    );
    return { ...page, items: page.items.filter(readable).map(keyBody) };
  }

  @Post()
  @Requires('write', 'Key', { each: true })
  @ApiOperation({ summary: 'Make a key; it is shown once' })
  @ApiCreatedResponse({ standardSchema: shownKeySchema })
  async create(
    @Caller() principal: AdministratorPrincipal,
    @Body({ schema: newKeySchema }) body: NewKeyBody,
  ): Promise<ShownKeyBody> {
    return this.keys.create(principal, body);
  }

  @Get(':id')
  @Requires('read', 'Key', { each: true })
  @ApiOperation({ summary: 'One key, without its secrets' })
  @ApiOkResponse({ standardSchema: keySchema })
  async get(
    @Caller() principal: AdministratorPrincipal,
    @Param({ schema: keyParamsSchema }) { id }: KeyParams,
  ): Promise<KeyBody> {
    const key = await this.keys.get(principal.tenant, id);
    permit(principal, 'read', 'Key', key.principal);
    return keyBody(key);
  }

  @Patch(':id')
  @Requires('write', 'Key', { each: true })
  @ApiOperation({ summary: 'Change what a key may do, from where, and how long' })
  @ApiOkResponse({ standardSchema: keySchema })
  async change(
    @Caller() principal: AdministratorPrincipal,
    @Param({ schema: keyParamsSchema }) { id }: KeyParams,
    @Body({ schema: keyChangeSchema }) body: KeyChangeBody,
  ): Promise<KeyBody> {
    await this.keys.change(principal, id, body);
    return keyBody(await this.keys.get(principal.tenant, id));
  }

  @Post(':id/rotate')
  @Requires('rotate', 'Key', { each: true })
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
  @Requires('delete', 'Key', { each: true })
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
    cidrs: key.cidrs === null ? null : [...key.cidrs],
    created_by: key.createdBy,
    person: key.person,
    created_at: key.createdAt,
    expires_at: key.expiresAt,
    disabled_at: key.disabledAt,
    last_used_at: key.lastUsedAt,
    secrets: key.secrets.map(({ expiresAt }) => ({ expires_at: expiresAt })),
  };
}

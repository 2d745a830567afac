import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query, Res } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiProduces,
  ApiTags,
} from '@nestjs/swagger';
import type { Response } from 'express';
import { z } from 'zod';
import type { AdministratorPrincipal } from '#identity';
import type { TenantListing } from '#store';
import { Caller } from '../../http/nest.js';
import { Requires } from '../../http/rights.js';
import { sendLines } from '../../http/responses.js';
import { cursorOf, pageOf, type Page } from '../paging.js';
import { TenantsService } from './tenants.service.js';
import {
  deletionQuerySchema,
  madeTenantSchema,
  newTenantSchema,
  ownerKeyReasonSchema,
  ownerKeySchema,
  quotasSchema,
  tenantChangeSchema,
  tenantPageSchema,
  tenantParamsSchema,
  tenantReasonSchema,
  tenantSchema,
  tenantsQuerySchema,
  type DeletionQuery,
  type MadeTenantBody,
  type NewTenantBody,
  type OwnerKeyBody,
  type OwnerKeyReasonBody,
  type QuotasBody,
  type TenantBody,
  type TenantChangeBody,
  type TenantParams,
  type TenantReasonBody,
  type TenantsQuery,
} from './wire.js';

/** Tenants, for the operators of the one that is called `default`. */
@Controller('api/v1/tenants')
@ApiTags('tenants')
@ApiBearerAuth()
export class TenantsController {
  constructor(private readonly tenants: TenantsService) {}

  @Get()
  @Requires('read', 'Tenancy')
  @ApiOperation({ summary: 'Every tenant, by name' })
  @ApiOkResponse({ standardSchema: tenantPageSchema })
  async list(
    @Caller() principal: AdministratorPrincipal,
    @Query({ schema: tenantsQuerySchema }) { page_size, page_token }: TenantsQuery,
  ): Promise<Page<TenantBody>> {
    const rows = await this.tenants.list(principal, cursorOf(page_token, z.string()), page_size);
    return pageOf(rows, page_size, tenantBody, (last) => last.name);
  }

  @Post()
  @Requires('write', 'Tenancy')
  @ApiOperation({ summary: 'Make a tenant, with a key for its first owner' })
  @ApiCreatedResponse({ standardSchema: madeTenantSchema })
  async create(
    @Caller() principal: AdministratorPrincipal,
    @Body({ schema: newTenantSchema }) body: NewTenantBody,
  ): Promise<MadeTenantBody> {
    return this.tenants.create(principal, body);
  }

  @Get(':name')
  @Requires('read', 'Tenancy')
  @ApiOperation({ summary: 'One tenant: what it may have, and what it has' })
  @ApiOkResponse({ standardSchema: tenantSchema })
  async get(
    @Caller() principal: AdministratorPrincipal,
    @Param({ schema: tenantParamsSchema }) { name }: TenantParams,
  ): Promise<TenantBody> {
    return tenantBody(await this.tenants.get(principal, name));
  }

  @Put(':name/suspension')
  @Requires('suspend', 'Tenancy')
  @ApiOperation({ summary: 'Stop a tenant, at once and on every replica; its own administrators cannot lift it' })
  @ApiOkResponse({ standardSchema: tenantChangeSchema })
  async suspend(
    @Caller() principal: AdministratorPrincipal,
    @Param({ schema: tenantParamsSchema }) { name }: TenantParams,
    @Body({ schema: tenantReasonSchema }) { reason }: TenantReasonBody,
  ): Promise<TenantChangeBody> {
    return { revision: await this.tenants.suspend(principal, name, reason) };
  }

  @Delete(':name/suspension')
  @Requires('suspend', 'Tenancy')
  @ApiOperation({ summary: 'Let a tenant go on' })
  @ApiOkResponse({ standardSchema: tenantChangeSchema })
  async resume(
    @Caller() principal: AdministratorPrincipal,
    @Param({ schema: tenantParamsSchema }) { name }: TenantParams,
  ): Promise<TenantChangeBody> {
    return { revision: await this.tenants.resume(principal, name) };
  }

  @Post(':name/owner-key')
  @Requires('rotate', 'Tenancy')
  @ApiOperation({ summary: 'Make a further key of an owner, for a tenant that has lost its own' })
  @ApiCreatedResponse({ standardSchema: ownerKeySchema })
  async makeOwnerKey(
    @Caller() principal: AdministratorPrincipal,
    @Param({ schema: tenantParamsSchema }) { name }: TenantParams,
    @Body({ schema: ownerKeyReasonSchema }) { reason }: OwnerKeyReasonBody,
  ): Promise<OwnerKeyBody> {
    return this.tenants.makeOwnerKey(principal, name, reason);
  }

  @Put(':name/quotas')
  @Requires('write', 'Tenancy')
  @ApiOperation({ summary: 'Say how much a tenant may have' })
  @ApiOkResponse({ standardSchema: tenantChangeSchema })
  async setQuotas(
    @Caller() principal: AdministratorPrincipal,
    @Param({ schema: tenantParamsSchema }) { name }: TenantParams,
    @Body({ schema: quotasSchema }) quotas: QuotasBody,
  ): Promise<TenantChangeBody> {
    return { revision: await this.tenants.setQuotas(principal, name, quotas) };
  }

  @Post(':name/export')
  @Requires('export', 'Tenancy')
  @HttpCode(200)
  @ApiOperation({ summary: 'Everything of a tenant but secrets, as lines of JSON; the last one has their SHA-256' })
  @ApiProduces('application/x-ndjson')
  @ApiOkResponse({ schema: { type: 'string' } })
  async export(
    @Caller() principal: AdministratorPrincipal,
    @Param({ schema: tenantParamsSchema }) { name }: TenantParams,
    @Res() response: Response,
  ): Promise<void> {
    await sendLines(response, await this.tenants.export(principal, name));
  }

  @Delete(':name')
  @Requires('delete', 'Tenancy')
  @HttpCode(204)
  @ApiOperation({ summary: 'Delete a suspended tenant and everything of it, of which there is an export' })
  @ApiNoContentResponse()
  async delete(
    @Caller() principal: AdministratorPrincipal,
    @Param({ schema: tenantParamsSchema }) { name }: TenantParams,
    @Query({ schema: deletionQuerySchema }) { export: digest }: DeletionQuery,
  ): Promise<void> {
    await this.tenants.delete(principal, name, digest);
  }
}

function tenantBody(tenant: TenantListing): TenantBody {
  const { quotas, title, suspendedAt, suspendedFor, exportedAt, exportDigest } = tenant;
  return {
    id: tenant.id,
    name: tenant.name,
    ...(title === null ? {} : { title }),
    created_at: tenant.createdAt,
    suspension:
      suspendedAt === null ? null : { since: suspendedAt, ...(suspendedFor === null ? {} : { reason: suspendedFor }) },
    export: exportedAt === null || exportDigest === null ? null : { at: exportedAt, sha256: exportDigest },
    quotas: {
      documents: quotas.documents,
      document_bytes: quotas.documentBytes,
      history_bytes: quotas.historyBytes,
      credentials: quotas.credentials,
      persons: quotas.persons,
      decisions_per_second: quotas.decisionsPerSecond,
    },
    usage: {
      documents: tenant.documents,
      document_bytes: tenant.documentBytes,
      history_bytes: tenant.historyBytes,
      credentials: tenant.credentials,
    },
  };
}

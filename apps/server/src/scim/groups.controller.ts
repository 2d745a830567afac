import { Body, Controller, Delete, Get, Header, HttpCode, Param, Patch, Post, Put, Query, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Response } from 'express';
import type { ConnectorPrincipal } from '#identity';
import { GROUP, readFilter } from '#scim';
import type { ScimReference, StoredScimGroup } from '#store';
import { CallingConnector, Conditions, type RequestConditions } from '../http/nest.js';
import { PublicAddress } from '../http/public-address.js';
import { Connector } from '../http/rights.js';
import { SCIM_TYPE } from '../http/scim-errors.js';
import { ScimGroups } from './groups.js';
import { etagOf, isKnown } from './versions.js';
import {
  anyBodySchema,
  idSchema,
  listBody,
  listQuerySchema,
  MOST_OF_PAGE,
  shapeQuerySchema,
  shaped,
  wants,
  type IdParams,
  type ListQuery,
  type ScimBody,
  type ShapeQuery,
} from './wire.js';

/** Groups as directories provision them (RFC 7644 §3). */
@Controller('scim/v2/Groups')
@ApiExcludeController()
@Connector()
export class ScimGroupsController {
  constructor(
    private readonly groups: ScimGroups,
    private readonly address: PublicAddress,
  ) {}

  @Get()
  @Header('Content-Type', SCIM_TYPE)
  async list(
    @CallingConnector() connector: ConnectorPrincipal,
    @Query({ schema: listQuerySchema }) { filter, startIndex = 1, count = 100, ...shape }: ListQuery,
  ): Promise<ScimBody> {
    const wanted = filter === undefined ? {} : readFilter(GROUP, filter);
    const { rows: found, total } = await this.groups.list(connector, wanted, startIndex - 1, count);
    const { reader } = this.groups;
    const rows = wants(shape, 'members') ? await reader.fitting(connector.tenant, 'group', found, MOST_OF_PAGE) : found;
    const bodies: ScimBody[] = [];
    for (const row of rows) bodies.push(await this.#body(connector, row, shape));
    return listBody(bodies, total, startIndex);
  }

  @Post()
  @Header('Content-Type', SCIM_TYPE)
  async create(
    @CallingConnector() connector: ConnectorPrincipal,
    @Body({ schema: anyBodySchema }) body: unknown,
    @Query({ schema: shapeQuerySchema }) shape: ShapeQuery,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ScimBody> {
    const made = await this.groups.create(connector, body);
    response.setHeader('Location', this.#location(made.id));
    response.setHeader('ETag', etagOf(made));
    return this.#body(connector, made, shape);
  }

  @Get(':id')
  @Header('Content-Type', SCIM_TYPE)
  async get(
    @CallingConnector() connector: ConnectorPrincipal,
    @Param({ schema: idSchema }) { id }: IdParams,
    @Query({ schema: shapeQuerySchema }) shape: ShapeQuery,
    @Conditions() conditions: RequestConditions,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ScimBody | undefined> {
    const found = await this.groups.get(connector, id);
    response.setHeader('ETag', etagOf(found));
    if (!isKnown(conditions, found)) return this.#body(connector, found, shape);
    response.status(304);
    return undefined;
  }

  @Put(':id')
  @Header('Content-Type', SCIM_TYPE)
  async replace(
    @CallingConnector() connector: ConnectorPrincipal,
    @Param({ schema: idSchema }) { id }: IdParams,
    @Body({ schema: anyBodySchema }) body: unknown,
    @Query({ schema: shapeQuerySchema }) shape: ShapeQuery,
    @Conditions() conditions: RequestConditions,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ScimBody> {
    const group = await this.groups.replace(connector, id, body, conditions);
    response.setHeader('ETag', etagOf(group));
    return this.#body(connector, group, shape);
  }

  /** Answers nothing, as groups may have many members, unless attributes are asked for (RFC 7644 §3.5.2). */
  @Patch(':id')
  @Header('Content-Type', SCIM_TYPE)
  async patch(
    @CallingConnector() connector: ConnectorPrincipal,
    @Param({ schema: idSchema }) { id }: IdParams,
    @Body({ schema: anyBodySchema }) body: unknown,
    @Query({ schema: shapeQuerySchema }) shape: ShapeQuery,
    @Conditions() conditions: RequestConditions,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ScimBody | undefined> {
    const group = await this.groups.patch(connector, id, body, conditions);
    response.setHeader('ETag', etagOf(group));
    if (shape.attributes !== undefined) return this.#body(connector, group, shape);
    response.status(204);
    return undefined;
  }

  @Delete(':id')
  @HttpCode(204)
  async remove(
    @CallingConnector() connector: ConnectorPrincipal,
    @Param({ schema: idSchema }) { id }: IdParams,
    @Conditions() conditions: RequestConditions,
  ): Promise<void> {
    await this.groups.remove(connector, id, conditions);
  }

  async #body({ tenant }: ConnectorPrincipal, group: StoredScimGroup, shape: ShapeQuery): Promise<ScimBody> {
    const { id, externalId, displayName, createdAt, changedAt } = group;
    const members = wants(shape, 'members') ? await this.groups.reader.members(tenant, id) : undefined;
    const body = {
      schemas: [GROUP.schema],
      id,
      externalId,
      displayName,
      members: members?.map((user: ScimReference) => ({ value: user.id, display: user.name })),
      meta: {
        resourceType: GROUP.name,
        created: createdAt,
        lastModified: changedAt,
        location: this.#location(id),
        version: etagOf(group),
      },
    };
    return shaped(GROUP, body, shape);
  }

  readonly #location = (id: string): string => `${this.address.url}/scim/v2/Groups/${id}`;
}

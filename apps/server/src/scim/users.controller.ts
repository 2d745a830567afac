import { Body, Controller, Delete, Get, Header, HttpCode, Param, Patch, Post, Put, Query, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Response } from 'express';
import type { ConnectorPrincipal } from '#identity';
import { readFilter, USER } from '#scim';
import type { ScimReference, StoredScimUser } from '#store';
import { CallingConnector, Conditions, type RequestConditions } from '../http/nest.js';
import { PublicAddress } from '../http/public-address.js';
import { Connector } from '../http/rights.js';
import { SCIM_TYPE } from '../http/scim-errors.js';
import { ScimUsers } from './users.js';
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

/** Users as directories provision them (RFC 7644 §3). */
@Controller('scim/v2/Users')
@ApiExcludeController()
@Connector()
export class ScimUsersController {
  constructor(
    private readonly users: ScimUsers,
    private readonly address: PublicAddress,
  ) {}

  @Get()
  @Header('Content-Type', SCIM_TYPE)
  async list(
    @CallingConnector() connector: ConnectorPrincipal,
    @Query({ schema: listQuerySchema }) { filter, startIndex = 1, count = 100, ...shape }: ListQuery,
  ): Promise<ScimBody> {
    const wanted = filter === undefined ? {} : readFilter(USER, filter);
    const { rows: found, total } = await this.users.list(connector, wanted, startIndex - 1, count);
    const { reader } = this.users;
    const rows = wants(shape, 'groups') ? await reader.fitting(connector.tenant, 'user', found, MOST_OF_PAGE) : found;
    return listBody(await this.#bodies(connector, rows, shape), total, startIndex);
  }

  @Post()
  @Header('Content-Type', SCIM_TYPE)
  async create(
    @CallingConnector() connector: ConnectorPrincipal,
    @Body({ schema: anyBodySchema }) body: unknown,
    @Query({ schema: shapeQuerySchema }) shape: ShapeQuery,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ScimBody> {
    const made = await this.users.create(connector, body);
    response.setHeader('Location', this.#location(made.id));
    return this.#answer(connector, made, shape, response);
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
    const found = await this.users.get(connector, id);
    if (!isKnown(conditions, found)) return this.#answer(connector, found, shape, response);
    response.status(304).setHeader('ETag', etagOf(found));
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
    return this.#answer(connector, await this.users.replace(connector, id, body, conditions), shape, response);
  }

  @Patch(':id')
  @Header('Content-Type', SCIM_TYPE)
  async patch(
    @CallingConnector() connector: ConnectorPrincipal,
    @Param({ schema: idSchema }) { id }: IdParams,
    @Body({ schema: anyBodySchema }) body: unknown,
    @Query({ schema: shapeQuerySchema }) shape: ShapeQuery,
    @Conditions() conditions: RequestConditions,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ScimBody> {
    return this.#answer(connector, await this.users.patch(connector, id, body, conditions), shape, response);
  }

  @Delete(':id')
  @HttpCode(204)
  async remove(
    @CallingConnector() connector: ConnectorPrincipal,
    @Param({ schema: idSchema }) { id }: IdParams,
    @Conditions() conditions: RequestConditions,
  ): Promise<void> {
    await this.users.remove(connector, id, conditions);
  }

  async #answer(
    connector: ConnectorPrincipal,
    user: StoredScimUser,
    shape: ShapeQuery,
    response: Response,
  ): Promise<ScimBody> {
    response.setHeader('ETag', etagOf(user));
    return (await this.#bodies(connector, [user], shape))[0]!;
  }

  async #bodies(
    { tenant }: ConnectorPrincipal,
    users: readonly StoredScimUser[],
    shape: ShapeQuery,
  ): Promise<readonly ScimBody[]> {
    const ids = users.map(({ id }) => id);
    const groups = wants(shape, 'groups') ? await this.users.reader.groupsOf(tenant, ids) : undefined;
    return users.map((user) => shaped(USER, this.#body(user, groups?.get(user.id)), shape));
  }

  #body(user: StoredScimUser, groups: readonly ScimReference[] | undefined): ScimBody {
    const { id, externalId, userName, active, attributes, createdAt, changedAt } = user;
    return {
      schemas: [USER.schema],
      id,
      externalId,
      userName,
      active,
      ...attributes,
      groups: groups?.map((group) => ({ value: group.id, display: group.name })),
      meta: {
        resourceType: USER.name,
        created: createdAt,
        lastModified: changedAt,
        location: this.#location(id),
        version: etagOf(user),
      },
    };
  }

  readonly #location = (id: string): string => `${this.address.url}/scim/v2/Users/${id}`;
}

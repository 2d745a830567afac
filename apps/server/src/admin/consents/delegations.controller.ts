import { Body, Controller, Delete, Get, HttpCode, Param, Post } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import { z } from 'zod';
import { Delegations } from '#consent';
import type { Principal } from '#identity';
import type { Delegation } from '#store';
import { Caller } from '../../http/nest.js';
import { AnyCaller } from '../../http/rights.js';
import { peopleOnly } from './people-only.js';

const paramsSchema = z.object({ id: z.string().regex(/^cd_[A-Za-z0-9_-]{22}$/, 'not the id of a delegation') });
type Params = z.output<typeof paramsSchema>;

const newSchema = z
  .strictObject({
    to: z.string().min(3).max(1024).meta({ description: 'Who has signed in before, as in user:entra/3f2c.' }),
    until: z.iso.datetime({ offset: true }).meta({ description: 'At most 90 days from now.' }),
  })
  .meta({ id: 'NewDelegation' });
type NewBody = z.output<typeof newSchema>;

const delegationSchema = z
  .object({
    id: z.string(),
    from: z.string(),
    to: z.string(),
    created_at: z.string(),
    until: z.string(),
    ended_at: z.string().nullable(),
  })
  .meta({ id: 'Delegation', description: 'Somebody who answers in the place of another, until a time.' });
type DelegationBody = z.output<typeof delegationSchema>;

const listSchema = z.object({ items: z.array(delegationSchema) }).meta({ id: 'DelegationList' });

/** Who answers in my place, and in whose place I do. */
@Controller('api/v1/me/delegations')
@ApiTags('consent')
@ApiBearerAuth()
@AnyCaller()
export class DelegationsController {
  constructor(private readonly delegations: Delegations) {}

  @Get()
  @ApiOperation({ summary: 'Who answers in my place, and in whose place I do' })
  @ApiOkResponse({ standardSchema: listSchema })
  async list(@Caller() caller: Principal): Promise<z.output<typeof listSchema>> {
    return { items: (await this.delegations.of(peopleOnly(caller))).map(delegationBody) };
  }

  @Post()
  @ApiOperation({ summary: 'Name somebody who answers in my place for a time' })
  @ApiCreatedResponse({ standardSchema: delegationSchema })
  async delegate(@Caller() caller: Principal, @Body({ schema: newSchema }) body: NewBody): Promise<DelegationBody> {
    return delegationBody(await this.delegations.delegate(peopleOnly(caller), body.to, Date.parse(body.until)));
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ summary: 'Take that back' })
  @ApiNoContentResponse()
  async end(@Caller() caller: Principal, @Param({ schema: paramsSchema }) { id }: Params): Promise<void> {
    await this.delegations.end(peopleOnly(caller), id);
  }
}

const delegationBody = ({ id, from, to, createdAt, expiresAt, endedAt }: Delegation): DelegationBody => ({
  id,
  from,
  to,
  created_at: new Date(createdAt).toISOString(),
  until: new Date(expiresAt).toISOString(),
  ended_at: endedAt === null ? null : new Date(endedAt).toISOString(),
});

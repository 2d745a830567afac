import { Controller, Delete, Get, HttpCode, Param } from '@nestjs/common';
import { ApiBearerAuth, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Refusal } from '#http';
import type { AdministratorPrincipal, Principal } from '#identity';
import { Caller } from '../../http/nest.js';
import { AnyCaller } from '../../http/rights.js';
import { sessionBody } from './people.controller.js';
import { PeopleService, personOf } from './people.service.js';
import { sessionListSchema, sessionParamsSchema, type SessionListBody, type SessionParams } from './wire.js';

/** What everybody who is signed in may see and end: their own sessions. */
@Controller('api/v1/me/sessions')
@ApiTags('people')
@ApiBearerAuth()
@AnyCaller()
export class OwnSessionsController {
  constructor(private readonly people: PeopleService) {}

  @Get()
  @ApiOperation({ summary: 'Where I am signed in' })
  @ApiOkResponse({ standardSchema: sessionListSchema })
  async list(@Caller() caller: Principal): Promise<SessionListBody> {
    const principal = administrator(caller);
    const rows = await this.people.sessions(principal.tenant, personOf(principal));
    return { items: rows.map((row) => sessionBody(row, principal)) };
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ summary: 'Sign me out there' })
  @ApiNoContentResponse()
  async end(@Caller() caller: Principal, @Param({ schema: sessionParamsSchema }) { id }: SessionParams): Promise<void> {
    await this.people.endOwn(administrator(caller), id);
  }
}

function administrator(caller: Principal): AdministratorPrincipal {
  if (caller.kind === 'administrator') return caller;
  throw new Refusal('not_an_administrator', 'a host has no sessions');
}

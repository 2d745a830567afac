import { Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import type { AdministratorPrincipal } from '#identity';
import type { PersonListing, SessionListing } from '#store';
import { Caller } from '../../http/nest.js';
import { Requires } from '../../http/rights.js';
import { cursorOf, pageOf, type Page } from '../paging.js';
import { PeopleService } from './people.service.js';
import {
  peopleQuerySchema,
  personDetailSchema,
  personPageSchema,
  personParamsSchema,
  sessionListSchema,
  signedOutSchema,
  type PeopleQuery,
  type PersonBody,
  type PersonDetailBody,
  type PersonParams,
  type SessionBody,
  type SessionListBody,
  type SignedOutBody,
} from './wire.js';

/** People who have signed in. */
@Controller('api/v1/people')
@ApiTags('people')
@ApiBearerAuth()
export class PeopleController {
  constructor(private readonly people: PeopleService) {}

  @Get()
  @Requires('read', 'Person')
  @ApiOperation({ summary: 'Who has signed in' })
  @ApiOkResponse({ standardSchema: personPageSchema })
  async list(
    @Caller() { tenant }: AdministratorPrincipal,
    @Query({ schema: peopleQuerySchema }) { page_size, page_token }: PeopleQuery,
  ): Promise<Page<PersonBody>> {
    const rows = await this.people.reader.list(tenant, cursorOf(page_token, z.string()), page_size);
    return pageOf(rows, page_size, personBody, (last) => last.id);
  }

  @Get(':id')
  @Requires('read', 'Person')
  @ApiOperation({ summary: 'One person, with what was said of them last' })
  @ApiOkResponse({ standardSchema: personDetailSchema })
  async get(
    @Caller() { tenant }: AdministratorPrincipal,
    @Param({ schema: personParamsSchema }) { id }: PersonParams,
  ): Promise<PersonDetailBody> {
    const person = await this.people.get(tenant, id);
    return { ...personBody(person), claims: { ...person.claims } };
  }

  @Get(':id/sessions')
  @Requires('read', 'Session')
  @ApiOperation({ summary: 'The live sessions of a person' })
  @ApiOkResponse({ standardSchema: sessionListSchema })
  async sessions(
    @Caller() principal: AdministratorPrincipal,
    @Param({ schema: personParamsSchema }) { id }: PersonParams,
  ): Promise<SessionListBody> {
    await this.people.get(principal.tenant, id);
    const rows = await this.people.sessions(principal.tenant, id);
    return { items: rows.map((row) => sessionBody(row, principal)) };
  }

  @Post(':id/sign-out')
  @HttpCode(200)
  @Requires('delete', 'Session')
  @ApiOperation({ summary: 'Sign a person out everywhere: sessions, and tokens that were issued before' })
  @ApiOkResponse({ standardSchema: signedOutSchema })
  async signOut(
    @Caller() principal: AdministratorPrincipal,
    @Param({ schema: personParamsSchema }) { id }: PersonParams,
  ): Promise<SignedOutBody> {
    return { revision: await this.people.signOut(principal, id) };
  }
}

const personBody = ({ firstAt, lastAt, ...person }: PersonListing): PersonBody => ({
  id: person.id,
  issuer: person.issuer,
  name: person.name,
  email: person.email,
  first_at: firstAt,
  last_at: lastAt,
  sessions: person.sessions,
});

/** A session, and whether it is the one that a call was made with. */
export const sessionBody = (session: SessionListing, { via, credential }: AdministratorPrincipal): SessionBody => ({
  id: session.id,
  created_at: session.createdAt,
  seen_at: session.seenAt,
  ends_at: session.endsAt,
  acr: session.acr,
  amr: [...session.amr],
  authenticated_at: session.authenticatedAt,
  address: session.address,
  user_agent: session.userAgent,
  current: via === 'session' && session.id === credential,
});

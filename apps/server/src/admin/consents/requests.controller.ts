import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { ConsentAnswers } from '#consent';
import { Refusal } from '#http';
import type { AdministratorPrincipal, Principal } from '#identity';
import { Caller } from '../../http/nest.js';
import { AnyCaller } from '../../http/rights.js';
import { cursorOf, pageOf, type Page } from '../paging.js';
import {
  answeredSchema,
  answerSchema,
  choiceOf,
  requestBody,
  requestPageSchema,
  requestParamsSchema,
  requestSchema,
  requestsQuerySchema,
  type AnswerBody,
  type AnsweredBody,
  type RequestBody,
  type RequestParams,
  type RequestsQuery,
} from './wire.js';

const cursor = z.tuple([z.number(), z.string()]);

/** What people are asked about themselves. Whether somebody may answer follows from the policy, and from no other right. */
@Controller('api/v1/me/requests')
@ApiTags('consent')
@ApiBearerAuth()
@AnyCaller()
export class OwnRequestsController {
  constructor(private readonly answers: ConsentAnswers) {}

  @Get()
  @ApiOperation({ summary: 'What I am asked to agree to, for myself' })
  @ApiOkResponse({ standardSchema: requestPageSchema })
  async list(
    @Caller() caller: Principal,
    @Query({ schema: requestsQuerySchema }) query: RequestsQuery,
  ): Promise<Page<RequestBody>> {
    return listed(this.answers, caller, 'subject', query);
  }

  @Get(':id')
  @ApiOperation({ summary: 'One request that I may answer, or have answered' })
  @ApiOkResponse({ standardSchema: requestSchema })
  async get(
    @Caller() caller: Principal,
    @Param({ schema: requestParamsSchema }) { id }: RequestParams,
  ): Promise<RequestBody> {
    return requestBody(await this.answers.find(personal(caller), id));
  }

  @Post(':id/answer')
  @HttpCode(200)
  @ApiOperation({ summary: 'Agree, or refuse' })
  @ApiOkResponse({ standardSchema: answeredSchema })
  async answer(
    @Caller() caller: Principal,
    @Param({ schema: requestParamsSchema }) { id }: RequestParams,
    @Body({ schema: answerSchema }) body: AnswerBody,
  ): Promise<AnsweredBody> {
    return answered(this.answers, caller, id, body);
  }
}

/** What people are asked about others. */
@Controller('api/v1/approvals')
@ApiTags('consent')
@ApiBearerAuth()
@AnyCaller()
export class ApprovalsController {
  constructor(private readonly answers: ConsentAnswers) {}

  @Get()
  @ApiOperation({ summary: 'What I am asked to approve for others' })
  @ApiOkResponse({ standardSchema: requestPageSchema })
  async list(
    @Caller() caller: Principal,
    @Query({ schema: requestsQuerySchema }) query: RequestsQuery,
  ): Promise<Page<RequestBody>> {
    return listed(this.answers, caller, 'others', query);
  }

  @Get(':id')
  @ApiOperation({ summary: 'One request that I may approve, or have answered' })
  @ApiOkResponse({ standardSchema: requestSchema })
  async get(
    @Caller() caller: Principal,
    @Param({ schema: requestParamsSchema }) { id }: RequestParams,
  ): Promise<RequestBody> {
    return requestBody(await this.answers.find(personal(caller), id));
  }

  @Post(':id/answer')
  @HttpCode(200)
  @ApiOperation({ summary: 'Approve, or refuse' })
  @ApiOkResponse({ standardSchema: answeredSchema })
  async answer(
    @Caller() caller: Principal,
    @Param({ schema: requestParamsSchema }) { id }: RequestParams,
    @Body({ schema: answerSchema }) body: AnswerBody,
  ): Promise<AnsweredBody> {
    return answered(this.answers, caller, id, body);
  }
}

async function listed(
  answers: ConsentAnswers,
  caller: Principal,
  only: 'subject' | 'others',
  { page_size, page_token }: RequestsQuery,
): Promise<Page<RequestBody>> {
  const from = cursorOf(page_token, cursor);
  const after = from && { createdAt: from[0], id: from[1] };
  const found = await answers.open(personal(caller), only, after, page_size);
  return pageOf(found, page_size, requestBody, ({ request }) => [request.createdAt, request.id]);
}

async function answered(
  answers: ConsentAnswers,
  caller: Principal,
  id: string,
  body: AnswerBody,
): Promise<AnsweredBody> {
  const status = await answers.answer(personal(caller), id, {
    answer: body.answer === 'agree' ? 'agreed' : 'refused',
    choice: body.choice && choiceOf(body.choice),
    shown: body.shown,
    breakGlass: body.break_glass,
  });
  return { status };
}

function personal(caller: Principal): AdministratorPrincipal {
  if (caller.kind === 'administrator') return caller;
  throw new Refusal('not_an_administrator', 'an application is asked nothing: people answer, signed in at a browser');
}

import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { AskedRequests, ConsentAnswers } from '#consent';
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
  takenBackSchema,
  type AnswerBody,
  type AnsweredBody,
  type RequestBody,
  type RequestParams,
  type RequestsQuery,
  type TakenBackBody,
} from './wire.js';

const cursor = z.tuple([z.number(), z.string()]);

/** What people are asked: those about themselves, and those about others, at two places. */
abstract class RequestsController {
  protected abstract readonly about: 'subject' | 'others';

  constructor(
    private readonly asked: AskedRequests,
    private readonly answers: ConsentAnswers,
  ) {}

  @Get()
  @ApiOperation({ summary: 'What I am asked to agree to: for myself, or (approvals) for others' })
  @ApiOkResponse({ standardSchema: requestPageSchema })
  async list(
    @Caller() caller: Principal,
    @Query({ schema: requestsQuerySchema }) { page_size, page_token }: RequestsQuery,
  ): Promise<Page<RequestBody>> {
    const from = cursorOf(page_token, cursor);
    const after = from && { createdAt: from[0], id: from[1] };
    const found = await this.asked.open(personal(caller), this.about, after, page_size);
    return pageOf(found, page_size, requestBody, ({ request }) => [request.createdAt, request.id]);
  }

  @Get(':id')
  @ApiOperation({ summary: 'One request that I may answer, or have answered' })
  @ApiOkResponse({ standardSchema: requestSchema })
  async get(
    @Caller() caller: Principal,
    @Param({ schema: requestParamsSchema }) { id }: RequestParams,
  ): Promise<RequestBody> {
    return requestBody(await this.asked.find(personal(caller), id));
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
    const status = await this.answers.answer(personal(caller), id, {
      answer: body.answer === 'agree' ? 'agreed' : 'refused',
      choice: body.choice && choiceOf(body.choice),
      shown: body.shown,
      breakGlass: body.break_glass,
    });
    return { status };
  }

  @Delete(':id/answer')
  @ApiOperation({ summary: 'Take back that I agreed: my part, while it is open; all that came of it, afterwards' })
  @ApiOkResponse({ standardSchema: takenBackSchema })
  async takeBack(
    @Caller() caller: Principal,
    @Param({ schema: requestParamsSchema }) { id }: RequestParams,
  ): Promise<TakenBackBody> {
    const { status, ended } = await this.answers.takeBack(personal(caller), id);
    return { status, revoked: ended };
  }
}

/** What people are asked about themselves. Whether somebody may answer follows from the policy, and from no other right. */
@Controller('api/v1/me/requests')
@ApiTags('consent')
@ApiBearerAuth()
@AnyCaller()
export class OwnRequestsController extends RequestsController {
  protected readonly about = 'subject';

  constructor(asked: AskedRequests, answers: ConsentAnswers) {
    super(asked, answers);
  }
}

/** What people are asked about others. */
@Controller('api/v1/approvals')
@ApiTags('consent')
@ApiBearerAuth()
@AnyCaller()
export class ApprovalsController extends RequestsController {
  protected readonly about = 'others';

  constructor(asked: AskedRequests, answers: ConsentAnswers) {
    super(asked, answers);
  }
}

function personal(caller: Principal): AdministratorPrincipal {
  if (caller.kind === 'administrator') return caller;
  throw new Refusal('not_an_administrator', 'an application is asked nothing: people answer, signed in at a browser');
}

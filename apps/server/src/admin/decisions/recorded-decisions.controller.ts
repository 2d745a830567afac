import { Controller, Get, Param } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { AdministratorPrincipal } from '#identity';
import { Caller } from '../../http/nest.js';
import { Requires } from '../../http/rights.js';
import { RecordedDecisionsService } from './recorded-decisions.service.js';
import {
  evaluationParamsSchema,
  recordedDecisionSchema,
  type EvaluationParams,
  type RecordedDecisionBody,
} from './wire.js';

/** What was decided, and why. */
@Controller('api/v1/decisions')
@ApiTags('decisions')
@ApiBearerAuth()
export class RecordedDecisionsController {
  constructor(private readonly recorded: RecordedDecisionsService) {}

  @Get(':evaluation_id')
  @Requires('read', 'Decision')
  @ApiOperation({ summary: 'The record of a past decision, and why it was as it was' })
  @ApiOkResponse({ standardSchema: recordedDecisionSchema })
  async get(
    @Caller() { tenant }: AdministratorPrincipal,
    @Param({ schema: evaluationParamsSchema }) { evaluation_id }: EvaluationParams,
  ): Promise<RecordedDecisionBody> {
    return this.recorded.find(tenant, evaluation_id);
  }
}

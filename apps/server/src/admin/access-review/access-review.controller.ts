import { Controller, HttpCode, Post, Query, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import type { AdministratorPrincipal } from '#identity';
import { Caller } from '../../http/nest.js';
import { sendLines } from '../../http/responses.js';
import { Requires } from '../../http/rights.js';
import { AccessReviewService } from './access-review.service.js';
import { reviewQuerySchema, type ReviewQuery } from './wire.js';

/** Who has been given what, to be looked through by somebody. */
@Controller('api/v1/access/review')
@ApiTags('access')
@ApiBearerAuth()
export class AccessReviewController {
  constructor(private readonly reviews: AccessReviewService) {}

  @Post()
  @Requires('export', ['Access', 'Key', 'Person'])
  @HttpCode(200)
  @ApiOperation({
    summary: 'Who has been given which role, by what, since when, and when it was used last; all of one moment',
  })
  @ApiProduces('application/x-ndjson', 'text/csv')
  @ApiOkResponse({ schema: { type: 'string' } })
  async review(
    @Caller() principal: AdministratorPrincipal,
    @Query({ schema: reviewQuerySchema }) { format }: ReviewQuery,
    @Res() response: Response,
  ): Promise<void> {
    const lines = await this.reviews.lines(principal, format);
    await sendLines(response, lines, format === 'csv' ? 'text/csv' : undefined);
  }
}

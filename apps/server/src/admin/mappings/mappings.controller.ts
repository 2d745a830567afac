import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { AdministratorPrincipal } from '#identity';
import { Caller } from '../../http/nest.js';
import { Requires } from '../../http/rights.js';
import { MappingsService, type Tried } from './mappings.service.js';
import { outcomeBody } from './outcome.js';
import { tryAnswerSchema, tryRequestSchema, type TryAnswerBody, type TryRequestBody } from './wire.js';

/** What tokens and claims of people come to, by the Issuers and Mappings as they are. */
@Controller('api/v1/mappings')
@ApiTags('mappings')
@ApiBearerAuth()
export class MappingsController {
  constructor(private readonly mappings: MappingsService) {}

  @Post('try')
  @Requires('test', 'Mapping')
  @HttpCode(200)
  @ApiOperation({ summary: 'Whom a token or claims prove, and what each rule of the Mappings gives them, and why' })
  @ApiOkResponse({ standardSchema: tryAnswerSchema })
  async try(
    @Caller() { tenant }: AdministratorPrincipal,
    @Body({ schema: tryRequestSchema }) body: TryRequestBody,
  ): Promise<TryAnswerBody> {
    return 'token' in body
      ? answerOf(await this.mappings.ofToken(tenant, body.token))
      : answerOf(await this.mappings.ofClaims(tenant, body.issuer, body.claims));
  }
}

function answerOf({ revision, verified, refused, issuer, came }: Tried): TryAnswerBody {
  return {
    revision,
    ...(verified === null ? {} : { verified }),
    ...(refused ? { refused: { check: refused.fault, detail: refused.detail } } : {}),
    ...(issuer === null ? {} : { issuer }),
    ...(came ? outcomeBody(came) : {}),
  };
}

import { Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { AdministratorPrincipal } from '#identity';
import { Caller } from '../../http/nest.js';
import { Requires } from '../../http/rights.js';
import { SignInTestsService } from './sign-in-tests.service.js';
import {
  begunTestSchema,
  examinationSchema,
  issuerNameSchema,
  signInTestBodySchema,
  testIdSchema,
  type BegunTestBody,
  type ExaminationBody,
  type IssuerName,
  type SignInTestBody,
  type TestId,
} from './wire.js';

/** Ways to sign in, tried out step by step. */
@Controller('api/v1')
@ApiTags('people')
@ApiBearerAuth()
export class SignInTestsController {
  constructor(private readonly tests: SignInTestsService) {}

  @Post('issuers/:name/examine')
  @Requires('write', 'Issuer', { each: true })
  @HttpCode(200)
  @ApiOperation({ summary: 'Everything of a way to sign in that can be tried without a person, step by step' })
  @ApiOkResponse({ standardSchema: examinationSchema })
  async examine(
    @Caller() principal: AdministratorPrincipal,
    @Param({ schema: issuerNameSchema }) { name }: IssuerName,
  ): Promise<ExaminationBody> {
    const { protocol, steps } = await this.tests.examine(principal, name);
    return { issuer: name, protocol, steps: [...steps] };
  }

  @Post('issuers/:name/sign-in-tests')
  @Requires('write', 'Issuer', { each: true })
  @ApiOperation({ summary: 'Begin a test of a sign-in: nobody is signed in by it' })
  @ApiCreatedResponse({ standardSchema: begunTestSchema })
  async begin(
    @Caller() principal: AdministratorPrincipal,
    @Param({ schema: issuerNameSchema }) { name }: IssuerName,
  ): Promise<BegunTestBody> {
    const { id, url, expiresAt } = await this.tests.begin(principal, name);
    return { id, url, expires_at: new Date(expiresAt).toISOString() };
  }

  @Get('sign-in-tests/:id')
  @Requires('write', 'Issuer', { each: true })
  @ApiOperation({ summary: 'What a test of a sign-in has come to, for who began it' })
  @ApiOkResponse({ standardSchema: signInTestBodySchema })
  async get(
    @Caller() principal: AdministratorPrincipal,
    @Param({ schema: testIdSchema }) { id }: TestId,
  ): Promise<SignInTestBody> {
    const { issuer, state, expiresAt, steps, refused, came } = await this.tests.of(principal, id);
    return {
      issuer,
      state,
      expires_at: new Date(expiresAt).toISOString(),
      steps: [...steps],
      refused,
      came: came && { claims: came.claims && { ...came.claims }, name: came.name, email: came.email, ...came.mapped },
    };
  }
}

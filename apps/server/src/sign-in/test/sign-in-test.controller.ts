import { Body, Controller, Get, HttpCode, Param, Post, Query, Req, Res, UseFilters } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { AbuseLimits, Refusal } from '#http';
import { ATTEMPT_COOKIE, isSameOrigin, setCookie } from '#identity';
import { Snapshots } from '#snapshot';
import { Public } from '../../http/rights.js';
import { sendPage } from '../../pages/page.js';
import type { NamedTenant } from '../connectors.js';
import { Doorway } from '../doorway.js';
import { PageFilter } from '../page.filter.js';
import { onward } from '../sign-in.controller.js';
import { SignInService } from '../sign-in.service.js';
import { issuerParamsSchema, signInTestSchema, type IssuerParams, type SignInTestForm } from '../wire.js';
import { testOverPage, testPage } from './pages.js';
import { SignInTests } from './sign-in-tests.js';

/** Where a browser begins a test of a sign-in, by the address that its administrator was given. */
@Controller('t/:tenant/sign-in/:issuer/test')
@ApiExcludeController()
@Public()
@UseFilters(PageFilter)
export class SignInTestController {
  constructor(
    private readonly doorway: Doorway,
    private readonly signIn: SignInService,
    private readonly tests: SignInTests,
    private readonly snapshots: Snapshots,
    private readonly limits: AbuseLimits,
  ) {}

  /** A page first: what somebody is sent to is not begun before they know that it is a test. */
  @Get()
  async ask(
    @Param({ schema: issuerParamsSchema }) { tenant: name, issuer }: IssuerParams,
    @Query({ schema: signInTestSchema }) { id }: SignInTestForm,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const tenant = await this.doorway.tenant(name);
    await this.#mustWait(tenant, issuer, id, request);
    const { policies } = await this.snapshots.of(tenant.id);
    const title = policies.documents.find('Issuer', issuer)?.document.signIn?.title ?? issuer;
    sendPage(response, 200, testPage(name, issuer, title, id));
  }

  @Post()
  @HttpCode(200)
  async begin(
    @Param({ schema: issuerParamsSchema }) { tenant: name, issuer }: IssuerParams,
    @Body({ schema: signInTestSchema }) { id }: SignInTestForm,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const tenant = await this.doorway.tenant(name);
    if (!isSameOrigin(request.headers, this.doorway.origin))
      throw new Refusal('cross_site', 'the form was not sent by a page of ours');
    await this.#mustWait(tenant, issuer, id, request);
    const begun = await this.signIn.beginTest(tenant, issuer, id);
    if (!begun) return sendPage(response, 200, testOverPage);
    const cookies = [setCookie(ATTEMPT_COOKIE, begun.cookie, begun.seconds)];
    onward(response, 'You are being taken to your identity provider.', begun.url.href, cookies);
  }

  /** Throws Refusal. Ids cannot be guessed, and whoever tries is slowed down. */
  async #mustWait(tenant: NamedTenant, issuer: string, test: string, request: Request): Promise<void> {
    const { address } = this.doorway.from(request);
    this.limits.check('sign_in', address);
    if (await this.tests.waits({ tenant: tenant.id, test, issuer })) return;
    this.limits.failed('sign_in', address);
    throw new Refusal('not_found', 'there is no such test, or it was begun before: ask for another one');
  }
}

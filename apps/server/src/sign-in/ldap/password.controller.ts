import { Body, Controller, Get, Param, Post, Req, Res, UseFilters } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { AbuseLimits } from '#http';
import { ATTEMPT_COOKIE, dropCookie, isSameOrigin, readCookie, SESSION_COOKIE, setCookie } from '#identity';
import { Public } from '../../http/rights.js';
import { sendPage } from '../../pages/page.js';
import { SignInError } from '../connector.js';
import type { NamedTenant } from '../connectors.js';
import { Doorway } from '../doorway.js';
import { PageFilter } from '../page.filter.js';
import { problemPage, TOLD } from '../pages.js';
import { PersonSessions } from '../person-sessions.js';
import { RefusedSignIns } from '../refused-sign-ins.js';
import { redirect } from '../sign-in.controller.js';
import { SignInService } from '../sign-in.service.js';
import { endTest } from '../test/pages.js';
import { issuerParamsSchema, passwordFormSchema, type IssuerParams, type PasswordForm } from '../wire.js';
import { passwordPage } from './password-page.js';

/** The page for a user name and a password, where a directory knows them. */
@Controller('t/:tenant/sign-in/:issuer/password')
@ApiExcludeController()
@Public()
@UseFilters(PageFilter)
export class PasswordController {
  constructor(
    private readonly doorway: Doorway,
    private readonly signIn: SignInService,
    private readonly sessions: PersonSessions,
    private readonly refused: RefusedSignIns,
    private readonly limits: AbuseLimits,
  ) {}

  @Get()
  async ask(
    @Param({ schema: issuerParamsSchema }) { tenant: name, issuer }: IssuerParams,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const tenant = await this.doorway.tenant(name);
    await this.#orRefuse(tenant, issuer, request, response, async () => {
      const { token, title } = await this.signIn.asked(tenant, issuer, cookieOf(request));
      sendPage(response, 200, passwordPage({ tenant: name, issuer, token, title, isRefused: false }));
    });
  }

  @Post()
  async prove(
    @Param({ schema: issuerParamsSchema }) { tenant: name, issuer }: IssuerParams,
    @Body({ schema: passwordFormSchema }) form: PasswordForm,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const tenant = await this.doorway.tenant(name);
    await this.#orRefuse(tenant, issuer, request, response, async () => {
      if (!isSameOrigin(request.headers, this.doorway.origin))
        throw new SignInError('response_invalid', 'the form was not sent by a page of ours');
      const { address, userAgent } = this.doorway.from(request);
      const finished = await this.signIn.finish(
        tenant,
        issuer,
        { method: 'POST', url: this.doorway.urlOf(request), form: new URLSearchParams({ ...form }), address },
        cookieOf(request),
        { address, userAgent, session: await this.sessions.of(request) },
      );
      if ('wouldSignIn' in finished) return endTest(response, finished, this.limits, address);
      const { value, seconds, returnTo } = finished;
      redirect(response, returnTo, [setCookie(SESSION_COOKIE, value, seconds), dropCookie(ATTEMPT_COOKIE)]);
    });
  }

  /** Whatever is wrong is recorded; who has mistyped gets the page again, in a sign-in of its own. */
  async #orRefuse(
    tenant: NamedTenant,
    issuer: string,
    request: Request,
    response: Response,
    work: () => Promise<void>,
  ): Promise<void> {
    const { address, requestId } = this.doorway.from(request);
    const giveBack = this.limits.take('sign_in', address);
    try {
      await work();
      giveBack();
    } catch (error) {
      if (!(error instanceof SignInError)) {
        giveBack();
        throw error;
      }
      this.refused.note(error, { tenant: tenant.id, issuer, address, requestId });
      const { status, sentence } = TOLD[error.reason];
      const again =
        error.reason === 'not_proven' ? await this.signIn.again(tenant, issuer, cookieOf(request)) : undefined;
      if (!again) return sendPage(response, status, problemPage(sentence, tenant.name));
      const page = passwordPage({ tenant: tenant.name, issuer, ...again, isRefused: true });
      sendPage(response, status, page, { 'Set-Cookie': [setCookie(ATTEMPT_COOKIE, again.cookie, again.seconds)] });
    }
  }
}

const cookieOf = (request: Request): string | undefined => readCookie(request.headers.cookie, ATTEMPT_COOKIE);

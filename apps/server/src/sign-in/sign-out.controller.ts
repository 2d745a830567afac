import { Body, Controller, Get, Header, HttpCode, Param, Post, Req, Res, UseFilters } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { AbuseLimits, Refusal } from '#http';
import { dropCookie, formToken, isSameOrigin, readCookie, sameSecret, SESSION_COOKIE, type KeyCheck } from '#identity';
import type { SessionStore } from '#store';
import { SECURITY_HEADERS } from '../http/responses.js';
import { Public } from '../http/rights.js';
import { sendPage } from '../pages/page.js';
import { Doorway } from './doorway.js';
import { LogoutTokens } from './logout-tokens.js';
import { PageFilter } from './page.filter.js';
import { homePage, onwardPage, signedOutPage } from './pages.js';
import { PersonSessions, type PersonSession } from './person-sessions.js';
import { SignInService } from './sign-in.service.js';
import {
  issuerParamsSchema,
  logoutFormSchema,
  signOutFormSchema,
  tenantParamsSchema,
  type IssuerParams,
  type LogoutForm,
  type SignOutForm,
  type TenantParams,
} from './wire.js';

/** Ends sessions of the browser that asks. */
export class SignOuts {
  constructor(
    private readonly store: SessionStore,
    private readonly check: KeyCheck,
  ) {}

  /** The text that a form of this browser's own pages carries. */
  token = (request: Request): string => formToken(readCookie(request.headers.cookie, SESSION_COOKIE) ?? '', this.check);

  /** Whether a form is of a page of this browser's own. */
  isOurs = (token: string, request: Request): boolean => sameSecret(token, this.token(request));

  end = ({ tenant, id, person }: PersonSession): Promise<boolean> => this.store.end(tenant, id, person);
}

/** Who is signed in, and the ways out: by the person, and by the identity provider. */
@Controller('t/:tenant')
@ApiExcludeController()
@Public()
export class SignOutController {
  constructor(
    private readonly doorway: Doorway,
    private readonly signIn: SignInService,
    private readonly sessions: PersonSessions,
    private readonly signOuts: SignOuts,
    private readonly logoutTokens: LogoutTokens,
    private readonly limits: AbuseLimits,
  ) {}

  @Get()
  @UseFilters(PageFilter)
  async home(
    @Param({ schema: tenantParamsSchema }) { tenant: name }: TenantParams,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const tenant = await this.doorway.tenant(name);
    const session = await this.sessions.of(request);
    if (session?.tenant === tenant.id)
      return sendPage(response, 200, homePage(name, session, this.signOuts.token(request)));
    response.writeHead(303, { ...SECURITY_HEADERS, Location: `/t/${encodeURIComponent(name)}/sign-in` });
    response.end();
  }

  /** Ends the session here, and sends the browser on to end the one at the identity provider. */
  @Post('sign-out')
  @UseFilters(PageFilter)
  async signOut(
    @Param({ schema: tenantParamsSchema }) { tenant: name }: TenantParams,
    @Body({ schema: signOutFormSchema }) { token }: SignOutForm,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const tenant = await this.doorway.tenant(name);
    if (!isSameOrigin(request.headers, this.doorway.origin) || !this.signOuts.isOurs(token, request))
      throw new Refusal('cross_site', 'this did not come from a page of ours: go back, load it anew, and try again');
    const session = await this.sessions.of(request);
    const headers = { 'Set-Cookie': dropCookie(SESSION_COOKIE) };
    // The cookie goes whatever tenant it is of: no session that it opened may be left behind it.
    if (session) await this.signOuts.end(session);
    if (session?.tenant !== tenant.id) return sendPage(response, 200, signedOutPage(name), headers);
    const upstream = await this.signIn.endUpstream(session).catch(() => undefined);
    if (!upstream) return sendPage(response, 200, signedOutPage(name), headers);
    const page = onwardPage('Signed out', 'You are being signed out at your identity provider, too.', upstream.href);
    sendPage(response, 200, page, { ...headers, Refresh: `0; url=${upstream.href}` });
  }

  @Get('signed-out')
  @UseFilters(PageFilter)
  async signedOut(
    @Param({ schema: tenantParamsSchema }) { tenant }: TenantParams,
    @Res() response: Response,
  ): Promise<void> {
    await this.doorway.tenant(tenant);
    sendPage(response, 200, signedOutPage(tenant));
  }

  /** What an identity provider sends when a session of its own ends (OpenID Connect Back-Channel Logout 1.0). */
  @Post('sign-in/:issuer/backchannel-logout')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  async backchannelLogout(
    @Param({ schema: issuerParamsSchema }) { tenant: name, issuer }: IssuerParams,
    @Body({ schema: logoutFormSchema }) { logout_token: token }: LogoutForm,
    @Req() request: Request,
  ): Promise<void> {
    const { address } = this.doorway.from(request);
    this.limits.check('sign_in', address);
    const tenant = await this.doorway.tenant(name);
    await this.logoutTokens.obey(tenant.id, issuer, token, address).catch((error: unknown) => {
      if (error instanceof Refusal) this.limits.failed('sign_in', address);
      throw error;
    });
  }
}

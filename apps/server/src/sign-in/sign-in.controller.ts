import { Body, Controller, Get, HttpCode, Param, Post, Query, Req, Res, UseFilters } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { AbuseLimits } from '#http';
import { ATTEMPT_COOKIE, dropCookie, readCookie, SESSION_COOKIE, setCookie } from '#identity';
import { isUnsolicited } from '#saml';
import { Snapshots } from '#snapshot';
import { SECURITY_HEADERS } from '../http/responses.js';
import { Public } from '../http/rights.js';
import { sendPage } from '../pages/page.js';
import { SignInError } from './connector.js';
import { issuerOfAddress, signInIssuers, type NamedTenant, type SignInIssuer } from './connectors.js';
import { Doorway } from './doorway.js';
import { PageFilter } from './page.filter.js';
import { againPage, beginPath, choicePage, onwardPage, problemPage, TOLD } from './pages.js';
import { PersonSessions } from './person-sessions.js';
import { RefusedSignIns } from './refused-sign-ins.js';
import type { SamlSettings } from './saml/saml-parts.js';
import { SignInService } from './sign-in.service.js';
import { endTest } from './test/pages.js';
import {
  addressFormSchema,
  beginQuerySchema,
  chooseQuerySchema,
  issuerParamsSchema,
  samlFormSchema,
  tenantParamsSchema,
  type AddressForm,
  type BeginQuery,
  type ChooseQuery,
  type IssuerParams,
  type SamlForm,
  type TenantParams,
} from './wire.js';

/** The pages by which people sign in. No scripts, and nothing is changed by a GET but at the way back from a provider. */
@Controller('t/:tenant/sign-in')
@ApiExcludeController()
@Public()
@UseFilters(PageFilter)
export class SignInController {
  constructor(
    private readonly doorway: Doorway,
    private readonly signIn: SignInService,
    private readonly sessions: PersonSessions,
    private readonly refused: RefusedSignIns,
    private readonly snapshots: Snapshots,
    private readonly limits: AbuseLimits,
  ) {}

  @Get()
  async choose(
    @Param({ schema: tenantParamsSchema }) { tenant }: TenantParams,
    @Query({ schema: chooseQuerySchema }) { return_to: returnTo }: ChooseQuery,
    @Res() response: Response,
  ): Promise<void> {
    const issuers = await this.#issuers(await this.doorway.tenant(tenant));
    sendPage(response, 200, choicePage(tenant, issuers, returnTo));
  }

  /** Finds the way to sign in by the domain of an address. Any address of a domain gets the same answer. */
  @Post()
  async find(
    @Param({ schema: tenantParamsSchema }) { tenant }: TenantParams,
    @Body({ schema: addressFormSchema }) { email, return_to: returnTo }: AddressForm,
    @Res() response: Response,
  ): Promise<void> {
    const issuers = await this.#issuers(await this.doorway.tenant(tenant));
    const issuer = issuerOfAddress(issuers, email);
    if (!issuer) return sendPage(response, 404, choicePage(tenant, issuers, returnTo, true));
    const to = beginPath(tenant, issuer.name, returnTo);
    const page = onwardPage('Sign in', 'You are being taken to your identity provider.', to);
    sendPage(response, 200, page, { Refresh: `0; url=${to}` });
  }

  @Get(':issuer')
  async begin(
    @Param({ schema: issuerParamsSchema }) { tenant: name, issuer }: IssuerParams,
    @Query({ schema: beginQuerySchema }) { return_to: returnTo, max_age: maxAge, acr }: BeginQuery,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const tenant = await this.doorway.tenant(name);
    await this.#orRefuse(tenant, issuer, request, response, async () => {
      const home = `/t/${encodeURIComponent(name)}/`;
      const demand = { acr: acr ?? [], maxAge: maxAge ?? null };
      const { url, cookie, seconds } = await this.signIn.begin(tenant, issuer, returnTo ?? home, demand);
      redirect(response, url.href, [setCookie(ATTEMPT_COOKIE, cookie, seconds)]);
    });
  }

  @Get(':issuer/callback')
  async finish(
    @Param({ schema: issuerParamsSchema }) { tenant: name, issuer }: IssuerParams,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const tenant = await this.doorway.tenant(name);
    await this.#orRefuse(tenant, issuer, request, response, async () => {
      const { address, userAgent } = this.doorway.from(request);
      const finished = await this.signIn.finish(
        tenant,
        issuer,
        { method: 'GET', url: this.doorway.urlOf(request) },
        readCookie(request.headers.cookie, ATTEMPT_COOKIE),
        { address, userAgent, session: await this.sessions.of(request) },
      );
      if ('wouldSignIn' in finished) return endTest(response, finished, this.limits, address);
      const { value, seconds, returnTo } = finished;
      redirect(response, returnTo, [setCookie(SESSION_COOKIE, value, seconds), dropCookie(ATTEMPT_COOKIE)]);
    });
  }

  /**
   * An answer that a browser posts. It comes from another site, without our cookies: without them it is looked at no further,
   * and a page of ours brings it again.
   */
  @Post(':issuer/callback')
  @HttpCode(200)
  async finishPosted(
    @Param({ schema: issuerParamsSchema }) { tenant: name, issuer }: IssuerParams,
    @Body({ schema: samlFormSchema }) { SAMLResponse: answer, again }: SamlForm,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const tenant = await this.doorway.tenant(name);
    const refused = { 'Set-Cookie': [dropCookie(ATTEMPT_COOKIE)] };
    const work = async () => {
      const signIn = await this.#saml(tenant, issuer);
      const cookie = readCookie(request.headers.cookie, ATTEMPT_COOKIE);
      if (cookie === undefined && again === undefined) return sendPage(response, 200, againPage(request.path, answer));
      if (cookie === undefined && signIn.idpInitiated === 'bounce' && isUnsolicited(answer))
        return onward(response, 'You are being taken to your identity provider.', beginPath(name, issuer, undefined));
      const { address, userAgent } = this.doorway.from(request);
      const finished = await this.signIn.finish(
        tenant,
        issuer,
        { method: 'POST', url: this.doorway.urlOf(request), form: new URLSearchParams({ SAMLResponse: answer }) },
        cookie,
        { address, userAgent, session: await this.sessions.of(request) },
      );
      if ('wouldSignIn' in finished) return endTest(response, finished, this.limits, address);
      const { value, seconds, returnTo } = finished;
      onward(response, 'You are signed in.', returnTo, [
        setCookie(SESSION_COOKIE, value, seconds),
        dropCookie(ATTEMPT_COOKIE),
      ]);
    };
    await this.#orRefuse(tenant, issuer, request, response, work, refused);
  }

  /** How people sign in by an Issuer whose answers are posted. */
  async #saml(tenant: NamedTenant, name: string): Promise<SamlSettings> {
    const issuer = (await this.#issuers(tenant)).find((each) => each.name === name);
    if (issuer?.signIn.protocol === 'saml') return issuer.signIn;
    throw new SignInError('not_configured', `nobody signs in by '${name.slice(0, 100)}' with SAML`);
  }

  async #issuers(tenant: NamedTenant): Promise<readonly SignInIssuer[]> {
    return signInIssuers((await this.snapshots.of(tenant.id)).policies.documents);
  }

  /** Whatever is wrong with a sign-in is recorded, and told in a sentence. */
  async #orRefuse(
    tenant: NamedTenant,
    issuer: string,
    request: Request,
    response: Response,
    work: () => Promise<void>,
    headers: Readonly<Record<string, readonly string[]>> = {},
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
      sendPage(response, status, problemPage(sentence, tenant.name), headers);
    }
  }
}

/** Sends a browser on by a page: whatever a form leads to by redirects is held against the policy of the form's page. */
export function onward(response: Response, text: string, to: string, cookies: readonly string[] = []): void {
  sendPage(response, 200, onwardPage('Signing in', text, to), { Refresh: `0; url=${to}`, 'Set-Cookie': cookies });
}

/** Sends a browser elsewhere, by GET. */
export function redirect(response: Response, to: string, cookies: readonly string[]): void {
  response.writeHead(303, { ...SECURITY_HEADERS, Location: to, 'Set-Cookie': [...cookies], 'Content-Length': 0 });
  response.end();
}

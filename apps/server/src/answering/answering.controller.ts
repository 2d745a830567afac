import { Body, Controller, Get, Param, Post, Query, Req, Res, UseFilters } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { AskedRequests, ConsentAnswers, isRequestId, linkRefused } from '#consent';
import { Refusal, toProblem } from '#http';
import { SessionStore } from '#store';
import { ReviewLinks } from '../fronts/requests/review-links.js';
import { SECURITY_HEADERS } from '../http/responses.js';
import { Public } from '../http/rights.js';
import { sendPage } from '../pages/page.js';
import { PageFilter } from '../sign-in/page.filter.js';
import { listPage, nothingPage, requestPage, signInBetterPage } from './pages.js';
import { listPath, requestPath, signInAndBack, withLink } from './paths.js';
import { Visitors, type Visitor } from './visitors.js';
import {
  answerFormSchema,
  answerOf,
  requestParamsSchema,
  requestQuerySchema,
  takeBackFormSchema,
  tenantParamsSchema,
  type AnswerForm,
  type RequestParams,
  type RequestQuery,
  type TakeBackForm,
  type TenantParams,
} from './wire.js';

/** Requests on the page of all, of each sort. */
const LISTED = 100;

/** What a person can mend at the page of the request itself. */
const MENDABLE = ['shown_differs', 'already_answered', 'not_entitled', 'invalid_request', 'too_many_changes'];

/** Where there is nothing to see for whoever looks, and there may be for somebody else. */
const NOT_THEIRS = ['not_found', 'link_refused'];

/**
 * The pages on which people see what they are asked, and answer. Without scripts. Nothing is answered by following a link,
 * and only by a form of ours that this very session was shown.
 */
@Controller('t/:tenant/requests')
@ApiExcludeController()
@Public()
@UseFilters(PageFilter)
export class AnsweringController {
  constructor(
    private readonly visitors: Visitors,
    private readonly asked: AskedRequests,
    private readonly answers: ConsentAnswers,
    private readonly links: ReviewLinks,
    private readonly used: SessionStore,
  ) {}

  @Get()
  async list(
    @Param({ schema: tenantParamsSchema }) { tenant }: TenantParams,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const visitor = await this.visitors.of(tenant, request);
    if (!visitor) return this.visitors.toSignIn(tenant, listPath(tenant), response);
    const own = await this.asked.open(visitor.principal, 'subject', undefined, LISTED);
    const others = await this.asked.open(visitor.principal, 'others', undefined, LISTED);
    const isAll = own.length <= LISTED && others.length <= LISTED;
    sendPage(response, 200, listPage(tenant, visitor.session, own.slice(0, LISTED), others.slice(0, LISTED), isAll));
  }

  @Get(':id')
  async show(
    @Param({ schema: requestParamsSchema }) { tenant, id }: RequestParams,
    @Query({ schema: requestQuerySchema }) { link }: RequestQuery,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const visitor = await this.visitors.of(tenant, request);
    if (!visitor) return this.visitors.toSignIn(tenant, withLink(requestPath(tenant, id), link), response);
    try {
      await this.#usable(visitor, id, link);
      await this.#send(response, 200, visitor, id, link);
    } catch (error) {
      await this.#refused(error, response, visitor, id, link);
    }
  }

  @Post(':id')
  async answer(
    @Param({ schema: requestParamsSchema }) { tenant, id }: RequestParams,
    @Body({ schema: answerFormSchema }) form: AnswerForm,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const visitor = await this.visitors.sending(tenant, request);
    const back = withLink(requestPath(tenant, id), form.link);
    if (!visitor) return this.visitors.toSignIn(tenant, back, response);
    this.visitors.checkToken(visitor, id, form.token);
    try {
      const link = await this.#usable(visitor, id, form.link);
      const given = answerOf(form.answer);
      if (!given) return await this.#send(response, 400, visitor, id, form.link, 'Choose an answer.');
      const reason = given.answer === 'agreed' ? form.break_glass?.trim() || undefined : undefined;
      await this.answers.answer(visitor.principal, id, { ...given, shown: form.shown, breakGlass: reason, link });
    } catch (error) {
      return this.#refused(error, response, visitor, id, form.link);
    }
    redirect(response, requestPath(tenant, id));
  }

  @Post(':id/take-back')
  async takeBack(
    @Param({ schema: requestParamsSchema }) { tenant, id }: RequestParams,
    @Body({ schema: takeBackFormSchema }) { token }: TakeBackForm,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const visitor = await this.visitors.sending(tenant, request);
    if (!visitor) return this.visitors.toSignIn(tenant, requestPath(tenant, id), response);
    this.visitors.checkToken(visitor, id, token);
    await this.answers.takeBack(visitor.principal, known(id));
    redirect(response, requestPath(tenant, id));
  }

  async #send(
    response: Response,
    status: number,
    visitor: Visitor,
    id: string,
    link: string | undefined,
    problem?: string,
  ): Promise<void> {
    const { principal, session, tenant } = visitor;
    const found = await this.asked.find(principal, known(id));
    const consents = found.request.status === 'approved' ? await this.asked.outcome(principal, id) : [];
    const token = this.visitors.token(visitor, id);
    const { person, name } = session;
    const view = { tenant: tenant.name, person, name, found, consents, token, link, problem };
    sendPage(response, status, requestPage(view));
  }

  /** The link by which somebody comes, if they came by one. Throws Refusal where it is not good for them, or was used. */
  async #usable({ tenant, session }: Visitor, id: string, link: string | undefined) {
    if (link === undefined) return undefined;
    const usable = this.links.read(link, { tenant: tenant.id, request: id, person: session.person });
    if (await this.used.isUsed(tenant.id, Buffer.from(usable.mac, 'hex'))) throw linkRefused();
    return usable;
  }

  async #refused(
    error: unknown,
    response: Response,
    visitor: Visitor,
    id: string,
    link: string | undefined,
  ): Promise<void> {
    if (!(error instanceof Refusal)) throw error;
    const back = withLink(requestPath(visitor.tenant.name, id), link);
    const { code, message, members } = error;
    if (code === 'step_up_required') {
      const path = signInAndBack(String(members['sign_in_url']), back);
      // A page and not a redirect: what a form leads to is held against the policy of its page.
      return sendPage(response, 403, signInBetterPage(path), { Refresh: `0; url=${path}` });
    }
    const problem = `${message.charAt(0).toUpperCase()}${message.slice(1)}.`;
    if (NOT_THEIRS.includes(code)) {
      const { person, name } = visitor.session;
      return sendPage(response, toProblem(error).status, nothingPage(visitor.tenant.name, person, name, problem));
    }
    if (!MENDABLE.includes(code)) throw error;
    await this.#send(response, toProblem(error).status, visitor, id, link, problem);
  }
}

function known(id: string): string {
  if (isRequestId(id)) return id;
  throw new Refusal('not_found', 'there is no such request for you to answer');
}

/** Sends a browser to a page of ours, by GET. */
function redirect(response: Response, to: string): void {
  response.writeHead(303, { ...SECURITY_HEADERS, Location: to, 'Content-Length': 0 });
  response.end();
}

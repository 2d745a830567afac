import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { Request, Response } from 'express';
import { Refusal, requestIdOf, toProblem, traceOf } from '#http';
import { Log } from '../operations/log.js';
import { sendPage } from '../pages/page.js';
import { problemPage } from './pages.js';

/** Turns whatever the page of a person throws into a page that says so. */
@Catch()
export class PageFilter implements ExceptionFilter {
  constructor(private readonly log: Log) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<Request>();
    const response = http.getResponse<Response>();
    const known = error instanceof HttpException ? new Refusal('invalid_request', error.message) : error;
    const problem = toProblem(known);
    this.log.failed(known, problem, { requestId: requestIdOf(request), trace: traceOf(request), path: request.path });
    if (response.headersSent) return void response.destroy();
    sendPage(response, problem.status, problemPage(sentenceOf(problem.detail), undefined));
  }
}

const sentenceOf = (detail: string): string => `${detail.charAt(0).toUpperCase()}${detail.slice(1)}.`;

import { Controller, Get, Header, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Response } from 'express';
import { Public } from '../http/rights.js';
import { Metrics } from './metrics.js';
import { Readiness } from './readiness.js';

/** For whoever runs the service: is it alive, is it ready, what does it do. */
@Controller()
@ApiExcludeController()
export class OperationsController {
  constructor(
    private readonly readiness: Readiness,
    private readonly metrics: Metrics,
  ) {}

  @Get('healthz')
  @Public()
  alive(): { status: string } {
    return { status: 'ok' };
  }

  @Get('readyz')
  @Public()
  async ready(@Res({ passthrough: true }) response: Response): Promise<object> {
    const checks = await this.readiness.check();
    const ready = checks.database && checks.snapshot;
    response.status(ready ? 200 : 503);
    return { status: ready ? 'ready' : 'not ready', ...checks };
  }

  @Get('metrics')
  @Public()
  @Header('Content-Type', 'text/plain; version=0.0.4; charset=utf-8')
  render(): string {
    return this.metrics.render();
  }
}

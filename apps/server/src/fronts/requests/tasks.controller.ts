import { Controller, Get, HttpCode, Param, Post, Query, Req, type OnModuleDestroy } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request } from 'express';
import { ConsentRequests, isRequestId, type RequestStanding } from '#consent';
import { Refusal } from '#http';
import type { HostPrincipal, Principal } from '#identity';
import { Caller } from '../../http/nest.js';
import { PublicAddress } from '../../http/public-address.js';
import { AnyCaller } from '../../http/rights.js';
import { taskBody } from '../authzen/access-request.js';
import { ReviewLinks } from './review-links.js';
import { Waits } from './waits.js';
import { taskParamsSchema, taskQuerySchema, taskSchema, type TaskParams, type TaskQuery } from './wire.js';

/** Where a host's requests for consent stand, and the way to take one back. */
@Controller('access/v1/requests')
@ApiTags('authzen')
@ApiBearerAuth()
@AnyCaller()
export class TasksController implements OnModuleDestroy {
  readonly #waits = new Waits();

  constructor(
    private readonly requests: ConsentRequests,
    private readonly address: PublicAddress,
    private readonly links: ReviewLinks,
  ) {}

  /** A process that is to stop lets nobody wait: whoever asks again finds another replica. */
  onModuleDestroy(): void {
    this.#waits.close();
  }

  @Get(':id')
  @ApiOperation({ summary: 'Where a request for consent stands; waits while it is pending, if asked to' })
  @ApiOkResponse({ standardSchema: taskSchema })
  async status(
    @Caller() caller: Principal,
    @Param({ schema: taskParamsSchema }) { id }: TaskParams,
    @Query({ schema: taskQuerySchema }) { wait }: TaskQuery,
    @Req() { socket }: Request,
  ): Promise<object> {
    const host = hostOf(caller);
    const standing = await this.#waits.for({
      by: `${host.tenant} ${host.host}`,
      longest: wait * 1000,
      look: async () => (isRequestId(id) ? this.requests.find(host.tenant, id, host) : undefined),
      isOver: (found) => found?.status !== 'pending',
      isGone: () => socket.destroyed,
    });
    if (!standing) throw unknownTask(id);
    return this.#body(host, standing);
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @ApiOperation({ summary: 'Take a request for consent back' })
  @ApiOkResponse({ standardSchema: taskSchema })
  async cancel(@Caller() caller: Principal, @Param({ schema: taskParamsSchema }) { id }: TaskParams): Promise<object> {
    const host = hostOf(caller);
    const standing = isRequestId(id) ? await this.requests.cancel(host.tenant, id, host) : undefined;
    if (!standing) throw unknownTask(id);
    return this.#body(host, standing);
  }

  async #body({ tenant }: HostPrincipal, standing: RequestStanding): Promise<object> {
    return taskBody(standing, this.address.url, await this.links.to(tenant, standing.id));
  }
}

function hostOf(caller: Principal): HostPrincipal {
  if (caller.kind === 'host') return caller;
  throw new Refusal(
    'not_a_host',
    'only the host that made a request looks at it here: people answer at /api/v1/me/requests',
  );
}

const unknownTask = (id: string): Refusal => new Refusal('not_found', `there is no request '${id}' of this host`);

import { Controller, Get, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Consents } from '#consent';
import type { Principal } from '#identity';
import { subjectDigest } from '#ledger';
import type { RecordOfSubject, RecordReader } from '#store';
import { Caller } from '../../http/nest.js';
import { AnyCaller } from '../../http/rights.js';
import { cursorOf, pageOf, pageQuery, type Page } from '../paging.js';
import { pageSchema } from '../wire.js';
import { peopleOnly } from './people-only.js';

const querySchema = z.strictObject(pageQuery);
type ActivityQuery = z.output<typeof querySchema>;

const entrySchema = z
  .object({
    evaluation_id: z.string(),
    at: z.string(),
    subject: z.string().meta({ description: 'The name of mine by which it was asked.' }),
    effect: z.enum(['allow', 'deny', 'ask']),
    reason: z.string(),
    host: z.string(),
    agent: z
      .string()
      .meta({ description: 'The application that it was for; the host itself, unless it is a gateway.' }),
    server: z.string().nullable(),
    action: z.string(),
    resource: z.object({ type: z.string(), id: z.string().nullable() }),
    consents: z.array(z.string()).meta({ description: 'The consents that it rests on.' }),
  })
  .meta({ id: 'ActivityEntry', description: 'A decision about somebody.' });
type Entry = z.output<typeof entrySchema>;

const activityPageSchema = pageSchema(entrySchema).meta({ id: 'ActivityPage' });

const cursor = z.tuple([z.int().min(0), z.int().min(0)]);

/** Reads of the ledger what was decided about people. */
export class Activity {
  constructor(private readonly records: RecordReader) {}

  /** Decisions about somebody by any of their names, the newest first; one more than `size`, if there are. */
  async of(
    tenant: string,
    names: readonly string[],
    before: { readonly commit: number; readonly seq: number } | undefined,
    size: number,
  ): Promise<readonly RecordOfSubject[]> {
    return this.records.ofSubject(tenant, names.map(subjectDigest), before, size);
  }
}

/** What was decided about me. */
@Controller('api/v1/me/activity')
@ApiTags('consent')
@ApiBearerAuth()
@AnyCaller()
export class ActivityController {
  constructor(
    private readonly consents: Consents,
    private readonly activity: Activity,
  ) {}

  @Get()
  @ApiOperation({ summary: 'Decisions about me on every host, the newest first' })
  @ApiOkResponse({ standardSchema: activityPageSchema })
  async list(
    @Caller() caller: Principal,
    @Query({ schema: querySchema }) { page_size, page_token }: ActivityQuery,
  ): Promise<Page<Entry>> {
    const principal = peopleOnly(caller);
    const { names } = await this.consents.ownOf(principal);
    const from = cursorOf(page_token, cursor);
    const before = from && { commit: from[0], seq: from[1] };
    const rows = await this.activity.of(principal.tenant, names, before, page_size);
    return pageOf(rows, page_size, entryOf, ({ commit, seq }) => [commit, seq]);
  }
}

/** A record of the ledger as the person sees it that it is about: nothing of keys, policies and others' attributes. */
function entryOf({ body }: RecordOfSubject): Entry {
  const record = JSON.parse(body) as {
    readonly [name in 'evaluation_id' | 'now' | 'subject' | 'reason' | 'host' | 'action']: string;
  } & {
    readonly effect: Entry['effect'];
    readonly agent?: string;
    readonly server?: string;
    readonly resource: Entry['resource'];
    readonly consents?: string[];
  };
  return {
    evaluation_id: record.evaluation_id,
    at: record.now,
    subject: record.subject,
    effect: record.effect,
    reason: record.reason,
    host: record.host,
    agent: record.agent ?? record.host,
    server: record.server ?? null,
    action: record.action,
    resource: { type: record.resource.type, id: record.resource.id },
    consents: record.consents ?? [],
  };
}

import { Body, Controller, Get, HttpCode, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { AccessQuestions, checkSpeaksFor, type AccessRow } from '#decision';
import { Refusal } from '#http';
import { capabilityRules, type AdministratorPrincipal, type Principal } from '#identity';
import { parsePrincipal, type AccessRule, type FurtherRule, type Reach } from '#policy';
import { Caller } from '../../http/nest.js';
import { Requires } from '../../http/rights.js';
import { cursorOf, tokenOf } from '../paging.js';
import {
  actionOf,
  caslAnswerSchema,
  caslQuerySchema,
  capabilitiesAnswerSchema,
  capabilitiesRequestSchema,
  subjectsAnswerSchema,
  subjectsRequestSchema,
  type CapabilitiesAnswerBody,
  type CapabilitiesRequestBody,
  type CaslAnswerBody,
  type CaslQuery,
  type ReachBody,
  type SubjectsAnswerBody,
  type SubjectsRequestBody,
} from './wire.js';

/** Who can do what, by the documents as they are. Nothing is authorised by an answer, and none is recorded. */
@Controller('api/v1/access')
@ApiTags('access')
@ApiBearerAuth()
export class AccessController {
  constructor(private readonly questions: AccessQuestions) {}

  @Post('subjects')
  @Requires('explain', 'Access')
  @HttpCode(200)
  @ApiOperation({ summary: 'Who could do this, through which host and by which rules' })
  @ApiOkResponse({ standardSchema: subjectsAnswerSchema })
  async subjects(
    @Caller() { tenant }: AdministratorPrincipal,
    @Body({ schema: subjectsRequestSchema }) body: SubjectsRequestBody,
  ): Promise<SubjectsAnswerBody> {
    const { revision, rows, next } = await this.questions.subjects(tenant, {
      type: body.subject.type,
      action: actionOf(body),
      resource: body.resource,
      server: body.server ?? null,
      arguments: body.arguments ?? null,
      ...common(body, subjectPlace),
    });
    const items = rows.map(({ subject, host, effect, ...row }) => ({
      subject: subject!,
      host,
      effect: effect!,
      conditional: row.conditional,
      ...reasonOf(row),
      rules: row.rules.map(ruleBody),
      ...(row.more > 0 ? { more_rules: row.more } : {}),
    }));
    return { revision, items, ...nextToken(next) };
  }

  @Get('capabilities')
  @Requires('read', 'Capability', { hosts: true })
  @ApiOperation({ summary: 'What somebody may plainly do through a host, as rules that a console can hold (CASL)' })
  @ApiOkResponse({ standardSchema: caslAnswerSchema })
  async rules(
    @Caller() principal: Principal,
    @Query({ schema: caslQuerySchema }) query: CaslQuery,
  ): Promise<CaslAnswerBody> {
    const subject = subjectOf(query.subject);
    const host = hostOf(principal, subject, query.host);
    const { page_size: limit, page_token, server = null } = query;
    const { revision, rows, next } = await this.questions.capabilities(principal.tenant, {
      subject,
      server,
      host,
      context: {},
      effects: ['allow'],
      unobliged: true,
      limit,
      from: cursorOf(page_token, capabilityPlace) ?? null,
    });
    const plain = rows.filter(isPlain).map(({ action, thing }) => ({ action, ...thing }));
    return { revision, rules: capabilityRules(plain), ...nextToken(next) };
  }

  @Post('capabilities')
  @Requires('explain', 'Access')
  @HttpCode(200)
  @ApiOperation({ summary: 'What somebody could do, or anybody through a host' })
  @ApiOkResponse({ standardSchema: capabilitiesAnswerSchema })
  async capabilities(
    @Caller() { tenant }: AdministratorPrincipal,
    @Body({ schema: capabilitiesRequestSchema }) body: CapabilitiesRequestBody,
  ): Promise<CapabilitiesAnswerBody> {
    const { revision, rows, next, further, fallback } = await this.questions.capabilities(tenant, {
      subject: body.subject ?? null,
      server: body.server ?? null,
      ...common(body, capabilityPlace),
    });
    const items = rows.map(({ thing: { server, type, id }, action, host, effect, ...row }) => ({
      ...(server === null ? {} : { server }),
      resource: { type, id },
      action: { name: action },
      host,
      ...(effect === null ? {} : { effect }),
      conditional: row.conditional,
      ...reasonOf(row),
      ...(effect === null ? {} : { rules: row.rules.map(ruleBody) }),
      ...(row.more > 0 ? { more_rules: row.more } : {}),
    }));
    const beyond = further && { further: { rules: further.rules.map(furtherBody), more: further.more } };
    return { revision, items, default_effect: fallback, ...beyond, ...nextToken(next) };
  }
}

function subjectOf(text: string): { readonly type: string; readonly id: string } {
  const principal = parsePrincipal(text);
  if (principal?.kind === 'subject') return { type: principal.type, id: principal.id };
  throw new Refusal('invalid_request', 'subject: a subject is named by its type and id, as in user:ann');
}

/** The host through which. One that asks is told about itself, and about whom it may speak for. */
function hostOf(principal: Principal, subject: ReturnType<typeof subjectOf>, asked: string | undefined): string {
  if (principal.kind === 'administrator') {
    if (asked !== undefined) return asked;
    throw new Refusal('invalid_request', "'host' is missing: name the Host through which");
  }
  if (asked !== undefined && asked !== principal.host)
    throw new Refusal('forbidden', 'a host may ask about what can be done through itself only');
  checkSpeaksFor(subject, principal);
  return principal.host;
}

/** Whether it is an allow whatever the arguments are, by rules of which none is open. */
const isPlain = ({ effect, conditional, rules, more }: AccessRow): boolean =>
  effect === 'allow' && !conditional && more === 0 && rules.every(({ outcome }) => outcome === 'true');

/** Where a page begins: a person, then a host; or a server, a resource, an action, then a host. */
const subjectPlace = z.array(z.string()).min(1).max(2);
const capabilityPlace = z.array(z.string()).min(3).max(5);

const common = (
  { host, context, effects, page_size, page_token }: SubjectsRequestBody | CapabilitiesRequestBody,
  place: z.ZodType<string[]>,
) => ({ host: host ?? null, context, effects, limit: page_size, from: cursorOf(page_token, place) ?? null });

const nextToken = (next: readonly string[] | null) => (next === null ? {} : { next_page_token: tokenOf(next) });

const reasonOf = ({ denied }: Pick<AccessRow, 'denied'>) => (denied === null ? {} : { reason: denied });

const ruleBody = ({ ref, effect, outcome, asks, reached }: AccessRule) => ({
  ...ref,
  effect,
  outcome,
  asks,
  reached: reached.map(reachBody),
});

function reachBody(reach: Reach): ReachBody {
  if (reach.by !== 'role') return { ...reach };
  const { group, chain, ...rest } = reach;
  return { ...rest, ...(group === null ? {} : { group }), chain: [...chain] };
}

const furtherBody = ({ ref, reached, servers, actions, resources, via }: FurtherRule) => ({
  ...ref,
  reached: reached.map(reachBody),
  target: {
    ...(servers === null ? {} : { servers: [...servers] }),
    actions: [...actions],
    resources: resources.map(({ type, id }) => (type === null ? { id } : { type, id })),
  },
  ...(via === null ? {} : { via: [...via] }),
});

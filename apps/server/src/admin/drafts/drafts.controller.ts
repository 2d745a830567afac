import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiHeader, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { z } from 'zod';
import { Refusal } from '#http';
import { may, type AdministratorPrincipal } from '#identity';
import type { DraftListing } from '#store';
import { Caller, Conditions, type RequestConditions } from '../../http/nest.js';
import { permit, Requires } from '../../http/rights.js';
import { changeShownTo } from '../documents/documents.controller.js';
import { cursorOf, pageOf, withinSize, type Page } from '../paging.js';
import { preconditionOf } from '../preconditions.js';
import { countsOf, madeChange } from '../revisions/made-change.js';
import { madeChangeSchema, type MadeChangeBody } from '../revisions/wire.js';
import { DraftsService, type ReviewedDraft } from './drafts.service.js';
import {
  draftFilesSchema,
  draftPageSchema,
  draftParamsSchema,
  draftSchema,
  draftsQuerySchema,
  publicationSchema,
  type DraftBody,
  type DraftFilesBody,
  type DraftListingBody,
  type DraftParams,
  type DraftsQuery,
  type PublicationBody,
} from './wire.js';

/** A page begins at this document of this version of a draft. */
const draftCursor = z.tuple([z.int(), z.int().min(0)]);

/** How many problems, conflicts and warnings are shown. */
const SHOWN = 100;

/** Changes that are being prepared, and their publication. */
@Controller('api/v1/drafts')
@ApiTags('drafts')
@ApiBearerAuth()
export class DraftsController {
  constructor(private readonly drafts: DraftsService) {}

  @Get()
  @Requires('read', 'Draft', { each: true })
  @ApiOperation({ summary: 'List drafts by name, as far as the caller may read them' })
  @ApiOkResponse({ standardSchema: draftPageSchema })
  async list(
    @Caller() { tenant, ability }: AdministratorPrincipal,
    @Query({ schema: draftsQuerySchema }) { page_size, page_token }: DraftsQuery,
  ): Promise<Page<DraftListingBody>> {
    const rows = await this.drafts.reader.list(tenant, cursorOf(page_token, z.string()), page_size);
    const page = pageOf(rows, page_size, listingBody, (last) => last.name);
    return { ...page, items: page.items.filter(({ name }) => may(ability, 'read', 'Draft', name)) };
  }

  @Get(':name')
  @Requires('read', 'Draft', { each: true })
  @ApiOperation({
    summary: 'A draft: what publishing it would change, and what stands in the way; its version is the ETag',
  })
  @ApiOkResponse({ standardSchema: draftSchema })
  async get(
    @Caller() principal: AdministratorPrincipal,
    @Param({ schema: draftParamsSchema }) { name }: DraftParams,
    @Query({ schema: draftsQuerySchema }) query: DraftsQuery,
    @Res({ passthrough: true }) response: Response,
  ): Promise<DraftBody> {
    permit(principal, 'read', 'Draft', name);
    const reviewed = await this.drafts.review(principal.tenant, name);
    response.setHeader('ETag', `"${reviewed.draft.version}"`);
    return draftBody(principal, reviewed, query);
  }

  @Put(':name')
  @Requires('write', 'Draft', { each: true })
  @ApiOperation({ summary: 'Save a draft, new or anew; it is then based on the present revision' })
  @ApiHeader({
    name: 'If-Match',
    required: false,
    description: 'The version that is replaced; required where there is one.',
  })
  @ApiHeader({ name: 'If-None-Match', required: false, description: '* where there must be none yet.' })
  @ApiOkResponse({ standardSchema: draftSchema })
  async save(
    @Caller() principal: AdministratorPrincipal,
    @Param({ schema: draftParamsSchema }) { name }: DraftParams,
    @Conditions() conditions: RequestConditions,
    @Body({ schema: draftFilesSchema }) body: DraftFilesBody,
    @Query({ schema: draftsQuerySchema }) query: DraftsQuery,
    @Res({ passthrough: true }) response: Response,
  ): Promise<DraftBody> {
    permit(principal, 'write', 'Draft', name);
    permit(principal, 'read', 'Draft', name);
    const saved = await this.drafts.save(principal, name, body, preconditionOf(conditions));
    response.status(saved === 'created' ? 201 : 200);
    return this.get(principal, { name }, query, response);
  }

  @Delete(':name')
  @Requires('delete', 'Draft', { each: true })
  @HttpCode(204)
  @ApiOperation({ summary: 'Throw a draft away' })
  @ApiHeader({ name: 'If-Match', required: true, description: 'The version that is thrown away.' })
  @ApiNoContentResponse()
  async discard(
    @Caller() principal: AdministratorPrincipal,
    @Param({ schema: draftParamsSchema }) { name }: DraftParams,
    @Conditions() conditions: RequestConditions,
  ): Promise<void> {
    permit(principal, 'delete', 'Draft', name);
    await this.drafts.discard(principal, name, preconditionOf(conditions));
  }

  @Post(':name/approve')
  @Requires('publish', 'Draft', { each: true })
  @HttpCode(200)
  @ApiOperation({ summary: 'Approve of a draft as it is, where two people must have seen what is published' })
  @ApiHeader({ name: 'If-Match', required: true, description: 'The version that was looked at.' })
  @ApiOkResponse({ standardSchema: draftSchema })
  async approve(
    @Caller() principal: AdministratorPrincipal,
    @Param({ schema: draftParamsSchema }) { name }: DraftParams,
    @Conditions() conditions: RequestConditions,
    @Query({ schema: draftsQuerySchema }) query: DraftsQuery,
    @Res({ passthrough: true }) response: Response,
  ): Promise<DraftBody> {
    permit(principal, 'publish', 'Draft', name);
    permit(principal, 'read', 'Draft', name);
    await this.drafts.approve(principal, name, preconditionOf(conditions));
    return this.get(principal, { name }, query, response);
  }

  @Post(':name/publish')
  @Requires('publish', 'Draft', { each: true })
  @HttpCode(200)
  @ApiOperation({ summary: 'Make a draft hold, as one change, all or none' })
  @ApiHeader({ name: 'If-Match', required: false, description: 'The version that was looked at.' })
  @ApiOkResponse({ standardSchema: madeChangeSchema })
  async publish(
    @Caller() principal: AdministratorPrincipal,
    @Param({ schema: draftParamsSchema }) { name }: DraftParams,
    @Conditions() conditions: RequestConditions,
    @Body({ schema: publicationSchema }) body: PublicationBody,
  ): Promise<MadeChangeBody> {
    permit(principal, 'publish', 'Draft', name);
    return madeChange(await this.drafts.publish(principal, name, body, preconditionOf(conditions)));
  }
}

function listingBody({
  name,
  version,
  baseRevision,
  description,
  prune,
  changedBy,
  changedAt,
  seenBy,
}: DraftListing): DraftListingBody {
  return {
    name,
    version,
    base_revision: baseRevision,
    ...(description === null ? {} : { description }),
    prune,
    changed_by: changedBy,
    changed_at: changedAt,
    seen_by: seenBy.map(({ person, how, at }) => ({ person, how, at })),
  };
}

function draftBody(
  principal: AdministratorPrincipal,
  { draft, outcome, conflicts }: ReviewedDraft,
  { page_size, page_token }: DraftsQuery,
): DraftBody {
  const [version, from] = cursorOf(page_token, draftCursor) ?? [draft.version, 0];
  if (version !== draft.version)
    throw new Refusal('invalid_request', 'page_token: the draft has been saved anew: begin again');
  const rows = outcome.documents.slice(from, from + page_size + 1);
  const size = withinSize(rows, page_size);
  const { items, ...next } = pageOf(rows, size, changeShownTo(principal), () => [version, from + size]);
  return {
    ...listingBody(draft),
    counts: countsOf(outcome.documents),
    documents: [...items],
    ...next,
    problems: 'problems' in outcome ? outcome.problems.slice(0, SHOWN).map((problem) => ({ ...problem })) : [],
    conflicts: conflicts.slice(0, SHOWN),
    warnings: 'problems' in outcome ? [] : outcome.warnings().slice(0, SHOWN),
  };
}

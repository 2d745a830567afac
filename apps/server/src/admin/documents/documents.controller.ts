import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiBody, ApiConsumes, ApiHeader, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { z } from 'zod';
import { Refusal } from '#http';
import { DOCUMENT_OBJECTS, may, type AdministratorPrincipal } from '#identity';
import type { TestReport } from '#policy';
import { BodyText, Caller, Conditions, type RequestConditions } from '../../http/nest.js';
import { checkRight, permit, Requires } from '../../http/rights.js';
import { cursorOf, pageOf, type Page } from '../paging.js';
import { preconditionOf } from '../preconditions.js';
import { messageQuerySchema, type MessageQuery } from '../wire.js';
import { DocumentsService, notFound, versionBody, type AppliedChange } from './documents.service.js';
import type { PlannedDocument, Wanted } from './plan.js';
import {
  changeSchema,
  documentPageSchema,
  documentParamsSchema,
  filesSchema,
  listQuerySchema,
  storedDocumentSchema,
  versionParamsSchema,
  versionsQuerySchema,
  type ChangeBody,
  type DocumentParams,
  type FilesBody,
  type ListQuery,
  type VersionParams,
  type VersionsQuery,
} from './wire.js';

/** Policies and everything else that is written as documents. */
@Controller('api/v1/documents')
@ApiTags('documents')
@ApiBearerAuth()
export class DocumentsController {
  constructor(private readonly documents: DocumentsService) {}

  @Get()
  @Requires('read', DOCUMENT_OBJECTS, { each: true })
  @ApiOperation({ summary: 'List documents by kind and name, as far as the caller may read them' })
  @ApiOkResponse({ standardSchema: documentPageSchema })
  async list(
    @Caller() principal: AdministratorPrincipal,
    @Query({ schema: listQuerySchema }) { kind, page_size, page_token }: ListQuery,
  ): Promise<Page<unknown>> {
    if (kind) checkRight(principal, { action: 'read', on: [kind], each: true, hosts: false });
    const after = cursorOf(page_token, z.tuple([z.string(), z.string()]));
    const cursor = after && { kind: after[0], name: after[1] };
    const rows = await this.documents.reader.list(principal.tenant, kind, cursor, page_size);
    const page = pageOf(rows, page_size, versionBody, (last) => [last.kind, last.name]);
    return { ...page, items: page.items.filter((row) => may(principal.ability, 'read', row.kind, row.name)) };
  }

  @Post('validate')
  @Requires('test', 'Draft')
  @HttpCode(200)
  @ApiOperation({ summary: 'Say what documents would change, or what is wrong with them, without saving' })
  @ApiOkResponse({ standardSchema: changeSchema })
  async validate(
    @Caller() principal: AdministratorPrincipal,
    @Body({ schema: filesSchema }) body: FilesBody,
  ): Promise<ChangeBody> {
    const { plan, tests } = await this.documents.validate(principal.tenant, wantedBy(body));
    return { documents: plan.documents.map(changeShownTo(principal)), warnings: plan.warnings(), ...testsBody(tests) };
  }

  @Post('apply')
  @Requires('write', DOCUMENT_OBJECTS, { each: true })
  @HttpCode(200)
  @ApiOperation({ summary: 'Save many documents as one change, all or none' })
  @ApiOkResponse({ standardSchema: changeSchema })
  async apply(
    @Caller() principal: AdministratorPrincipal,
    @Body({ schema: filesSchema }) body: FilesBody,
    @Query({ schema: messageQuerySchema }) about: MessageQuery,
  ): Promise<ChangeBody> {
    if (body.dry_run) return this.validate(principal, body);
    return changeBody(principal, await this.documents.apply(principal, wantedBy(body), about));
  }

  @Get(':kind/:name')
  @Requires('read', DOCUMENT_OBJECTS, { each: true })
  @ApiOperation({ summary: 'The latest version of a document; its version is the ETag' })
  @ApiOkResponse({ standardSchema: storedDocumentSchema })
  async get(
    @Caller() principal: AdministratorPrincipal,
    @Param({ schema: documentParamsSchema }) { kind, name }: DocumentParams,
    @Res({ passthrough: true }) response: Response,
  ): Promise<object> {
    permit(principal, 'read', kind, name);
    const found = await this.documents.reader.find(principal.tenant, kind, name);
    if (!found) throw notFound(kind, name);
    response.setHeader('ETag', `"${found.version}"`);
    return versionBody(found);
  }

  @Put(':kind/:name')
  @Requires('write', DOCUMENT_OBJECTS, { each: true })
  @ApiOperation({ summary: 'Save a document, new or changed' })
  @ApiConsumes('application/json', 'application/yaml')
  @ApiBody({ schema: { $ref: '#/components/schemas/Document' } })
  @ApiHeader({
    name: 'If-Match',
    required: false,
    description: 'The version that is replaced; required where there is one.',
  })
  @ApiHeader({ name: 'If-None-Match', required: false, description: '* where there must be none yet.' })
  @ApiOkResponse({ standardSchema: changeSchema })
  async put(
    @Caller() principal: AdministratorPrincipal,
    @Param({ schema: documentParamsSchema }) { kind, name }: DocumentParams,
    @Conditions() conditions: RequestConditions,
    @BodyText() text: string,
    @Query({ schema: messageQuerySchema }) about: MessageQuery,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ChangeBody> {
    permit(principal, 'write', kind, name);
    const change = await this.documents.put(principal, kind, name, { text }, preconditionOf(conditions), about);
    const [document] = change.documents;
    response.status(document!.change === 'created' ? 201 : 200).setHeader('ETag', `"${document!.version}"`);
    return changeBody(principal, change);
  }

  @Delete(':kind/:name')
  @Requires('delete', DOCUMENT_OBJECTS, { each: true })
  @ApiOperation({ summary: 'Delete a document; its versions are kept' })
  @ApiHeader({ name: 'If-Match', required: true, description: 'The version that is deleted.' })
  @ApiOkResponse({ standardSchema: changeSchema })
  async remove(
    @Caller() principal: AdministratorPrincipal,
    @Param({ schema: documentParamsSchema }) { kind, name }: DocumentParams,
    @Conditions() conditions: RequestConditions,
    @Query({ schema: messageQuerySchema }) about: MessageQuery,
  ): Promise<ChangeBody> {
    permit(principal, 'delete', kind, name);
    return changeBody(principal, await this.documents.remove(principal, kind, name, preconditionOf(conditions), about));
  }

  @Get(':kind/:name/versions')
  @Requires('read', DOCUMENT_OBJECTS, { each: true })
  @ApiOperation({ summary: 'Every version of a document, newest first' })
  @ApiOkResponse({ standardSchema: documentPageSchema })
  async versions(
    @Caller() principal: AdministratorPrincipal,
    @Param({ schema: documentParamsSchema }) { kind, name }: DocumentParams,
    @Query({ schema: versionsQuerySchema }) { page_size, page_token }: VersionsQuery,
  ): Promise<Page<unknown>> {
    permit(principal, 'read', kind, name);
    const before = cursorOf(page_token, z.int().max(2_147_483_647));
    const rows = await this.documents.reader.versions(principal.tenant, kind, name, before, page_size);
    if (rows.length === 0 && before === undefined) throw notFound(kind, name);
    return pageOf(rows, page_size, versionBody, (last) => last.version);
  }

  @Get(':kind/:name/versions/:version')
  @Requires('read', DOCUMENT_OBJECTS, { each: true })
  @ApiOperation({ summary: 'One version of a document' })
  @ApiOkResponse({ standardSchema: storedDocumentSchema })
  async version(
    @Caller() principal: AdministratorPrincipal,
    @Param({ schema: versionParamsSchema }) { kind, name, version }: VersionParams,
  ): Promise<object> {
    permit(principal, 'read', kind, name);
    const found = await this.documents.reader.version(principal.tenant, kind, name, version);
    if (!found) throw new Refusal('not_found', `there is no version ${version} of the ${kind} '${name}'`);
    return versionBody(found);
  }
}

const wantedBy = ({ files, prune }: FilesBody): Wanted => ({
  sources: files.map(({ path, text }) => ({ file: path, text })),
  deletions: [],
  prune,
});

const changeBody = (
  principal: AdministratorPrincipal,
  { revision, documents, warnings, tests }: AppliedChange,
): ChangeBody => ({
  revision,
  documents: documents.map(changeShownTo(principal)),
  warnings: [...warnings()],
  ...testsBody(tests),
});

function testsBody(report: TestReport | undefined): Pick<ChangeBody, 'tests'> {
  if (!report) return {};
  const { tests, cases, coverage } = report;
  return { tests: { documents: tests, cases, coverage: { ...coverage, uncovered: [...coverage.uncovered] } } };
}

/** Planned documents on the wire; what stays as it is, and what the caller may not read, without contents. */
export const changeShownTo =
  ({ ability }: AdministratorPrincipal) =>
  (planned: PlannedDocument & { version?: number | undefined }): ChangeBody['documents'][number] => {
    const { kind, name, change, before, after, version } = planned;
    const isShown = change !== 'unchanged' && may(ability, 'read', kind, name);
    return {
      kind,
      name,
      change,
      ...(version === undefined ? {} : { version }),
      ...(isShown && before ? { before } : {}),
      ...(isShown && after ? { after } : {}),
    };
  };

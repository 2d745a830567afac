import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiBody, ApiConsumes, ApiHeader, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { z } from 'zod';
import { Refusal } from '#http';
import type { AdministratorPrincipal } from '#identity';
import type { TestReport } from '#policy';
import { BodyText, Caller, Conditions, Requires, type RequestConditions } from '../../http/nest.js';
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
  @Requires('read')
  @ApiOperation({ summary: 'List documents by kind and name' })
  @ApiOkResponse({ standardSchema: documentPageSchema })
  async list(
    @Caller() { tenant }: AdministratorPrincipal,
    @Query({ schema: listQuerySchema }) { kind, page_size, page_token }: ListQuery,
  ): Promise<Page<unknown>> {
    const after = cursorOf(page_token, z.tuple([z.string(), z.string()]));
    const cursor = after && { kind: after[0], name: after[1] };
    const rows = await this.documents.reader.list(tenant, kind, cursor, page_size);
    return pageOf(rows, page_size, versionBody, (last) => [last.kind, last.name]);
  }

  @Post('validate')
  @Requires('read')
  @HttpCode(200)
  @ApiOperation({ summary: 'Say what documents would change, or what is wrong with them, without saving' })
  @ApiOkResponse({ standardSchema: changeSchema })
  async validate(
    @Caller() { tenant }: AdministratorPrincipal,
    @Body({ schema: filesSchema }) body: FilesBody,
  ): Promise<ChangeBody> {
    const { plan, tests } = await this.documents.validate(tenant, wantedBy(body));
    return { documents: plan.documents.map(changeOf), warnings: plan.warnings(), ...testsBody(tests) };
  }

  @Post('apply')
  @Requires('write')
  @HttpCode(200)
  @ApiOperation({ summary: 'Save many documents as one change, all or none' })
  @ApiOkResponse({ standardSchema: changeSchema })
  async apply(
    @Caller() principal: AdministratorPrincipal,
    @Body({ schema: filesSchema }) body: FilesBody,
    @Query({ schema: messageQuerySchema }) about: MessageQuery,
  ): Promise<ChangeBody> {
    if (body.dry_run) return this.validate(principal, body);
    return changeBody(await this.documents.apply(principal, wantedBy(body), about));
  }

  @Get(':kind/:name')
  @Requires('read')
  @ApiOperation({ summary: 'The latest version of a document; its version is the ETag' })
  @ApiOkResponse({ standardSchema: storedDocumentSchema })
  async get(
    @Caller() { tenant }: AdministratorPrincipal,
    @Param({ schema: documentParamsSchema }) { kind, name }: DocumentParams,
    @Res({ passthrough: true }) response: Response,
  ): Promise<object> {
    const found = await this.documents.reader.find(tenant, kind, name);
    if (!found) throw notFound(kind, name);
    response.setHeader('ETag', `"${found.version}"`);
    return versionBody(found);
  }

  @Put(':kind/:name')
  @Requires('write')
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
    const change = await this.documents.put(principal, kind, name, { text }, preconditionOf(conditions), about);
    const [document] = change.documents;
    response.status(document!.change === 'created' ? 201 : 200).setHeader('ETag', `"${document!.version}"`);
    return changeBody(change);
  }

  @Delete(':kind/:name')
  @Requires('write')
  @ApiOperation({ summary: 'Delete a document; its versions are kept' })
  @ApiHeader({ name: 'If-Match', required: true, description: 'The version that is deleted.' })
  @ApiOkResponse({ standardSchema: changeSchema })
  async remove(
    @Caller() principal: AdministratorPrincipal,
    @Param({ schema: documentParamsSchema }) { kind, name }: DocumentParams,
    @Conditions() conditions: RequestConditions,
    @Query({ schema: messageQuerySchema }) about: MessageQuery,
  ): Promise<ChangeBody> {
    return changeBody(await this.documents.remove(principal, kind, name, preconditionOf(conditions), about));
  }

  @Get(':kind/:name/versions')
  @Requires('read')
  @ApiOperation({ summary: 'Every version of a document, newest first' })
  @ApiOkResponse({ standardSchema: documentPageSchema })
  async versions(
    @Caller() { tenant }: AdministratorPrincipal,
    @Param({ schema: documentParamsSchema }) { kind, name }: DocumentParams,
    @Query({ schema: versionsQuerySchema }) { page_size, page_token }: VersionsQuery,
  ): Promise<Page<unknown>> {
    const before = cursorOf(page_token, z.int().max(2_147_483_647));
    const rows = await this.documents.reader.versions(tenant, kind, name, before, page_size);
    if (rows.length === 0 && before === undefined) throw notFound(kind, name);
    return pageOf(rows, page_size, versionBody, (last) => last.version);
  }

  @Get(':kind/:name/versions/:version')
  @Requires('read')
  @ApiOperation({ summary: 'One version of a document' })
  @ApiOkResponse({ standardSchema: storedDocumentSchema })
  async version(
    @Caller() { tenant }: AdministratorPrincipal,
    @Param({ schema: versionParamsSchema }) { kind, name, version }: VersionParams,
  ): Promise<object> {
    const found = await this.documents.reader.version(tenant, kind, name, version);
    if (!found) throw new Refusal('not_found', `there is no version ${version} of the ${kind} '${name}'`);
    return versionBody(found);
  }
}

const wantedBy = ({ files, prune }: FilesBody): Wanted => ({
  sources: files.map(({ path, text }) => ({ file: path, text })),
  deletions: [],
  prune,
});

const changeBody = ({ revision, documents, warnings, tests }: AppliedChange): ChangeBody => ({
  revision,
  documents: documents.map(changeOf),
  warnings: [...warnings()],
  ...testsBody(tests),
});

function testsBody(report: TestReport | undefined): Pick<ChangeBody, 'tests'> {
  if (!report) return {};
  const { tests, cases, coverage } = report;
  return { tests: { documents: tests, cases, coverage: { ...coverage, uncovered: [...coverage.uncovered] } } };
}

/** A planned document on the wire; what stays as it is, without its contents. */
export function changeOf({
  kind,
  name,
  change,
  before,
  after,
  version,
}: PlannedDocument & { version?: number | undefined }): ChangeBody['documents'][number] {
  return {
    kind,
    name,
    change,
    ...(version === undefined ? {} : { version }),
    ...(change === 'unchanged' || !before ? {} : { before: before }),
    ...(change === 'unchanged' || !after ? {} : { after: after }),
  };
}

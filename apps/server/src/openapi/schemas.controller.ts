import { Controller, Get, Header } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { documentJsonSchema, type JsonObject } from '#policy';
import { Public } from '../http/rights.js';

const SCHEMA = documentJsonSchema();

/** The JSON Schema of documents, which editors load without a key. */
@Controller('schemas')
@ApiExcludeController()
export class SchemasController {
  @Get('document.json')
  @Public()
  @Header('Content-Type', 'application/schema+json; charset=utf-8')
  @Header('Cache-Control', 'max-age=300')
  get(): JsonObject {
    return SCHEMA;
  }
}

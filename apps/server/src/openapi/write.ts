import 'reflect-metadata';
import { readFileSync, writeFileSync } from 'node:fs';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { AppModule, type Parts } from '../app.module.js';
import { declaredRoutes } from '../http/declared-rights.js';
import { openApiOf } from './document.js';

/** Writes openapi.json; with `--check`, says instead whether the committed one is what the code describes. */
const path = 'openapi.json';

// Only described, never asked: nothing behind the routes is touched.
const app = await NestFactory.create<NestExpressApplication>(AppModule.of({} as Parts), {
  bodyParser: false,
  logger: false,
});
const text = `${JSON.stringify(openApiOf(app, declaredRoutes(app)), null, 2)}\n`;
if (!process.argv.includes('--check')) {
  writeFileSync(path, text);
  process.stdout.write(`${path} written\n`);
} else if (readFileSync(path, 'utf8') !== text) {
  process.stderr.write(`${path} is not what the code describes: run npm run openapi and commit it\n`);
  process.exitCode = 1;
}

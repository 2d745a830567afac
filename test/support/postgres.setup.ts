import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { startEmbeddedPostgres } from '#embedded-postgres';
import { prepareDatabase } from '#store';
import { databaseOf, TEMPLATE, withServer } from './server.js';

/**
 * One Postgres for the whole run, with a database in it that is migrated and empty. Each spec that needs one makes a copy of its
 * own (`freshDatabase`). The roles of the cluster are made here as well, so that no two specs make them at once.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = mkdtempSync(join(tmpdir(), 'placet-tests-'));
  const postgres = await startEmbeddedPostgres({ directory: join(directory, 'postgres'), volatile: true });
  await withServer(postgres.url, (client) => client.query(`create database ${TEMPLATE}`));
  await prepareDatabase({ url: databaseOf(postgres.url, TEMPLATE) });
  project.provide('postgresUrl', postgres.url);
  return async () => {
    await postgres.stop();
    rmSync(directory, { recursive: true, force: true });
  };
}

declare module 'vitest' {
  export interface ProvidedContext {
    postgresUrl: string;
  }
}

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { NamedSecrets } from '#config';
import { startEmbeddedPostgres } from '#embedded-postgres';
import { Log } from '../../apps/server/src/operations/log.js';
import { startService } from '../../apps/server/src/service.js';

/** A Placet with a database of its own, for what is run by hand. */
export interface Standalone {
  readonly url: string;
  readonly ownerKey: string;
  /** The key of the quickstart's host; empty where the quickstart was not loaded. */
  readonly hostKey: string;
  stop(): Promise<void>;
}

export interface StandaloneOptions {
  /** Where the database lives. */
  readonly directory: string;
  readonly quickstart: boolean;
  /** Those that documents name. */
  readonly secrets?: NamedSecrets;
  /** As the service has it. */
  readonly devicePollSeconds?: number;
  /** Told what takes time. */
  readonly progress: (text: string) => void;
}

/** Starts the service on a free port and an embedded database below a directory. What fails leaves nothing running. */
export async function startStandalone({
  directory,
  quickstart,
  secrets,
  devicePollSeconds,
  progress,
}: StandaloneOptions): Promise<Standalone> {
  const postgres = await startEmbeddedPostgres({ directory: join(directory, 'postgres'), volatile: true, progress });
  try {
    const service = await startService({
      host: '127.0.0.1',
      port: 0,
      publicUrl: undefined,
      environment: 'dev',
      bootstrapKey: undefined,
      quickstart,
      ...(secrets ? { secrets } : {}),
      ...(devicePollSeconds === undefined ? {} : { devicePollSeconds }),
      database: { url: postgres.url },
      pepper: randomBytes(32),
      log: new Log('error', progress),
      progress,
    });
    const { owner, quickstartHost } = service.firstKeys;
    const stop = async () => {
      await service.stop();
      await postgres.stop();
    };
    return { url: service.url, ownerKey: owner!, hostKey: quickstartHost ?? '', stop };
  } catch (error) {
    await postgres.stop();
    throw error;
  }
}

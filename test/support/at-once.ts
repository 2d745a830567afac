import { setTimeout as sleep } from 'node:timers/promises';
import type { TestDatabase } from './database.js';

/** How long a change takes at the most to come as far as its commit. */
const PLANNED_MS = 400;

/**
 * Makes changes of a tenant that are all planned on the same state, and committed in their order: none is let through before
 * all of them wait.
 */
export async function atOnce<T extends readonly (() => Promise<unknown>)[]>(
  database: TestDatabase,
  ...changes: T
): Promise<{ [K in keyof T]: Awaited<ReturnType<T[K]>> }> {
  const superuser = await database.connect('superuser');
  const lock = (call: string) => superuser.query(`select ${call}(placet.lock_key($1))`, [database.tenant]);
  await lock('pg_advisory_lock');
  const made: Promise<unknown>[] = [];
  try {
    for (const change of changes) {
      made.push(change());
      await sleep(PLANNED_MS);
    }
  } finally {
    await lock('pg_advisory_unlock');
  }
  return Promise.all(made) as Promise<{ [K in keyof T]: Awaited<ReturnType<T[K]>> }>;
}

import fc from 'fast-check';
import { vi } from 'vitest';

/**
 * Random cases are the same at every run, so that a red test is red again when it is looked at. `PLACET_TEST_SEED=random`
 * (or any number) tries others; `npm run bench -- laws` tries a million.
 */
const seed = process.env.PLACET_TEST_SEED ?? '20261121';
if (seed !== 'random') fc.configureGlobal({ seed: Number(seed) });

/** Laws that are tried with more cases than usual take as many times as long, which is no failure. */
const runs = Number(process.env.PLACET_LAW_RUNS ?? 0);
if (runs > 1000) vi.setConfig({ testTimeout: runs * 60 });

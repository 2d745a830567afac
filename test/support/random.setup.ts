import fc from 'fast-check';

/**
 * Random cases are the same at every run, so that a red test is red again when it is looked at. `PLACET_TEST_SEED=random`
 * (or any number) tries others; `npm run bench -- laws` tries a million.
 */
const seed = process.env.PLACET_TEST_SEED ?? '20261121';
if (seed !== 'random') fc.configureGlobal({ seed: Number(seed) });

import { configDefaults, defineConfig } from 'vitest/config';

const conditions = ['placet-source'];

// eslint-disable-next-line no-restricted-exports -- the form that vitest reads
export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  // The environment in which the global set-up runs.
  environments: { __vitest__: { resolve: { conditions } } },
  test: {
    setupFiles: ['test/support/random.setup.ts'],
    pool: 'forks',
    // All cores: what specs wait for (a service, a database, a program) is mostly idle itself.
    maxWorkers: '100%',
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'pure',
          include: ['libs/{policy,mcp}/**/*.spec.ts'],
          exclude: [...configDefaults.exclude, '**/*.db.spec.ts'],
          // What is pure leaves nothing behind for the next file, and takes longer to load than to try.
          isolate: false,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'parts',
          include: ['{apps,libs,migrations,test}/**/*.spec.ts'],
          exclude: [...configDefaults.exclude, 'libs/{policy,mcp}/**/!(*.db).spec.ts'],
          globalSetup: ['test/support/postgres.setup.ts'],
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});

// Which part may import which (docs/adr/0002-shape.md). Run by `npm run check`.
/** Libraries that are functions of their arguments: no file, no network, no clock, and nothing of ours. */
const PURE = ['policy', 'mcp', 'protection', 'scim'];

/** The one folder that may import a package, so that there is one place to look when it changes. */
const VENDORS = [
  { packages: ['typeorm'], folders: ['libs/store', 'migrations'] },
  { packages: ['pg'], folders: ['libs/store', 'libs/embedded-postgres', 'test'] },
  { packages: ['@marcbachmann/cel-js', 're2js', 'ajv', 'yaml'], folders: ['libs/policy'] },
  {
    packages: ['@nestjs/[^/]+', 'express', 'rxjs', 'reflect-metadata'],
    folders: ['apps/server', 'libs/http', 'test/architecture'],
  },
  { packages: ['jose'], folders: ['libs/identity', 'test'] },
  { packages: ['oidc-provider'], folders: ['apps/server/src/oauth', 'test'] },
  { packages: ['openid-client'], folders: ['apps/server/src/sign-in', 'apps/cli', 'test'] },
  { packages: ['@node-saml/[^/]+', '@xmldom/[^/]+', 'xml-crypto', 'xml-encryption'], folders: ['libs/saml', 'test'] },
  // test/support starts real directories and fills them.
  { packages: ['ldapts'], folders: ['libs/directory', 'test'] },
  { packages: ['@casl/ability'], folders: ['libs/identity', 'test'] },
  { packages: ['playwright-core'], folders: ['test'] },
  { packages: ['@embedded-postgres/[^/]+'], folders: ['libs/embedded-postgres'] },
  { packages: ['@modelcontextprotocol/[^/]+'], folders: ['test', 'libs/client'] },
];

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'libs-do-not-import-apps',
      severity: 'error',
      from: { path: '^libs/' },
      to: { path: '^(apps|migrations|test)/', pathNot: '^(migrations|test/support)/' },
    },
    {
      name: 'apps-do-not-import-apps',
      severity: 'error',
      from: { path: '^apps/([^/]+)/' },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    {
      name: 'libs-are-entered-by-their-index',
      comment: 'Import #name (or #name/testing in specs), not a file inside another library.',
      severity: 'error',
      from: { path: '^(apps|libs|test)/([^/]+)/' },
      to: {
        path: '^libs/',
        pathNot: [
          '^libs/$2/',
          '^libs/[^/]+/index\\.ts$',
          '^libs/[^/]+/testing/index\\.ts$',
          '^libs/client/node/index\\.ts$',
        ],
      },
    },
    {
      name: 'testing-is-for-specs',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: ['\\.spec\\.ts$', '/testing/'] },
      to: { path: '/testing/' },
    },
    {
      name: 'pure-libs-import-nothing-of-ours',
      severity: 'error',
      from: { path: `^libs/(${PURE.join('|')})/`, pathNot: '\\.spec\\.ts$' },
      // libs/mcp speaks of policy's JSON and references; both are pure.
      to: { path: '^(libs|apps)/', pathNot: [`^libs/(${PURE.join('|')})/`] },
    },
    {
      name: 'pure-libs-do-no-io',
      severity: 'error',
      from: { path: `^libs/(${PURE.join('|')})/`, pathNot: ['\\.spec\\.ts$', '/testing/'] },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?crypto$' },
    },
    {
      name: 'not-to-dev-dependencies',
      severity: 'error',
      from: { path: '^(apps|libs|migrations)/', pathNot: ['\\.spec\\.ts$', '/testing/'] },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-orphans',
      severity: 'error',
      from: { orphan: true, pathNot: ['\\.spec\\.ts$', '\\.d\\.ts$', '^test/'] },
      to: {},
    },
    ...VENDORS.map(({ packages, folders }) => ({
      name: `only-${folders[0].replace('/', '-')}-imports-${packages[0].replace(/[^a-z-]/g, '')}`,
      severity: 'error',
      from: { path: '^(apps|libs|migrations|test)/', pathNot: folders.map((folder) => `^${folder}/`) },
      to: { path: packages.map((name) => `^node_modules/${name}/`) },
    })),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|test/bench/peers)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    // Without our condition, imports of #names resolve into dist, and the rules see nothing.
    enhancedResolveOptions: {
      conditionNames: ['placet-source', 'import', 'node', 'default'],
      exportsFields: ['exports'],
    },
  },
};

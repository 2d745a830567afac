import { revocation } from './revocation/revocation.js';
import { service } from './service/service.js';
import { consents } from './consents/consents.js';
import { engine } from './engine/engine.js';
import { laws } from './laws/laws.js';
import { page } from './page.js';
import { publish } from './publish/publish.js';
import { tenants } from './tenants/tenants.js';

/** Benches by name: each prints tables and one line of JSON, and answers whether its bars are met; `page` runs them all. */
const BENCHES: Readonly<Record<string, (given: readonly string[]) => Promise<boolean>>> = {
  consents,
  engine,
  laws,
  page,
  publish,
  service,
  revocation,
  tenants,
};

const [name = '', ...given] = process.argv.slice(2);
const bench = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined;
if (!bench) {
  console.error(`usage: npm run bench -- ${Object.keys(BENCHES).join('|')}`);
  process.exit(2);
}
process.exit((await bench(given)) ? 0 : 1);

import type { DemoOptions, DemoVerdict } from './demo.js';
import { runDemo } from './run.js';
import { runSsoDemo } from './sso/run.js';

type Demo = (options: DemoOptions) => Promise<DemoVerdict>;

/** Demos by name; the one of the quickstart has none. */
const DEMOS: Readonly<Record<string, Demo>> = { '': runDemo, sso: runSsoDemo };

/** The demo that a command line means; undefined: there is none. */
export function demoOf([name = '', ...others]: readonly string[]): Demo | undefined {
  return others.length === 0 && Object.hasOwn(DEMOS, name) ? DEMOS[name] : undefined;
}

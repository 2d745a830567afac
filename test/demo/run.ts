import { Client } from '@modelcontextprotocol/client';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createPlacetClient, guardClient, logTo, PlacetRefusal } from '#client';
import { resolveRealpath } from '#client/node';
import { endAll, type DemoOptions, type DemoVerdict } from './demo.js';
import { DEMO_OPERATIONS, EXPECTED_JOURNAL, type DemoClient, type DemoOperation } from './operations.js';
import type { DemoOutcome } from './outcome.js';
import { makeSandbox, PRIVATE_KEY, type Sandbox } from './sandbox.js';
import { SERVERS, transportTo, type ServerName } from './servers.js';
import { startStandalone, type Standalone } from '../support/standalone.js';
import { setHome } from './home.js';
import { block, closing, opening, ruleOf, shortBlock } from './transcript.js';
import { witnessed } from './witness.js';

export interface DemoReport extends DemoVerdict {
  readonly outcomes: readonly DemoOutcome[];
  /** The calls that the company's servers have received. */
  readonly journal: readonly string[];
}

/** Runs the demo from an empty directory to an empty directory. Rejects if it cannot be carried through. */
export async function runDemo(options: DemoOptions): Promise<DemoReport> {
  const sandbox = makeSandbox();
  const ending: (() => Promise<void>)[] = [async () => sandbox.remove()];
  try {
    options.signal?.throwIfAborted();
    const service = await startStandalone({
      directory: sandbox.directory,
      quickstart: true,
      progress: options.progress,
    });
    ending.push(() => service.stop());
    await setHome(service, 'user:ann', sandbox.home);
    const stage = await openStage(service);
    ending.push(() => stage.close());
    return await perform(stage, service, sandbox, options);
  } finally {
    await endAll(ending);
  }
}

interface Stage {
  readonly placet: ReturnType<typeof witnessed>;
  readonly clients: ReadonlyMap<ServerName, DemoClient>;
  /** What the application was obliged to log, and not shown yet. */
  readonly log: string[];
  close(): Promise<void>;
}

/** An MCP client for each server, with Placet in front of it. Nothing is connected yet. */
async function openStage({ url, hostKey }: Standalone): Promise<Stage> {
  const placet = witnessed(createPlacetClient({ url, key: hostKey }));
  const log: string[] = [];
  const obligations = {
    resolve_realpath: resolveRealpath,
    log: logTo(({ level, subject, operation }) => void log.push(`${subject} ${operation} (${level})`)),
  };
  const bare: Client[] = [];
  const clients = new Map<ServerName, DemoClient>();
  for (const server of SERVERS) {
    const client = new Client({ name: 'placet-demo', version: '1.0.0' });
    bare.push(client);
    clients.set(server, guardClient(client, { placet, subject: { type: 'user', id: 'ann' }, server, obligations }));
  }
  const close = async () => {
    await Promise.all(bare.map((client) => client.close()));
  };
  return { placet, clients, log, close };
}

async function perform(
  stage: Stage,
  service: Standalone,
  sandbox: Sandbox,
  { write, colours, signal }: DemoOptions,
): Promise<DemoReport> {
  write(opening(service.url, sandbox.home));
  const outcomes: DemoOutcome[] = [];
  let number = 0;
  for (const operation of DEMO_OPERATIONS) {
    signal?.throwIfAborted();
    const outcome = await performOne(stage, sandbox, operation);
    outcomes.push(outcome);
    write(operation.short ? shortBlock(outcome) : block(++number, outcome, colours));
  }
  const journal = readFileSync(sandbox.journal, 'utf8').split('\n').filter(Boolean);
  const allowed = outcomes.filter(({ came }) => came !== undefined).length;
  write(closing(allowed, outcomes.length - allowed, journal));
  const surprises = [...outcomes.flatMap(surprisesOf), ...surprisesIn(journal, outcomes, sandbox)];
  return { outcomes, journal, surprises };
}

async function performOne(
  { placet, clients, log }: Stage,
  sandbox: Sandbox,
  operation: DemoOperation,
): Promise<DemoOutcome> {
  const { server, act } = operation;
  const client = clients.get(server)!;
  const connect = async () => {
    await client.connect(transportTo(server, sandbox));
    return 'connected';
  };
  let came: string | undefined;
  try {
    came = await (act === 'connect' ? connect() : act(client));
  } catch (error) {
    if (!(error instanceof PlacetRefusal)) throw error;
  }
  const { request, decision, items } = placet.last();
  const names = (isHidden: boolean) =>
    items?.filter(({ effect }) => (effect === 'deny') === isHidden).map(({ name }) => name);
  const [shownItems, hidden] = [names(false), names(true)];
  return {
    operation,
    request,
    decision,
    came,
    logged: log.splice(0),
    ...(shownItems && hidden ? { shownItems, hidden } : {}),
  };
}

/** Where an outcome is not the expected one. */
function surprisesOf({ operation, decision, came }: DemoOutcome): string[] {
  const { title, effect, code, rule, shows } = operation;
  const expected = `${effect} ${code}, by ${rule ?? 'no rule'}`;
  const actual = `${decision.effect} ${decision.reason.code}, by ${ruleOf(decision) ?? 'no rule'}`;
  const surprises = expected === actual ? [] : [`'${title}' came out as ${actual}, and not as ${expected}.`];
  if ((came !== undefined) !== (decision.effect === 'allow'))
    surprises.push(`'${title}' was not carried out as decided.`);
  if (shows !== undefined && !came?.includes(shows)) surprises.push(`'${title}' did not bring back '${shows}'.`);
  return surprises;
}

/** Where the world behind the servers is not as the outcomes say. */
function surprisesIn(journal: readonly string[], outcomes: readonly DemoOutcome[], { home }: Sandbox): string[] {
  const surprises: string[] = [];
  if (journal.join() !== EXPECTED_JOURNAL.join())
    surprises.push(`The company's servers have received: ${journal.join()}.`);
  if (outcomes.some(({ came }) => came?.includes(PRIVATE_KEY))) surprises.push('The private key was read.');
  if (!existsSync(join(home, 'Documents', 'Projects', 'done.md'))) surprises.push('The file was not written.');
  return surprises;
}

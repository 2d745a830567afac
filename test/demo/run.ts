import { Client } from '@modelcontextprotocol/client';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createPlacetClient, guardClient, logTo, PlacetAsks, PlacetRefusal, type ConsentAsk } from '#client';
import { resolveRealpath } from '#client/node';
import { askAnn, type DemoAsk } from './asking.js';
import { endAll, type DemoOptions, type DemoVerdict } from './demo.js';
import { DEMO_OPERATIONS, EXPECTED_JOURNAL, REFUSED, type DemoClient, type DemoOperation } from './operations.js';
import type { DemoOutcome } from './outcome.js';
import { makeSandbox, PRIVATE_KEY, type Sandbox } from './sandbox.js';
import { SERVERS, transportTo, type ServerName } from './servers.js';
import { startStandalone, type Standalone } from '../support/standalone.js';
import { letAnnSignIn } from './people.js';
import { startCompany } from './sso/company.js';
import { askedBlock, block, closing, opening, restOfBlock, ruleOf, shortBlock } from './transcript.js';
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
    const company = await startCompany();
    ending.push(() => company.idp.close());
    const service = await startStandalone({
      directory: sandbox.directory,
      quickstart: true,
      secrets: company.secrets,
      progress: options.progress,
    });
    ending.push(() => service.stop());
    await letAnnSignIn(service, company, sandbox.home);
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
  /** Where people are asked; set anew for each operation. */
  onAsk: (ask: ConsentAsk) => Promise<void>;
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
  const stage: Stage = {
    placet,
    clients,
    log,
    onAsk: () => Promise.reject(new Error('nobody was to be asked')),
    close: async () => {
      await Promise.all(bare.map((client) => client.close()));
    },
  };
  const consent = { onAsk: (ask: ConsentAsk) => stage.onAsk(ask) };
  const subject = { type: 'user', id: 'ann' };
  for (const server of SERVERS) {
    const client = new Client({ name: 'placet-demo', version: '1.0.0' });
    bare.push(client);
    clients.set(server, guardClient(client, { placet, subject, server, obligations, consent }));
  }
  return stage;
}

async function perform(
  stage: Stage,
  service: Standalone,
  sandbox: Sandbox,
  { write, colours, answers = 'demo', signal }: DemoOptions,
): Promise<DemoReport> {
  write(opening(service.url, sandbox.home));
  const outcomes: DemoOutcome[] = [];
  let number = 0;
  for (const operation of DEMO_OPERATIONS) {
    signal?.throwIfAborted();
    if (!operation.short) number++;
    let ask: DemoAsk | undefined;
    stage.onAsk = (asked) =>
      askAnn(asked, operation, answers, (told) => {
        ask = told;
        write(askedBlock(number, operation, told, colours));
      });
    const outcome = await performOne(stage, sandbox, operation, signal);
    signal?.throwIfAborted();
    outcomes.push(ask ? { ...outcome, ask } : outcome);
    if (operation.short) write(shortBlock(outcome));
    else write(ask ? restOfBlock({ ...outcome, ask }, colours) : block(number, outcome, colours));
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
  signal: AbortSignal | undefined,
): Promise<DemoOutcome> {
  const { server, act } = operation;
  const client = clients.get(server)!;
  const connect = async () => {
    await client.connect(transportTo(server, sandbox));
    return 'connected';
  };
  const again = async () => {
    await placet.decide(placet.last().request);
    return undefined;
  };
  let came: string | undefined;
  let refusal: PlacetRefusal | undefined;
  try {
    came = await (act === 'connect' ? connect() : act === 'again' ? again() : act(client, signal));
  } catch (error) {
    if (!(error instanceof PlacetRefusal)) throw error;
    refusal = error;
  }
  const unanswered = refusal instanceof PlacetAsks ? refusal.unanswered : undefined;
  const { request, decision, items } = placet.last();
  const names = (isHidden: boolean) =>
    items?.filter(({ effect }) => (effect === 'deny') === isHidden).map(({ name }) => name);
  const [shownItems, hidden] = [names(false), names(true)];
  return {
    operation,
    request,
    decision,
    came,
    ...(unanswered ? { unanswered } : {}),
    logged: log.splice(0),
    ...(shownItems && hidden ? { shownItems, hidden } : {}),
  };
}

/** Where an outcome is not the expected one. */
function surprisesOf(outcome: DemoOutcome): string[] {
  const { operation, decision, came, ask } = outcome;
  const { title, rule } = operation;
  const { effect, code, shows } = isRefused(outcome) ? { ...REFUSED, shows: undefined } : operation;
  const expected = `${effect} ${code}, by ${rule ?? 'no rule'}`;
  const actual = `${decision.effect} ${decision.reason.code}, by ${ruleOf(decision) ?? 'no rule'}`;
  const surprises = expected === actual ? [] : [`'${title}' came out as ${actual}, and not as ${expected}.`];
  if ((came !== undefined) !== (decision.effect === 'allow'))
    surprises.push(`'${title}' was not carried out as decided.`);
  if (operation.ann !== undefined && (operation.ann === 'may agree') !== (ask?.text !== undefined))
    surprises.push(`'${title}' was shown to ann, or not, other than it should be.`);
  if (shows !== undefined && !came?.includes(shows)) surprises.push(`'${title}' did not bring back '${shows}'.`);
  return surprises;
}

/** Whether ann was asked and has said no, as she may. */
const isRefused = ({ operation, unanswered }: DemoOutcome): boolean =>
  operation.ann === 'may agree' && unanswered?.code === 'denied';

/** Where the world behind the servers is not as the outcomes say. */
function surprisesIn(journal: readonly string[], outcomes: readonly DemoOutcome[], { home }: Sandbox): string[] {
  const surprises: string[] = [];
  const expected = outcomes.some(isRefused) ? REFUSED.journal : EXPECTED_JOURNAL;
  if (journal.join() !== expected.join()) surprises.push(`The company's servers have received: ${journal.join()}.`);
  if (outcomes.some(({ came }) => came?.includes(PRIVATE_KEY))) surprises.push('The private key was read.');
  if (!existsSync(join(home, 'Documents', 'Projects', 'done.md'))) surprises.push('The file was not written.');
  return surprises;
}

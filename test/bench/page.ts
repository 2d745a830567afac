import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** How each figure is made, for the reader who wants to know what it is worth. */
const METHODS: Readonly<Record<string, string>> = {
  engine: `Time per decision in this process, without HTTP and Postgres. The first table is a company: ten rules a tool, for roles
that are drawn, with conditions; one rule in twenty is by a pattern, for all twenty tools of its server; some tools are asked
for all the time. The mix of requests is the same at every size. "all wildcards" is the worst that can be published: every
rule concerns every request, whoever asks. Nine rounds over all sizes in turn, medians. The peers have the same plain rules
(a role may call a tool) in the same process, and must give the same answers before their times count.`,
  service: `Decisions a second over HTTP with 64 connections, on the cores that also run the load and Postgres: API key checked, decision
recorded and committed before the answer. Cerbos (npm \`cerbos\`) has the same rules and its local audit log on; the bare
server is \`node:http\` that parses the same body and answers at once. Five rounds in turn, medians of the ratios. Before
times count, all must answer as the rules say.`,
  publish: `100,000 rules in 10,000 documents. While 250 decisions a second go on, on schedule, one document after the other is published
over the API. After each call a decision is asked for, which must know of the change.`,
  revocation: `Three replicas under load, 1,000 revocations, one replica frozen or cut off now and then. An allow that was asked for after a
revocation returned is a violation, by what callers saw and by the ledger. Planted wrong variants must be caught.`,
  people: `\`npm run bench -- revocation --mode people\`: as revocation, but what ends is who somebody is. In turn: a person whom a token
of an identity provider proves is suspended (half of them under another name); a person is signed out, which ends tokens
that were issued before; a host's OAuth client is disabled; a host's access token is revoked (RFC 7009); a host's API key is
disabled. The identity provider runs in the bench's own
process and is asked for discovery and keys; its access tokens (RS256) are signed by the bench with its key.`,
  'revoked consents': `\`npm run bench -- revocation --mode consents\`: as revocation, but what ends is what somebody has agreed to. In turn: an
administrator revokes one consent, whoever agreed takes it back, and an administrator revokes all that is about one person. Every decision of these asks, and is
allowed by an agreement alone, which takes one more call to the database than another decision.`,
  consents: `One decision at a time, each resting on an agreement of a hundred people. The table is filled with agreements of others, for other things,
a hundred for each person.`,
  once: `\`npm run bench -- consents --mode once\`: somebody agrees to one call, and a hundred calls at once try to use it, on three replicas.`,
  scim: `\`npm run bench -- revocation --mode scim\`: as revocation, by a company's directory. In turn: a user is deactivated by Okta, and by
Entra with the text "False"; a user is deleted; a member is taken out of the group that gives the role. Before that 10,000
users are made, one after the other, while as many decisions are asked for as come through.`,
  tenants: `A tenant that nobody has used for a while is not in memory, and the next call waits until it is: read from Postgres, compiled.
The first table loads tenants of a thousand policies (ten thousand rules) one after the other. The second has small ones in
memory, as many as a service for many companies has idle ones, by the heap after garbage collection.`,
  laws: `Random tenants and random requests, each decided by the engine and by a reference interpreter that is written as literally as
the semantics. No time is compared here.`,
};

/** How a bench is called that is a mode of another. */
const CALLS: Readonly<Record<string, readonly string[]>> = {
  people: ['revocation', '--mode', 'people'],
  'revoked consents': ['revocation', '--mode', 'consents'],
  once: ['consents', '--mode', 'once'],
  scim: ['revocation', '--mode', 'scim'],
};

const TAIL = `## What this does not say

- On two cores that also run the load and Postgres, a second process of the service answers no more decisions than one (measured:
  fewer, by a tenth; [ADR 12](adr/0012-one-process.md)): the cores are busy, not the process. With more cores, run replicas.
- A bar that is not met is printed as such. A third of the bare server is not reached: of each decision most goes into HTTP, the
  record and its commit, which the bare server does not have.
- The p99 at Cerbos's maximum load seems to hang on the disk: each answer waits for its commit. In some runs it goes
  over the bar (30 to 50 ms), while no turn of the event loop takes over 25 ms; in others it is half of the bar.
- Cerbos at 40,000 kinds of resource is so slow that we may hold it wrong, though its cache has room for all of them.
- Saving tens of thousands of documents in one request holds up other answers of that replica for seconds; one document
  does not (see publish).
`;

const HEAD = `# Performance

Measured with \`npm run bench -- page\`, which runs every bench and writes this page. Absolute times say little about another
machine; what counts are the ratios, because both sides of each were measured in the same run.
`;

const PAGE = join(import.meta.dirname, '../../../docs/performance.md');

/**
 * Runs every bench in a process of its own and writes docs/performance.md from what they print; with the names of some
 * (`page revocation`) only those, and leaves the other sections as they are.
 */
export async function page(wanted: readonly string[]): Promise<boolean> {
  const present = wanted.length > 0 ? readFileSync(PAGE, 'utf8') : '';
  const parts = [HEAD];
  let met = true;
  for (const [name, method] of Object.entries(METHODS)) {
    if (wanted.length > 0 && !wanted.includes(name)) {
      if (parts.length === 1) parts.push(/^The last run: .*\n/m.exec(present)?.[0] ?? '');
      // What was never measured has no section.
      const kept = new RegExp(`^## ${name}\\n[^]*?^\`{3}\\n(?=\\n)`, 'm').exec(present)?.[0];
      if (kept !== undefined) parts.push(kept);
      continue;
    }
    const { output, code } = await run(name);
    if (code !== 0) met = false;
    const lines = output.trimEnd().split('\n');
    const json = lines.pop() ?? '';
    if (!json.startsWith('{')) throw new Error(`the bench ${name} did not come to its end:\n${output}`);
    const { machine } = JSON.parse(json) as { machine: Machine };
    if (parts.length === 1) parts.push(describe(machine));
    parts.push(
      `## ${name}\n\n${method}\n\n\`\`\`text\n${lines
        .map((line) => line.trimEnd())
        .join('\n')
        .trim()}\n\`\`\`\n`,
    );
  }
  writeFileSync(PAGE, [...parts, TAIL].join('\n'));
  return met;
}

interface Machine {
  readonly cpus: number;
  readonly model: string;
  readonly memory: number;
  readonly node: string;
}

const describe = ({ cpus, model, memory, node }: Machine): string =>
  `The last run: ${new Date().toISOString().slice(0, 10)}, ${cpus} cores (${model}), ${memory} GB, Node ${node.slice(1)}, shared with others.\n`;

async function run(name: string): Promise<{ output: string; code: number | null }> {
  const child = spawn(
    process.execPath,
    [...process.execArgv, join(import.meta.dirname, 'main.js'), ...(CALLS[name] ?? [name])],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += String(chunk);
    process.stdout.write(String(chunk));
  });
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve));
  return { output, code };
}

import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { peerProgram } from '../peers.js';
import { postRequest } from './load.js';
import { limitOf, PEOPLE, regionOf, ROLES, roleOf, type Ask } from './rules.js';

export interface Running {
  readonly port: number;
  stop(): Promise<void>;
}

const PORT = 23_592;

/** Cerbos with its policies on disk, room for all of them in its cache, and its local audit log on. */
export async function startCerbos(tools: number): Promise<Running> {
  const directory = mkdtempSync(join(tmpdir(), 'placet-bench-cerbos-'));
  const policies = join(directory, 'policies');
  mkdirSync(policies);
  for (let tool = 0; tool < tools; tool++) writeFileSync(join(policies, `tool${tool}.yaml`), policy(tool));
  writeFileSync(
    join(directory, 'config.yaml'),
    `server: { httpListenAddr: "127.0.0.1:${PORT}", grpcListenAddr: "127.0.0.1:${PORT + 1}" }
storage: { driver: disk, disk: { directory: "${policies}", watchForChanges: false } }
audit: { enabled: true, accessLogsEnabled: false, decisionLogsEnabled: true, backend: local, local: { storagePath: "${join(directory, 'audit')}" } }
compile: { cacheSize: ${Math.max(1024, 2 * tools)} }
telemetry: { disabled: true }
`,
  );
  const program = peerProgram(`@cerbos/cerbos-${process.platform}-${process.arch}`);
  const child = spawn(program, ['server', `--config=${join(directory, 'config.yaml')}`, '--log-level=error'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  await answering(`http://127.0.0.1:${PORT}/_cerbos/health`);
  return {
    port: PORT,
    async stop() {
      child.kill();
      await exited;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function answering(url: string): Promise<void> {
  for (let attempt = 0; attempt < 600; attempt++) {
    const healthy = await fetch(url).then(
      (response) => response.ok,
      () => false,
    );
    if (healthy) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error('cerbos does not start');
}

const policy = (tool: number): string => `apiVersion: api.cerbos.dev/v1
resourcePolicy:
  version: default
  resource: tool${tool}
  rules:
    - actions: [call]
      effect: EFFECT_ALLOW
      roles: [${roleOf(tool)}]
      condition: { match: { expr: request.resource.attr.region == request.principal.attr.region } }
    - actions: [call]
      effect: EFFECT_DENY
      roles: ["*"]
      condition: { match: { expr: "request.resource.attr.amount > ${limitOf(tool)}" } }
`;

export const cerbosRequest = ({ person, tool, region, amount }: Ask): Buffer =>
  postRequest('/api/check/resources', {
    requestId: 'bench',
    principal: { id: `u${person % PEOPLE}`, roles: [`role${person % ROLES}`], attr: { region: regionOf(person) } },
    resources: [{ actions: ['call'], resource: { kind: `tool${tool}`, id: '1', attr: { region, amount } } }],
  });

/** Whether an answer of Cerbos's allows. */
export const cerbosAllows = (body: { results: { actions: { call: string } }[] }): boolean =>
  body.results[0]!.actions.call === 'EFFECT_ALLOW';

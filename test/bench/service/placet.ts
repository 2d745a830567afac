import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateApiKey } from '#identity';
import type { AnyDocument } from '#policy';
import type { Running } from './cerbos.js';
import { postRequest } from './load.js';
import { limitOf, PEOPLE, regionOf, ROLES, roleOf, type Ask } from './rules.js';

export interface RunningPlacet extends Running {
  /** The key of the host `desk`, which may ask about every user. */
  readonly key: string;
  /** An owner's key. */
  readonly owner: string;
  /** How long it took to save all documents, in ms. */
  readonly savedInMs: number;
}

/** Placet as `npm start` runs it, on some documents: embedded Postgres, ledger on, every request authenticated. */
export async function startPlacet(documents: readonly AnyDocument[]): Promise<RunningPlacet> {
  const directory = mkdtempSync(join(tmpdir(), 'placet-bench-'));
  const owner = generateApiKey('dev').text;
  const child = spawn(process.execPath, [join(import.meta.dirname, '../../../apps/server/src/main.js')], {
    env: {
      ...process.env,
      PLACET_PORT: '0',
      PLACET_DATA_DIR: directory,
      PLACET_QUICKSTART: 'off',
      PLACET_BOOTSTRAP_KEY: owner,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const url = await readyUrl(child.stdout);
  const administer = async (path: string, body: unknown): Promise<{ key?: string }> => {
    const response = await fetch(url + path, {
      method: 'POST',
      headers: { Authorization: `Bearer ${owner}`, 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(await response.text());
    return (await response.json()) as { key?: string };
  };
  const began = performance.now();
  for (let at = 0; at < documents.length; at += 5000) {
    const files = documents
      .slice(at, at + 5000)
      .map((document, index) => ({ path: `${at + index}.json`, text: JSON.stringify(document) }));
    await administer('/api/v1/documents/apply', { files });
  }
  const savedInMs = performance.now() - began;
  const { key } = await administer('/api/v1/keys', { host: 'desk', rights: { subjects: ['user:*'] } });
  return {
    port: Number(new URL(url).port),
    key: key!,
    owner,
    savedInMs,
    async stop() {
      child.kill();
      await exited;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function readyUrl(output: NodeJS.ReadableStream): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    output.on('data', (chunk) => {
      text += String(chunk);
      const url = /ready at (http:\S+?),/.exec(text)?.[1];
      if (url !== undefined) resolve(url);
    });
    output.on('end', () => reject(new Error(`placet does not start:\n${text}`)));
  });
}

/** The rules of this bench as documents of ours. */
export const placetDocuments = (tools: number): AnyDocument[] => [
  ...company(),
  ...Array.from({ length: tools }, (_, tool) => policy(tool)),
];

function company(): AnyDocument[] {
  return [
    { kind: 'Tenant', name: 'default', defaults: { effect: 'deny', hostScope: {} } },
    { kind: 'Host', name: 'desk' },
    { kind: 'Server', name: 'bench' },
    ...Array.from({ length: ROLES }, (_, at): AnyDocument => ({ kind: 'Role', name: `role${at}` })),
    ...Array.from({ length: PEOPLE }, (_, at): AnyDocument => ({
      kind: 'Subject',
      type: 'user',
      id: `u${at}`,
      groups: [],
      properties: { region: regionOf(at) },
    })),
    ...Array.from({ length: PEOPLE }, (_, at): AnyDocument => ({
      kind: 'Binding',
      name: `u${at}`,
      subjects: [`user:u${at}`],
      roles: [`role${at % ROLES}`],
    })),
  ];
}

const policy = (tool: number): AnyDocument => ({
  kind: 'Policy',
  name: `tool${tool}`,
  target: { servers: ['bench'], actions: ['tools/call'], resources: [`tool${tool}`] },
  rules: [
    {
      name: 'own-region',
      effect: 'allow',
      to: [`role:${roleOf(tool)}`],
      when: 'arguments.region == subject.properties.region',
    },
    { name: 'limit', effect: 'deny', to: ['any'], when: `arguments.amount > ${limitOf(tool)}` },
  ],
});

export const placetRequest = ({ person, tool, region, amount }: Ask, key: string): Buffer =>
  postRequest(
    '/mcp/v1/decisions',
    {
      subject: { type: 'user', id: `u${person}` },
      server: 'bench',
      direction: 'client_to_server',
      message: {
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: { name: `tool${tool}`, arguments: { region, amount } },
      },
    },
    { Authorization: `Bearer ${key}` },
  );

/** Whether an answer of ours allows. */
export const placetAllows = (body: { effect: string }): boolean => body.effect === 'allow';

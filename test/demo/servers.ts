import { createRequire } from 'node:module';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import type { Sandbox } from './sandbox.js';

/** The servers of the demo, by the names that Placet knows them by; nobody has registered the last one. */
export const SERVERS = [
  'file-server',
  'everything',
  'database-server',
  'mail-server',
  'crm',
  'somebody-elses-server',
] as const;

export type ServerName = (typeof SERVERS)[number];

/** How each server is run over stdio: two from npm, and our own one in three roles. */
export function transportTo(server: ServerName, { home, journal }: Sandbox): StdioClientTransport {
  return new StdioClientTransport({
    command: process.execPath,
    args: argumentsOf(server, home, journal),
    // The file server takes `~` for its own home: it must be the one that Placet knows.
    env: { HOME: home },
    cwd: home,
    stderr: 'ignore',
  });
}

function argumentsOf(server: ServerName, home: string, journal: string): string[] {
  switch (server) {
    case 'file-server':
      return [require.resolve('@modelcontextprotocol/server-filesystem/dist/index.js'), home];
    case 'everything':
      return [require.resolve('@modelcontextprotocol/server-everything/dist/index.js'), 'stdio'];
    default:
      return [COMPANY_SERVER, server, journal];
  }
}

const require = createRequire(import.meta.url);

/** As built, or as the source that tests run. */
const COMPANY_SERVER = fileURLToPath(new URL('./company-server.js', import.meta.url)).replace(
  /\.js$/,
  extname(import.meta.url),
);

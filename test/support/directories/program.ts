import { spawn, type ChildProcess } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';

/** Whether a program is installed. */
export function isInstalled(...paths: readonly string[]): boolean {
  return paths.every((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** A server that is a program of its own, and listens once it is started. */
export class Program {
  #child: ChildProcess | undefined;
  #output = '';

  constructor(
    private readonly path: string,
    private readonly args: readonly string[],
    private readonly at: { readonly host: string; readonly port: number },
  ) {}

  async start(): Promise<void> {
    const child = spawn(this.path, [...this.args], { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (data: Buffer) => (this.#output = (this.#output + data.toString()).slice(-4000)));
    for (let attempt = 0; attempt < 300; attempt++) {
      if (await listens(this.at)) return;
      if (child.exitCode !== null) break;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await this.stop();
    throw new Error(`${this.path} does not listen: ${this.#output}`);
  }

  /** Ends it and what it has started, at once. */
  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.pid === undefined) return;
    const over = new Promise((resolve) => child.once('exit', resolve));
    process.kill(-child.pid, 'SIGKILL');
    await over;
  }
}

const listens = ({ host, port }: { host: string; port: number }): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, host);
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });

/** A port that nobody listens at. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

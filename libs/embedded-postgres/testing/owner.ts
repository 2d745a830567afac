import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { afterAll } from 'vitest';
import type { Installation } from './installation.js';
import { waitFor } from './machine.js';

/** What another process says about the embedded Postgres that it starts. */
export interface OwnerMessage {
  readonly progress?: string;
  readonly how?: string;
  readonly url?: string;
  /** Of the start, in milliseconds. */
  readonly took?: number;
  readonly name?: string;
  readonly code?: string;
  readonly message?: string;
  readonly interrupted?: boolean;
  readonly stopped?: boolean;
}

export interface OwnerOptions {
  readonly as?: { readonly uid: number; readonly gid: number };
  /** Capabilities that root shall not have, as `setpriv` writes them. */
  readonly without?: string;
  readonly volatile?: boolean;
}

const owners: Owner[] = [];
afterAll(async () => void (await Promise.all(owners.map((owner) => owner.kill()))));

/** Another process that starts an embedded Postgres, in a process group of its own. */
export class Owner {
  readonly messages: OwnerMessage[] = [];
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  #errors = '';
  #ended = false;

  constructor({ script }: Installation, directory: string, { as, without, volatile = true }: OwnerOptions = {}) {
    const command = [process.execPath, script, JSON.stringify({ directory, volatile })];
    if (without) command.unshift('setpriv', '--bounding-set', without, '--inh-caps', without);
    this.#child = spawn(command[0]!, command.slice(1), { ...as, cwd: '/', stdio: 'pipe', detached: true });
    createInterface(this.#child.stdout).on('line', (line) => this.messages.push(JSON.parse(line) as OwnerMessage));
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#errors += text));
    this.#child.once('error', ({ message }) => (this.#errors += message));
    this.#child.once('close', () => (this.#ended = true));
    owners.push(this);
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** How the start came out. */
  async outcome(): Promise<OwnerMessage> {
    const isOutcome = ({ how, message }: OwnerMessage) => how !== undefined || message !== undefined;
    const found = () => this.messages.find(isOutcome) ?? (this.#ended && { message: this.#errors });
    return waitFor('the outcome of a start', found, 25);
  }

  async says(wanted: (message: OwnerMessage) => boolean): Promise<OwnerMessage> {
    return waitFor('a message', () => this.messages.find(wanted));
  }

  async stop(): Promise<void> {
    this.#child.stdin.write('stop');
    await this.says(({ stopped }) => stopped === true);
  }

  async kill(): Promise<void> {
    if (!this.#ended) this.#child.kill('SIGKILL');
    await waitFor('the end of a process', () => this.#ended);
  }
}

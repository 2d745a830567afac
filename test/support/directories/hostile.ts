import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { makeCertificate } from './certificate.js';

/** Somebody between us and a directory, who sees and changes what is not encrypted. */
export interface OnTheWire {
  /** In the place of the directory's. */
  readonly url: string;
  /** What is put after the first thing that the directory says on a connection, by the connection's number. */
  adds(connection: number): Buffer | undefined;
  close(): Promise<void>;
}

/** Sits down before a directory of which the address is an `ldap:` URL of this machine. */
export async function startOnTheWire(url: string): Promise<OnTheWire> {
  const port = Number(new URL(url).port);
  const sockets = new Set<Socket>();
  let count = 0;
  const server = createServer((near) => {
    const added = wire.adds(++count);
    const far = connect(port, '127.0.0.1');
    for (const socket of [near, far]) sockets.add(socket.on('error', () => undefined));
    near.pipe(far);
    far.once('data', (first) => {
      near.write(added ? Buffer.concat([first, added]) : first);
      far.pipe(near);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const wire: OnTheWire = {
    url: `ldap://localhost:${(server.address() as AddressInfo).port}`,
    adds: () => undefined,
    close: () => closed(server, sockets),
  };
  return wire;
}

/** Somebody in the place of a directory who has no certificate, and hears what is said in the clear. */
export interface Listener {
  readonly url: string;
  /** Everything that was said to them. */
  heard(): string;
  /** What they say each time that they are told something. */
  says: readonly Buffer[];
  close(): Promise<void>;
}

/** Sits down on a free port of this machine. */
export async function startListener(): Promise<Listener> {
  const sockets = new Set<Socket>();
  const heard: Buffer[] = [];
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
    let count = 0;
    socket.on('data', (data) => {
      heard.push(data);
      const answer = listener.says[count++];
      if (answer) socket.write(answer);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const listener: Listener = {
    url: `ldap://localhost:${(server.address() as AddressInfo).port}`,
    heard: () => Buffer.concat(heard).toString('latin1'),
    says: [],
    close: () => closed(server, sockets),
  };
  return listener;
}

/** A directory that says whatever it likes, over TLS. */
export interface Hostile {
  readonly url: string;
  readonly ca: string;
  /** Its answer to a request, by the number of the message and the tag of the operation (RFC 4511 §4.2). */
  answer(id: number, operation: number, socket: Socket): void;
  close(): Promise<void>;
}

export const BIND = 0x60;
export const SEARCH = 0x63;

/** Starts one, on a free port. */
export async function startHostile(): Promise<Hostile> {
  const folder = mkdtempSync(join(tmpdir(), 'placet-hostile-'));
  const { pem, keyFile } = makeCertificate(folder, 'DNS:localhost', 'IP:127.0.0.1');
  const sockets = new Set<Socket>();
  const server = createTlsServer({ cert: pem, key: readFileSync(keyFile) }, (socket) => {
    sockets.add(socket.on('error', () => undefined));
    // Each request of these specs comes in one piece.
    socket.on('data', (data) => {
      const at = 2 + (data[1]! > 0x80 ? data[1]! & 0x7f : 0);
      if (data.length > at + 3) hostile.answer(data[at + 2], data[at + 3], socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const hostile: Hostile = {
    url: `ldaps://localhost:${(server.address() as AddressInfo).port}`,
    ca: pem,
    answer: () => undefined,
    close: async () => {
      rmSync(folder, { recursive: true, force: true });
      await closed(server, sockets);
    },
  };
  return hostile;
}

function closed(server: { close(done: () => void): void }, sockets: ReadonlySet<Socket>): Promise<void> {
  for (const socket of sockets) socket.destroy();
  return new Promise((resolve) => server.close(resolve));
}

/** A tag, the length, the content (X.690 §8.1). */
export function ber(tag: number, ...content: readonly (Buffer | number[])[]): Buffer {
  const body = Buffer.concat(content.map((each) => Buffer.from(each)));
  const length =
    body.length < 0x80 ? [body.length] : [0x84, ...[24, 16, 8, 0].map((bits) => (body.length >>> bits) & 0xff)];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}

export const text = (value: string): Buffer => ber(0x04, Buffer.from(value));

/** A message with its number (RFC 4511 §4.1.1). */
export const message = (id: number, operation: Buffer, ...controls: readonly Buffer[]): Buffer =>
  ber(0x30, ber(0x02, [id]), operation, ...controls);

/** The end of an operation: a result code, no name and a word (RFC 4511 §4.1.9). */
export const result = (tag: number, code: number, word = ''): Buffer =>
  ber(tag, ber(0x0a, [code]), text(''), text(word));

export const SUCCESS = 0;
export const EXTENDED = 0x78;
export const BOUND = 0x61;
const FOUND = 0x64;
export const SEARCHED = 0x65;

/** An entry with its attributes (RFC 4511 §4.5.2). */
export const entry = (dn: string, attributes: Readonly<Record<string, readonly (string | Buffer)[]>>): Buffer =>
  ber(
    FOUND,
    text(dn),
    ber(
      0x30,
      ...Object.entries(attributes).map(([name, values]) =>
        ber(0x30, text(name), ber(0x31, ...values.map((value) => ber(0x04, Buffer.from(value as string))))),
      ),
    ),
  );

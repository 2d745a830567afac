import { connect, type Socket } from 'node:net';

/** What a load run saw. Latencies in milliseconds. */
export interface LoadResult {
  readonly perSecond: number;
  readonly latencies: readonly number[];
  /** Answers that were not a 200. */
  readonly failures: number;
}

export interface LoadOptions {
  readonly port: number;
  /** Whole HTTP requests, sent in turn. */
  readonly requests: readonly Buffer[];
  readonly connections: number;
  readonly seconds: number;
  /** Requests a second, sent on schedule whatever the answers do; without it, each connection sends as soon as it can. */
  readonly rate?: number;
}

/** Builds one POST request as bytes. */
export function postRequest(path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Buffer {
  const text = JSON.stringify(body);
  const lines = [
    `POST ${path} HTTP/1.1`,
    'Host: 127.0.0.1',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(text)}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${text}`);
}

/**
 * Sends requests over plain sockets and times the answers. It does next to nothing per request, because it shares the
 * machine with what it measures. On a schedule, the time counts from when the request was due, not from when it could be
 * sent: a server that stalls does not get fewer questions.
 */
export async function load({ port, requests, connections, seconds, rate }: LoadOptions): Promise<LoadResult> {
  const latencies: number[] = [];
  let failures = 0;
  let next = 0;
  const began = performance.now();
  const until = began + seconds * 1000;
  const due = () => (rate === undefined ? performance.now() : began + (next * 1000) / rate);

  const one = async (): Promise<void> => {
    const socket = await open(port);
    const answers = readAnswers(socket);
    for (;;) {
      const at = due();
      if (at >= until) break;
      const request = requests[next++ % requests.length]!;
      const wait = at - performance.now();
      if (wait > 1) await new Promise((resolve) => setTimeout(resolve, wait));
      socket.write(request);
      if (!(await answers())) failures++;
      latencies.push(performance.now() - at);
    }
    socket.destroy();
  };
  await Promise.all(Array.from({ length: connections }, one));
  return { perSecond: latencies.length / ((performance.now() - began) / 1000), latencies, failures };
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => resolve(socket));
    socket.once('error', reject);
  });
}

/** A function that waits for one whole answer and says whether its status was 200. */
function readAnswers(socket: Socket): () => Promise<boolean> {
  let buffer = Buffer.alloc(0);
  let waiting: { resolve: (ok: boolean) => void; reject: (error: Error) => void } | undefined;
  const deliver = () => {
    const head = buffer.indexOf('\r\n\r\n');
    if (head < 0 || !waiting) return;
    const text = buffer.toString('latin1', 0, head);
    const length = Number(/content-length: *(\d+)/i.exec(text)?.[1]);
    if (Number.isNaN(length)) return waiting.reject(new Error(`an answer without a length: ${text}`));
    if (buffer.length < head + 4 + length) return;
    buffer = buffer.subarray(head + 4 + length);
    const { resolve } = waiting;
    waiting = undefined;
    resolve(text.startsWith('HTTP/1.1 200'));
  };
  socket.on('data', (chunk) => {
    buffer = buffer.length === 0 ? chunk : Buffer.concat([buffer, chunk]);
    deliver();
  });
  socket.on('close', () => waiting?.reject(new Error('the server closed the connection')));
  return () =>
    new Promise((resolve, reject) => {
      waiting = { resolve, reject };
      deliver();
    });
}

import { createServer } from 'node:http';
import { parentPort } from 'node:worker_threads';

/** The least that a service in Node can do: read the body, parse it, answer. Run as a worker. */
const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const body = JSON.parse(Buffer.concat(chunks).toString()) as { server?: string };
    const text = JSON.stringify({ effect: body.server === undefined ? 'deny' : 'allow' });
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': text.length });
    response.end(text);
  });
});
server.listen(0, '127.0.0.1', () => parentPort!.postMessage((server.address() as { port: number }).port));

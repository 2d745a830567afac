import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A real server on a port of its own, and what came to it. */
export interface HttpServer {
  readonly url: string;
  readonly requests: {
    readonly path: string;
    readonly method: string;
    readonly key: string;
    readonly idempotencyKey: string | undefined;
    readonly body: unknown;
  }[];
  close(): Promise<void>;
}

/** Answers each request with the next of the answers, and with the last one from there on. */
export async function httpServer(...answers: readonly RequestListener[]): Promise<HttpServer> {
  const requests: HttpServer['requests'] = [];
  const server = createServer((request, response) => {
    void textOf(request).then((text) => {
      const answer = answers[Math.min(requests.length, answers.length - 1)]!;
      const { url = '', method = '', headers } = request;
      requests.push({
        path: url,
        method,
        key: headers.authorization ?? '',
        idempotencyKey: headers['idempotency-key'] as string | undefined,
        body: text === '' ? undefined : JSON.parse(text),
      });
      answer(request, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += chunk as string;
  return text;
}

/** An ordinary answer: JSON, complete. */
export const json =
  (body: unknown, status = 200, type = 'application/json; charset=utf-8'): RequestListener =>
  (_, response) =>
    send(response, status, type, typeof body === 'string' ? body : JSON.stringify(body));

function send(response: ServerResponse, status: number, type: string, text: string): void {
  response.writeHead(status, { ...(type === '' ? {} : { 'Content-Type': type }) }).end(text);
}

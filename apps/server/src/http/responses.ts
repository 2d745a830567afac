import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { toProblem, type Problem } from '#http';
import { challengeOf } from './challenge.js';

/** Headers of every answer: nothing of ours is to be cached, sniffed, framed or read by other sites. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};

/** Sends a JSON answer. */
export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const text = JSON.stringify(body);
  const length = Buffer.byteLength(text);
  response.writeHead(status, {
    ...SECURITY_HEADERS,
    'Content-Type': status >= 400 ? 'application/problem+json; charset=utf-8' : 'application/json; charset=utf-8',
    'Content-Length': length,
    ...headers,
  });
  // Characters of one byte each are the same in both encodings, and this one is faster to write.
  response.end(text, length === text.length ? 'latin1' : 'utf8');
}

/**
 * Sends lines, of JSON unless it is said, as they come, and no faster than they are read. What they throw ends the connection, so that nobody
 * takes the file for whole; whoever goes away in between has had enough.
 */
export async function sendLines(
  response: ServerResponse,
  lines: AsyncGenerator<string>,
  type = 'application/x-ndjson',
): Promise<void> {
  response.writeHead(200, { ...SECURITY_HEADERS, 'Content-Type': `${type}; charset=utf-8` });
  try {
    await pipeline(Readable.from(lines), response);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  }
}

/** Sends an error as a problem, or in another shape (`bodyOf`), and says what it was, for the log. */
export function sendProblem(
  response: ServerResponse,
  error: unknown,
  publicUrl: string,
  headers: Readonly<Record<string, string>> = {},
  adapt: (problem: Problem) => Problem = (problem) => problem,
  bodyOf: (problem: Problem) => unknown = (problem) => problem,
): Problem {
  const problem = adapt(toProblem(error));
  if (response.headersSent) {
    response.destroy();
    return problem;
  }
  sendJson(response, problem.status, bodyOf(problem), {
    ...challengeOf(problem, error, publicUrl),
    ...(problem.status === 503 ? { 'Retry-After': '1' } : {}),
    ...(problem.status === 429
      ? { 'Retry-After': typeof problem.retry_after === 'number' ? String(problem.retry_after) : '1' }
      : {}),
    ...(problem.status === 413 ? { Connection: 'close' } : {}),
    ...headers,
  });
  return problem;
}

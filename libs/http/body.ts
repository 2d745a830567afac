import type { IncomingMessage } from 'node:http';

/** Why a body was not read. */
export class BodyError extends Error {
  override readonly name = 'BodyError';

  constructor(
    readonly code: 'body_too_large' | 'unsupported_content_type' | 'body_incomplete',
    message: string,
  ) {
    super(message);
  }
}

/** Most that a body may be, in bytes, where nothing else is said. */
export const BODY_LIMIT = 1024 * 1024;

/** Reads a body whole. Throws BodyError; nothing is read beyond the limit. */
export async function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  const declared = Number(request.headers['content-length'] ?? 0);
  if (declared > limit) throw tooLarge(limit);
  const chunks: Buffer[] = [];
  let size = 0;
  // Listeners and no iteration: an iterator costs as much as the rest of reading a small body.
  await new Promise<void>((resolve, reject) => {
    let ended = false;
    const cut = () => {
      if (!ended) reject(new BodyError('body_incomplete', 'the body ended before it was complete'));
    };
    if (request.destroyed) return cut();
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limit) chunks.push(chunk);
      else {
        request.pause();
        reject(tooLarge(limit));
      }
    });
    request.on('end', () => {
      ended = true;
      resolve();
    });
    request.on('error', cut);
    request.on('close', cut);
  });
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size);
}

const tooLarge = (limit: number): BodyError => new BodyError('body_too_large', `a body has at most ${limit} bytes`);

/** Checks the content type, which may name the charset UTF-8 besides. Throws BodyError. */
export function checkContentType(request: IncomingMessage, allowed: readonly string[]): string {
  const [type, ...parameters] = (request.headers['content-type'] ?? '')
    .split(';')
    .map((part) => part.trim().toLowerCase());
  const charset = parameters.find((parameter) => parameter.startsWith('charset='));
  if (!allowed.includes(type!)) {
    throw new BodyError('unsupported_content_type', `the content type must be ${allowed.join(' or ')}`);
  }
  if (charset !== undefined && !['charset=utf-8', 'charset="utf-8"'].includes(charset)) {
    throw new BodyError('unsupported_content_type', 'the charset must be UTF-8');
  }
  return type!;
}

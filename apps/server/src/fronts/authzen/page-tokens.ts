import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { Refusal } from '#http';
import type { Candidate } from '#policy';

/** Where a page of a search begins, and how many results the first one was asked for. */
export interface PagePlace {
  readonly after: Candidate | null;
  readonly limit: number | null;
}

const IV = 12;
const TAG = 16;

/** The digest of the request, then the place. */
const contentSchema = z.tuple([
  z.string(),
  z.number().nullable(),
  z.tuple([z.string(), z.string().nullable()]).nullable(),
]);

/**
 * The tokens by which a search goes on. They are sealed under a key that follows from the pepper, so that any replica can
 * open them and nobody else: a place is a candidate, and one that was not found is nothing that the caller may learn.
 */
export class PageTokens {
  readonly #key: Uint8Array;

  constructor(pepper: Buffer) {
    this.#key = new Uint8Array(hkdfSync('sha256', pepper, '', 'placet/search-page', 32));
  }

  /** @param request the digest of everything that must stay the same from page to page */
  seal(request: string, { after, limit }: PagePlace): string {
    const content = JSON.stringify([request, limit, after && [after.id, after.server]]);
    const iv = randomBytes(IV);
    const cipher = createCipheriv('aes-256-gcm', this.#key, iv);
    const sealed = [iv, cipher.update(content, 'utf8'), cipher.final(), cipher.getAuthTag()];
    return Buffer.concat(sealed).toString('base64url');
  }

  /** Throws Refusal for a token that was not given out here, or for another request. */
  open(token: string, request: string): PagePlace {
    const content = this.#contentOf(token);
    if (!content) throw badToken('is not a token that was given out here');
    const [of, limit, after] = content;
    if (of !== request) {
      throw badToken(
        'belongs to another search: key, subject, action, resource and context stay the same from page to page',
      );
    }
    return { limit, after: after && { id: after[0], server: after[1] } };
  }

  #contentOf(token: string): z.output<typeof contentSchema> | undefined {
    const bytes = Buffer.from(token, 'base64url');
    if (bytes.length < IV + TAG || bytes.toString('base64url') !== token) return undefined;
    try {
      const cipher = createDecipheriv('aes-256-gcm', this.#key, bytes.subarray(0, IV), { authTagLength: TAG });
      cipher.setAuthTag(bytes.subarray(-TAG));
      const content = Buffer.concat([cipher.update(bytes.subarray(IV, -TAG)), cipher.final()]);
      return contentSchema.parse(JSON.parse(content.toString()));
    } catch {
      return undefined;
    }
  }
}

const badToken = (why: string): Refusal => invalidPage('page.token', why);

/** A Refusal that names a member of `page`. */
export const invalidPage = (path: 'page.token' | 'page.limit', message: string): Refusal =>
  new Refusal('invalid_request', `${path}: ${message}`, { errors: [{ path, message }] });

import { createHmac } from 'node:crypto';
import type { Request, Response } from 'express';
import { Refusal } from '#http';
import { derivedKey, isSameOrigin, sameSecret, type AdministratorPrincipal, type KeyCheck } from '#identity';
import { SECURITY_HEADERS } from '../http/responses.js';
import type { NamedTenant } from '../sign-in/connectors.js';
import type { Doorway } from '../sign-in/doorway.js';
import type { PersonSession, PersonSessions } from '../sign-in/person-sessions.js';
import type { SessionAuthenticator } from '../sign-in/session-authenticator.js';

/** Somebody at a page, signed in at its tenant. */
export interface Visitor {
  readonly tenant: NamedTenant;
  readonly session: PersonSession;
  readonly principal: AdministratorPrincipal;
}

/** Who comes to a page of requests. What counts is the cookie of their browser: no key and no token is looked at. */
export class Visitors {
  constructor(
    private readonly doorway: Doorway,
    private readonly sessions: PersonSessions,
    private readonly authenticator: SessionAuthenticator,
    private readonly check: KeyCheck,
  ) {}

  /** Who is signed in at a tenant; undefined for nobody, and for whoever is signed in at another one. */
  async of(name: string, request: Request): Promise<Visitor | undefined> {
    const tenant = await this.doorway.tenant(name);
    const session = await this.sessions.of(request);
    if (session?.tenant !== tenant.id) return undefined;
    return {
      tenant,
      session,
      principal: await this.authenticator.personOf(session, this.doorway.from(request).address),
    };
  }

  /** Who sends a form; undefined as in `of`. Throws Refusal for one that is not of a page of ours. */
  async sending(name: string, request: Request): Promise<Visitor | undefined> {
    if (!isSameOrigin(request.headers, this.doorway.origin)) throw notOurs();
    return this.of(name, request);
  }

  /** The text that the forms of one request carry, for one session under one cookie. */
  token({ session: { tenant, id, mac } }: Visitor, request: string): string {
    const key = derivedKey(this.check.pepper, 'form of a request', this.check.environment);
    return createHmac('sha256', key)
      .update(JSON.stringify([tenant, id, mac, request]))
      .digest('base64url');
  }

  /** Throws Refusal where the text of a form is not that of `token`. */
  checkToken(visitor: Visitor, request: string, token: string): void {
    if (!sameSecret(token, this.token(visitor, request))) throw notOurs();
  }

  /** Sends somebody to sign in, and back to where they are. */
  toSignIn(name: string, back: string, response: Response): void {
    const query = new URLSearchParams({ return_to: back });
    response.writeHead(303, {
      ...SECURITY_HEADERS,
      Location: `/t/${encodeURIComponent(name)}/sign-in?${query.toString()}`,
      'Content-Length': 0,
    });
    response.end();
  }
}

const notOurs = (): Refusal =>
  new Refusal('cross_site', 'this did not come from a page of ours: go back, load it anew, and try again');

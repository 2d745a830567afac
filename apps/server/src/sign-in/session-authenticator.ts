import type { IncomingMessage } from 'node:http';
import { Refusal } from '#http';
import {
  administratorOf,
  isSameAbility,
  isSameOrigin,
  UnauthenticatedError,
  type AdministratorPrincipal,
} from '#identity';
import { groupsOfPerson } from '#policy';
import type { Snapshots } from '#snapshot';
import type { Store } from '#store';
import type { PublicAddress } from '../http/public-address.js';
import type { PersonSession, PersonSessions } from './person-sessions.js';

/** Of every request by a session that changes something: a header that no form and no other site can send. */
const OURS = 'placet-request';

/** Content types that a page of another site can send without asking. */
const SIMPLE_TYPES = /^(application\/x-www-form-urlencoded|multipart\/form-data|text\/plain)\b/i;

/** Finds out which administrator calls with the cookie of a session. */
export class SessionAuthenticator {
  constructor(
    private readonly store: Store,
    private readonly snapshots: Snapshots,
    private readonly sessions: PersonSessions,
    private readonly address: PublicAddress,
  ) {}

  /**
   * The administrator whose session a request's cookie is; undefined if it has none that is live. Throws Refusal where
   * another site may have made the request.
   */
  async principalOf(request: IncomingMessage, address: string): Promise<AdministratorPrincipal | undefined> {
    if (request.headers.cookie === undefined) return undefined;
    const session = await this.sessions.of(request);
    if (!session) return undefined;
    this.#refuseCrossSite(request);
    return this.personOf(session, address);
  }

  /** As `Authenticator.again`, of a session. */
  async again(before: AdministratorPrincipal): Promise<AdministratorPrincipal> {
    const session = await this.sessions.byId(before.tenant, before.credential);
    if (!session) throw new UnauthenticatedError('credentials_invalid', 'the session is over');
    const after = await this.personOf(session, before.address);
    if (isSameAbility(after.ability, before.ability)) return after;
    throw new Refusal('forbidden', 'the rights of the caller were changed while the change was being made');
  }

  /** Who a session is. Whoever asks has to know that no other site has made the request. */
  async personOf(session: PersonSession, address: string): Promise<AdministratorPrincipal> {
    const { tenant, id, person, subject, issuer, claims, name, assurance, numbers } = session;
    const { policies } = await this.snapshots.of(tenant);
    const document = policies.documents.find('Issuer', issuer)?.document;
    const groups = document ? groupsOfPerson(policies, document, claims) : null;
    const verified = { id: person, issuer, claims, groups };
    const { roles, ability, keys, validUntil } = administratorOf(policies.documents, verified, this.store.clock.now());
    return {
      kind: 'administrator',
      via: 'session',
      tenant,
      credential: id,
      address,
      name: name ?? person,
      subject,
      roles,
      ability,
      assurance,
      proof: { epoch: numbers.epoch, keys },
      validUntil: Math.min(session.validUntil, validUntil ?? Infinity),
    };
  }

  /** A browser sends the cookie along with whatever a page makes it send: what changes something must come from us. */
  #refuseCrossSite({ method, headers }: IncomingMessage): void {
    if (method === 'GET' || method === 'HEAD') return;
    const isOurs =
      headers[OURS] === '1' &&
      !SIMPLE_TYPES.test(headers['content-type'] ?? '') &&
      isSameOrigin(headers, new URL(this.address.url).origin);
    if (isOurs) return;
    throw new Refusal(
      'cross_site',
      'with the cookie of a session this takes the header Placet-Request: 1, JSON, and a page of the same origin',
    );
  }
}

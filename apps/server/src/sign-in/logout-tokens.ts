import { createHash } from 'node:crypto';
import { Refusal } from '#http';
import { TokenRefused, type TokenVerifier, type VerifiedToken } from '#identity';
import { subjectKey, type StoredDocument } from '#policy';
import type { Snapshots } from '#snapshot';
import { recordEvent, type SessionStore, type Store } from '#store';
import type { Changes, PlannedChange } from '../admin/changes.js';
import { endingOf } from '../admin/suspensions/denials.js';

/** Ends sessions because the identity provider says so (OpenID Connect Back-Channel Logout 1.0 §2.6). */
export class LogoutTokens {
  constructor(
    private readonly store: Store,
    private readonly sessions: SessionStore,
    private readonly snapshots: Snapshots,
    private readonly verifier: TokenVerifier,
    private readonly changes: Changes,
  ) {}

  /**
   * Ends what a logout token names: the session of its `sid`; or, where it names the person alone, all that was given out to
   * them: sessions, tokens of ours, and those of the provider from before. Throws Refusal for a token that does not count;
   * one that was used before has been obeyed, and ends nothing again.
   */
  async obey(tenant: string, issuerName: string, text: string, address: string): Promise<void> {
    const { policies } = await this.snapshots.of(tenant);
    const issuer = policies.documents.find('Issuer', issuerName);
    if (!issuer?.document.signIn) throw new Refusal('not_found', 'there is no such page');
    const token = await this.#verified(tenant, issuer, text);
    const mac = createHash('sha256').update(`logout ${issuerName} ${token.fingerprint}`).digest();
    if (await this.sessions.isUsed(tenant, mac))
      throw new Refusal('invalid_request', 'the logout token was used before');
    const sid = typeof token.claims['sid'] === 'string' ? token.claims['sid'] : undefined;
    const person = token.subject && subjectKey(token.subject.type, token.subject.id);
    if (sid === undefined && person === null)
      throw new Refusal('invalid_request', 'the logout token names no session and nobody that we know');
    await this.changes.make({ kind: 'service', tenant, name: 'backchannel-logout' }, async () =>
      sid === undefined
        ? this.#endOf(tenant, person!)
        : { keys: [], operations: [{ op: 'end_sessions', issuer: issuer.document.name, upstreamSession: sid }] },
    );
    // Only now: what could not be done, the provider may send again.
    await this.sessions.useOnce(tenant, mac, token.expiresAt);
    const about = {
      by: 'identity-provider',
      issuer: issuer.document.name,
      person,
      upstream_session: sid ?? null,
      address,
    };
    await recordEvent(this.store, tenant, 'sign_out', about);
  }

  async #endOf(tenant: string, person: string): Promise<PlannedChange> {
    const { policies } = await this.snapshots.of(tenant);
    return { keys: [`subject:${person}`], operations: endingOf(person, policies, this.store.clock.now()) };
  }

  async #verified(tenant: string, issuer: StoredDocument<'Issuer'>, text: string): Promise<VerifiedToken> {
    try {
      return await this.verifier.verify([issuer], text, { tenant, use: 'logout', now: this.store.clock.now() });
    } catch (error) {
      if (error instanceof TokenRefused) throw new Refusal('invalid_request', 'the logout token does not count');
      throw error;
    }
  }
}

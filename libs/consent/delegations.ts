import { Refusal } from '#http';
import { principalName, type AdministratorPrincipal } from '#identity';
import { namesOf } from '#policy';
import type { Snapshots } from '#snapshot';
import type { ConsentActor, DatabaseClock, Delegation, DelegationStore } from '#store';
import { newDelegationId } from './ids.js';

/** Attempts while the rights of whoever delegates keep changing. */
const ATTEMPTS = 8;

/** For how long somebody may answer in the place of another at most, in ms. */
const LONGEST_MS = 90 * 24 * 3_600_000;

/** Says what an administrator is at this moment; Refusal where that is not what it was. */
interface Standing {
  again(principal: AdministratorPrincipal): Promise<AdministratorPrincipal>;
}

/**
 * Who answers in whose place, until when. It says nothing about what may be answered: that follows, at each use, from what
 * whoever delegated may agree to.
 */
export class Delegations {
  constructor(
    private readonly store: DelegationStore,
    private readonly snapshots: Snapshots,
    private readonly clock: DatabaseClock,
    private readonly standing: Standing,
  ) {}

  /** What somebody has given and was given, with what is over. */
  async of(principal: AdministratorPrincipal): Promise<readonly Delegation[]> {
    return this.store.of(principal.tenant, personOf(principal));
  }

  /** Names another person who answers in one's place. Only people who are signed in at a browser do that. @param until ms since 1970 */
  async delegate(principal: AdministratorPrincipal, to: string, until: number): Promise<Delegation> {
    const from = personOf(principal);
    if (principal.via !== 'session') {
      throw new Refusal('forbidden', 'only people who are signed in at a browser delegate: no token does');
    }
    const { policies } = await this.snapshots.of(principal.tenant);
    if (namesOf(policies, from).includes(to)) throw new Refusal('invalid_request', 'to: that is you');
    const now = this.clock.now();
    if (!(until > now && until <= now + LONGEST_MS)) {
      throw new Refusal('invalid_request', 'until: a time in the future, at most 90 days from now');
    }
    const id = newDelegationId();
    const given = { id, from, to, until: new Date(until).toISOString() };
    const outcome = await this.#made(principal, (actor) => this.store.delegate(principal.tenant, actor, given));
    if (outcome === 'unknown') throw new Refusal('not_found', `nobody has signed in as '${to}'`);
    if (outcome === 'over') throw new Refusal('invalid_request', 'until: that time is past');
    if (outcome === 'full')
      throw new Refusal('invalid_request', 'to: you have named as many people as you can: end some');
    return { id, from, to, createdAt: now, expiresAt: until, endedAt: null };
  }

  /** Takes a delegation back: nothing is answered by it any more. What was answered by it before still counts. */
  async end(principal: AdministratorPrincipal, id: string): Promise<void> {
    const from = personOf(principal);
    const outcome = await this.#made(principal, (actor) => this.store.end(principal.tenant, actor, from, id));
    if (outcome === 'missing') throw new Refusal('not_found', `you have no delegation '${id}' that is live`);
  }

  async #made<Outcome extends string>(
    principal: AdministratorPrincipal,
    make: (actor: ConsentActor) => Promise<Outcome>,
  ): Promise<Outcome> {
    let standing = principal;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const outcome = await make({ principal: principalName(standing), proof: standing.proof });
      if (outcome === 'principal') throw new Refusal('forbidden', 'the session was ended meanwhile');
      if (outcome !== 'rights') return outcome;
      standing = await this.standing.again(standing);
    }
    throw new Refusal('too_many_changes', 'others keep changing the same things: try again');
  }
}

function personOf({ subject }: AdministratorPrincipal): string {
  if (subject === null) throw new Refusal('not_found', 'a key delegates nothing: people do, who have signed in');
  return `${subject.type}:${subject.id}`;
}

import { createHmac } from 'node:crypto';
import { Refusal } from '#http';
import { derivedKey, sameMac, type KeyCheck } from '#identity';

/** Whom a link leads to what. */
export interface LinkTo {
  readonly tenant: string;
  readonly request: string;
  /** As they sign in, as in `user:entra/3f2c`. */
  readonly person: string;
}

/** A link that is good for one answer. */
export interface UsableLink {
  /** Under which it is marked as used, in hexadecimal. It makes no link. */
  readonly mac: string;
  /** In ms since 1970. */
  readonly until: number;
}

/**
 * What a link to a request carries that is sent to one person: until when it is good, and a MAC over that, the tenant, the
 * request and the person, under a key of its own that is not in the database.
 *
 * INVARIANT: it is no right. Who comes by it has to be signed in as that very person, and to be one who may answer; it says
 * nothing of them, and to whoever else has it, it is nothing.
 */
export class ConsentLinks {
  readonly #signing: Buffer;
  readonly #marking: Buffer;

  constructor({ pepper, environment }: KeyCheck) {
    this.#signing = derivedKey(pepper, 'consent link', environment);
    this.#marking = derivedKey(pepper, 'consent link used', environment);
  }

  /** A new link. @param until when it is over, in ms since 1970; never after the request is */
  make(to: LinkTo, until: number): string {
    const end = Math.floor(until).toString(36);
    return `${end}.${this.#mac(to, end).toString('base64url')}`;
  }

  /**
   * A link as the person that it was made for brings it. Throws Refusal (`link_refused`) for what is none, is another's, or
   * is over; whether it was used before is in the database.
   * @param to what it would be, if whoever brings it is whom it was made for
   * @param now ms since 1970
   */
  read(link: string, to: LinkTo, now: number): UsableLink {
    const [, end, mac] = FORM.exec(link) ?? [];
    if (end === undefined || !sameMac(Buffer.from(mac!, 'base64url'), this.#mac(to, end))) throw linkRefused();
    const until = parseInt(end, 36);
    if (!(now < until)) throw linkRefused();
    return { mac: createHmac('sha256', this.#marking).update(`${end}.${mac!}`).digest('hex'), until };
  }

  readonly #mac = ({ tenant, request, person }: LinkTo, end: string): Buffer =>
    createHmac('sha256', this.#signing)
      .update(JSON.stringify([tenant, request, person, end]))
      .digest();
}

/** The end in base 36, and 256 bits; of several spellings of the same bits one is taken. */
const FORM = /^([0-9a-z]{1,11})\.([A-Za-z0-9_-]{42}[AEIMQUYcgkosw048])$/;

/** The refusal of a link. It does not say what is wrong with it: whoever it was made for can do without it. */
export const linkRefused = (): Refusal =>
  new Refusal(
    'link_refused',
    'this link has been used, is over, or is for somebody else: sign in, and look at what you are asked',
  );

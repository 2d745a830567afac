import type { IncomingMessage } from 'node:http';

/** A person who has signed in with a browser. */
export interface SignedInPerson {
  readonly tenant: string;
  /** The id of the session. */
  readonly id: string;
  /** The subject that they are, as in `user:entra/3f2c`. */
  readonly person: string;
  readonly name: string | null;
}

/** Says who has signed in with the browser that a request is from. */
export interface SignedInPersons {
  of(request: IncomingMessage): Promise<SignedInPerson | undefined>;
}

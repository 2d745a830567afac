import type { AttemptSecrets, SignInAssurance, StrengthDemand } from '#identity';
import type { JsonObject } from '#policy';
import type { StepName } from './test/steps.js';

/**
 * A way by which people sign in: one identity provider, by whatever protocol it speaks. It sends the browser there and
 * checks what the browser brings back; sessions, cookies and records are no matter of its own. docs/connectors.md has an
 * example of another one.
 */
export interface Connector {
  /** The name of the Issuer document whose word it brings. */
  readonly name: string;
  /** The protocol: `oidc`, `saml` or `ldap`. */
  readonly kind: string;
  /** Where the browser is to go. Throws SignInError. */
  begin(attempt: Attempt): Promise<URL>;
  /**
   * Who has signed in, by what the browser brought back. What is not proven to belong to this attempt, and to be meant for
   * us, is a SignInError.
   */
  finish(received: Received, attempt: Attempt): Promise<VerifiedSignIn>;
  /**
   * Where the browser is to go to end the session at the identity provider as well; undefined where that cannot be done.
   * @param hint what `finish` gave for it
   */
  endSession?(returnTo: string, hint: string | null): Promise<URL | undefined>;
  /** Tries everything that can be tried without a person, and tells what comes of it. Throws nothing for what is not good. */
  examine?(examined: Examined): Promise<void>;
}

/**
 * Told of each look that is taken at a sign-in, before what is looked at is judged, by whoever tests it. Never a secret.
 *
 * INVARIANT: it is only told. A sign-in comes to the same with one and without.
 */
export interface Watch {
  /** What is looked at next, and what is there; all before it was good. */
  look(step: StepName, found: string): void;
  /**
   * What is looked at is not good, and it goes on in another way.
   * @param step which look it was after all, as far as that shows only now
   */
  missed(why: string, step?: StepName): void;
}

/** What an examination is told by: one step after the other, each done by itself. */
export interface Examined {
  /** Where an identity provider sends browsers back to. */
  readonly callback: string;
  /** Does one step. What it returns is told as found; what it throws as why it failed. Whether it was good. */
  readonly step: (step: StepName, work: () => Promise<string> | string) => Promise<boolean>;
  /** Notes what cannot be said. */
  readonly unknown: (step: StepName, found: string) => void;
}

/** A sign-in under way, bound to one browser and used once: that is seen to before `finish` is called. */
export interface Attempt {
  /** Where the identity provider sends the browser back to: one URL for each Issuer, so that none can pose as another. */
  readonly callback: string;
  /** Random, and the same at `begin` and `finish`. */
  readonly secrets: Pick<AttemptSecrets, 'state' | 'nonce' | 'verifier'>;
  /** How good and how fresh the proof must be; to be asked for in `begin` and checked in `finish`. */
  readonly demand: StrengthDemand;
  /** Who is told how it goes, where it is a test. */
  readonly watch?: Watch | undefined;
}

/** What a browser brought back. */
export interface Received {
  readonly method: 'GET' | 'POST';
  /** Under which the service is known outside. */
  readonly url: URL;
  /** Of a POST: the form. */
  readonly form?: URLSearchParams;
  /** Of the browser, where it counts how often something is tried. */
  readonly address?: string;
}

/** What an identity provider has said of a person, checked. */
export interface VerifiedSignIn {
  /** The name of the Issuer document. */
  readonly issuer: string;
  /** The subject that they are, by the Issuer document. */
  readonly subject: { readonly type: string; readonly id: string };
  /** Everything that was said and that lasts; Mappings are evaluated on it. */
  readonly claims: JsonObject;
  readonly name: string | null;
  readonly email: string | null;
  /** What the identity provider calls its own session, for its logout. */
  readonly upstreamSession: string | null;
  readonly assurance: SignInAssurance;
  /** When a session that rests on it must be over, in ms since 1970; left out or null: by our own limits alone. */
  readonly sessionEndsAt?: number | null;
  /** Digest of what was signed, for the record; SHA-256, base64url. */
  readonly evidence: string;
  /** What `endSession` wants back. Kept encrypted. */
  readonly logoutHint: string | null;
  /** When a directory was asked, in ms since 1970: what is known of the person from later goes before it. Left out: it is no directory. */
  readonly readAt?: number;
}

/** Why somebody was not signed in. A closed list: docs/identity.md says what to do about each. */
export type SignInReason =
  | 'attempt_missing'
  | 'attempt_used'
  | 'not_configured'
  | 'provider_unreachable'
  | 'provider_refused'
  | 'response_invalid'
  | 'token_invalid'
  | 'not_proven'
  | 'identity_missing'
  | 'requirement_unmet'
  | 'not_strong_enough'
  | 'suspended'
  | 'signed_out_meanwhile'
  | 'overtaken';

/** Somebody was not signed in. The person is told the reason's sentence; the detail is for the log and the record. */
export class SignInError extends Error {
  override readonly name = 'SignInError';

  constructor(
    readonly reason: SignInReason,
    readonly detail: string,
    options?: ErrorOptions,
  ) {
    super(detail, options);
  }
}

import type { DocumentSet } from '../documents/set.js';

const NOBODY: ReadonlySet<string> = new Set();

/** Issuers whose directory has not been heard of for longer than what it said is good. */
export class Silence {
  /** Null: those of the base. */
  #issuers: ReadonlySet<string> | null = null;

  /** @param base those that these are a layer over; left out: none */
  constructor(private readonly base?: Silence) {}

  get issuers(): ReadonlySet<string> {
    return this.#issuers ?? this.base?.issuers ?? NOBODY;
  }

  set issuers(issuers: ReadonlySet<string>) {
    this.#issuers = issuers;
  }

  /** The Issuer of one of some people, as in `user:corp/3f2c`, of whom nothing is known at this moment; undefined: there is none. */
  issuerOf(documents: DocumentSet, names: () => readonly string[]): string | undefined {
    const { issuers } = this;
    if (issuers.size === 0) return undefined;
    for (const name of names()) {
      const [, type, issuer] = /^([^:]*):([^/]*)\//.exec(name) ?? [];
      if (issuer === undefined || !issuers.has(issuer)) continue;
      if (documents.find('Issuer', issuer)?.document.subjectType === type) return issuer;
    }
    return undefined;
  }
}

import { DirectoryError } from './errors.js';

export interface DirectoryParts {
  /** Of our own account there. Throws where it is not set. */
  password(): string;
  /** The addresses of a server that may be gone to. Throws OutgoingError. */
  addressesOf(url: string): Promise<readonly string[]>;
  /** ms since 1970. */
  now(): number;
}

/** What is looked at, by who tests a directory or a sign-in by it. */
export type DirectoryStep =
  | 'secret'
  | 'server'
  | 'tls'
  | 'reading_account'
  | 'paging'
  | 'people'
  | 'user_name'
  | 'attempts'
  | 'password'
  | 'account'
  | 'memberships'
  | 'clock';

/** Told what is looked at next and what is there, and that it goes on in spite of it. Never a password. */
export interface Watch {
  look(step: DirectoryStep, found: string): void;
  /** @param step which look it was after all, as far as that shows only now */
  missed(why: string, step?: DirectoryStep): void;
}

/** Told one step after the other, each done by itself. */
export interface Examined {
  /** Does one step. What it returns is told as found; what it throws as why it failed. Whether it was good. */
  readonly step: (step: DirectoryStep, work: () => Promise<string> | string) => Promise<boolean>;
  readonly unknown: (step: DirectoryStep, found: string) => void;
}

/** Addresses of one server that are tried. */
const MOST_ADDRESSES = 4;

/** The addresses of a server. Throws DirectoryError. */
export async function addressesOf(parts: Pick<DirectoryParts, 'addressesOf'>, url: string): Promise<readonly string[]> {
  try {
    return (await parts.addressesOf(url)).slice(0, MOST_ADDRESSES);
  } catch (cause) {
    throw new DirectoryError('unreachable', `${url}: ${(cause as Error).message}`, { cause });
  }
}

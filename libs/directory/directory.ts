import { AndFilter, EqualityFilter, OrFilter, type Entry, type Filter } from 'ldapts';
import type { LdapSignIn } from '#policy';
import { mustChangePassword, stateAttributes, stateOf, type AccountState } from './account-state.js';
import { Connection } from './connection.js';
import { guidBytes, guidText, textOf, textsOf, uuidText, valuesOf, wholeOf } from './entries.js';
import { DirectoryError } from './errors.js';
import { SidNames, tokenGroups, walkedGroups, type FoundGroups } from './groups.js';

/** Somebody as a directory has them. */
export interface DirectoryPerson {
  /** objectGUID or entryUUID, in lower case: no other entry ever has it. */
  readonly id: string;
  readonly login: string | null;
  readonly name: string | null;
  readonly email: string | null;
  /** Null: the document does not say where groups are. */
  readonly groups: FoundGroups | null;
  /** Those that the document asks for, as far as they are texts and all of them came. */
  readonly attributes: Readonly<Record<string, readonly string[]>>;
}

/** What a directory says of somebody by their id. `gone`: there is no such entry among its people any more. */
export type Reading =
  | { readonly state: 'good'; readonly person: DirectoryPerson }
  | { readonly state: Exclude<AccountState, 'good'> | 'gone' };

export interface DirectoryParts {
  /** Of our own account there. Throws where it is not set. */
  password(): string;
  /** The addresses of a server that may be gone to. Throws OutgoingError. */
  addressesOf(url: string): Promise<readonly string[]>;
  /** ms since 1970. */
  now(): number;
}

/** For one sign-in with all its servers, in ms. */
const ALL_MS = 30_000;

/** Addresses of one server that are tried. */
const MOST_ADDRESSES = 4;

/** A directory of people (LDAP), read with an account of ours. */
export class Directory {
  /** The server that answered last is asked first. */
  #first = 0;

  constructor(
    private readonly settings: LdapSignIn,
    private readonly parts: DirectoryParts,
  ) {}

  /**
   * Who has a user name and a password. Throws DirectoryError.
   * @param mayTry told the id of the account before the password is tried: where it throws, it is not
   */
  async prove(login: string, password: string, mayTry: (id: string) => Promise<void>): Promise<DirectoryPerson> {
    if (!isLogin(login) || !isPassword(password))
      throw notProven('what was typed cannot be a user name and a password');
    return this.#ask(async (connection, again) => {
      const entry = await this.#byLogin(connection, login);
      const id = this.#idOf(entry);
      await mayTry(id);
      await using own = await again();
      if (!(await own.proves(entry.dn, password))) throw notProven(`the password is not the one of ${entry.dn}`);
      const state = stateOf(entry, this.settings, this.parts.now());
      if (state !== 'good') throw new DirectoryError('inactive', `${entry.dn} is ${state}`);
      if (mustChangePassword(entry)) throw new DirectoryError('inactive', `${entry.dn} must change the password first`);
      return this.#person(connection, entry, id, new SidNames());
    });
  }

  /** What the directory says of people by their ids, one after the other, on one connection. Throws DirectoryError. */
  async read(ids: Iterable<string>, told: (id: string, reading: Reading) => Promise<void>): Promise<void> {
    const left = [...ids];
    await this.#ask(async (connection) => {
      const names = new SidNames();
      // What another server was asked before this one is not asked again.
      for (let id = left[0]; id !== undefined; id = left[0]) {
        await told(id, await this.#reading(connection, id, names));
        left.shift();
      }
      // What is older than that counts for nothing.
    }, this.settings.goodForSeconds * 1000);
  }

  async #reading(connection: Connection, id: string, names: SidNames): Promise<Reading> {
    // Of somebody who came in otherwise, while the Issuer was no directory.
    if (uuidText(id) === undefined) return { state: 'gone' };
    const [entry, ...more] = await connection.search(this.settings.people.base, {
      scope: 'sub',
      filter: new AndFilter({ filters: [this.#people(), this.#hasId(id)] }),
      attributes: this.#attributes(),
      most: 2,
    });
    if (!entry) return { state: 'gone' };
    if (more.length > 0) return { state: 'unreadable' };
    const state = stateOf(entry, this.settings, this.parts.now());
    if (state !== 'good') return { state };
    return { state, person: await this.#person(connection, entry, id, names) };
  }

  /** Does something with one server after the other, until one answers. */
  async #ask<T>(
    work: (connection: Connection, again: () => Promise<Connection>) => Promise<T>,
    limitMs = ALL_MS,
  ): Promise<T> {
    const { urls, ca, account } = this.settings;
    const until = performance.now() + limitMs;
    let failure: DirectoryError | undefined;
    for (let count = 0; count < urls.length; count++) {
      const at = (this.#first + count) % urls.length;
      const url = urls[at]!;
      for (const address of await this.#addresses(url).catch((error: DirectoryError) => ((failure = error), []))) {
        if (performance.now() > until) break;
        const again = () => Connection.open({ url, ca }, address, until);
        try {
          await using connection = await again();
          if (!(await connection.proves(account, this.parts.password())))
            throw new DirectoryError('misconfigured', `${url} does not let in ${account}: look at its password`);
          const result = await work(connection, again);
          this.#first = at;
          return result;
        } catch (error) {
          if (!(error instanceof DirectoryError) || error.reason !== 'unreachable') throw error;
          failure = error;
        }
      }
    }
    throw failure ?? new DirectoryError('unreachable', 'no server of the directory has answered in time');
  }

  async #addresses(url: string): Promise<readonly string[]> {
    try {
      return (await this.parts.addressesOf(url)).slice(0, MOST_ADDRESSES);
    } catch (cause) {
      throw new DirectoryError('unreachable', `${url}: ${(cause as Error).message}`, { cause });
    }
  }

  async #byLogin(connection: Connection, login: string): Promise<Entry> {
    const { base } = this.settings.people;
    const names = this.#loginAttributes().map((attribute) => new EqualityFilter({ attribute, value: login }));
    const filter = new AndFilter({ filters: [this.#people(), new OrFilter({ filters: names })] });
    const found = await connection.search(base, { scope: 'sub', filter, attributes: this.#attributes(), most: 2 });
    if (found.length > 1) throw notProven('several accounts have that user name');
    if (!found[0]) throw notProven('nobody has that user name');
    return found[0];
  }

  async #person(connection: Connection, entry: Entry, id: string, names: SidNames): Promise<DirectoryPerson> {
    const { groups, directory, attributes = [] } = this.settings;
    const claims: Record<string, readonly string[]> = {};
    for (const name of attributes) {
      const values = await wholeOf(connection, entry, name);
      if (values && values.length > 0) claims[name] = values;
    }
    const found =
      groups &&
      (directory === 'active-directory'
        ? tokenGroups(connection, entry.dn, groups, names)
        : walkedGroups(connection, entry, groups));
    return {
      id,
      login: textOf(entry, this.#loginAttributes()[0]!) ?? null,
      name: textOf(entry, 'displayName') ?? textsOf(entry, 'cn')[0] ?? null,
      email: textsOf(entry, 'mail')[0] ?? null,
      groups: (await found) ?? null,
      attributes: claims,
    };
  }

  #idOf(entry: Entry): string {
    const id =
      this.settings.directory === 'active-directory'
        ? guidText(valuesOf(entry, 'objectGUID')[0])
        : uuidText(textOf(entry, 'entryUUID'));
    if (id !== undefined) return id;
    throw new DirectoryError(
      'misconfigured',
      `${entry.dn} has no ${this.#idAttribute()} that ${this.settings.account} may read`,
    );
  }

  #hasId(id: string): Filter {
    const value = this.settings.directory === 'active-directory' ? guidBytes(id) : id;
    return new EqualityFilter({ attribute: this.#idAttribute(), value });
  }

  #people(): Filter {
    const { objectClass } = this.settings.people;
    if (objectClass !== undefined) return new EqualityFilter({ attribute: 'objectClass', value: objectClass });
    if (this.settings.directory === 'generic')
      return new EqualityFilter({ attribute: 'objectClass', value: 'inetOrgPerson' });
    // Computers are of the class `user` as well.
    return new AndFilter({
      filters: [
        new EqualityFilter({ attribute: 'objectCategory', value: 'person' }),
        new EqualityFilter({ attribute: 'objectClass', value: 'user' }),
      ],
    });
  }

  #idAttribute(): string {
    return this.settings.directory === 'active-directory' ? 'objectGUID' : 'entryUUID';
  }

  #loginAttributes(): readonly string[] {
    const usual = this.settings.directory === 'active-directory' ? ['sAMAccountName', 'userPrincipalName'] : ['uid'];
    return this.settings.people.login ?? usual;
  }

  #attributes(): readonly string[] {
    const { attributes = [] } = this.settings;
    const usual = ['cn', 'displayName', 'mail', 'uid', this.#idAttribute(), ...this.#loginAttributes()];
    return [...new Set([...usual, ...stateAttributes(this.settings), ...attributes])];
  }
}

/** INVARIANT: control characters go no further: directories read `ann\0` as `ann`. */
const isLogin = (text: string): boolean =>
  text.trim() !== '' && text.length <= 256 && text.isWellFormed() && !/[\u0000-\u001f\u007f]/.test(text);

const isPassword = (text: string): boolean =>
  text !== '' && text.length <= 1024 && text.isWellFormed() && !text.includes('\u0000');

const notProven = (message: string): DirectoryError => new DirectoryError('not_proven', message);

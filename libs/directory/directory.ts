import { AndFilter, EqualityFilter, OrFilter, type Entry } from 'ldapts';
import type { LdapSignIn } from '#policy';
import { mustChangePassword, stateOf, type AccountState } from './account-state.js';
import { Connection } from './connection.js';
import { uuidText } from './entries.js';
import { DirectoryError, isOfTls } from './errors.js';
import { examineServers } from './examination.js';
import { SidNames } from './groups.js';
import { addressesOf, type DirectoryParts, type Examined, type Watch } from './parts.js';
import {
  attributesOf,
  groupsMethod,
  hasId,
  idAttribute,
  idOf,
  loginAttributes,
  people,
  personOf,
  type DirectoryPerson,
} from './people.js';

/** What a directory says of somebody by their id. `gone`: there is no such entry among its people any more. */
export type Reading =
  | { readonly state: 'good'; readonly person: DirectoryPerson }
  | { readonly state: Exclude<AccountState, 'good'> | 'gone' };

/** For one sign-in with all its servers, in ms. */
const ALL_MS = 30_000;

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
   * @param watch told what is looked at next; it changes nothing
   */
  async prove(
    login: string,
    password: string,
    mayTry: (id: string) => Promise<void>,
    watch?: Watch,
  ): Promise<DirectoryPerson> {
    watch?.look('user_name', 'what was typed');
    if (!isLogin(login) || !isPassword(password))
      throw notProven('what was typed cannot be a user name and a password');
    return this.#ask(
      async (connection, again) => {
        watch?.look(
          'user_name',
          `below ${this.settings.people.base}, by ${loginAttributes(this.settings).join(' or ')}`,
        );
        const entry = await this.#byLogin(connection, login);
        const id = idOf(entry, this.settings);
        watch?.look('attempts', `${entry.dn}, whose ${idAttribute(this.settings)} is ${id}`);
        await mayTry(id);
        watch?.look('password', `bind as ${entry.dn}`);
        await using own = await again();
        if (!(await own.proves(entry.dn, password))) throw notProven(`the password is not the one of ${entry.dn}`);
        const state = stateOf(entry, this.settings, this.parts.now());
        watch?.look('account', `the account is ${state}`);
        if (state !== 'good') throw new DirectoryError('inactive', `${entry.dn} is ${state}`);
        if (mustChangePassword(entry))
          throw new DirectoryError('inactive', `${entry.dn} must change the password first`);
        watch?.look('memberships', groupsMethod(this.settings));
        return personOf(connection, entry, id, this.settings, new SidNames());
      },
      ALL_MS,
      watch,
    );
  }

  /** Tries each server by itself, without a person. Throws nothing: what is not good is told. */
  async examine(examined: Examined): Promise<void> {
    await examineServers(this.settings, this.parts, examined);
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
      filter: new AndFilter({ filters: [people(this.settings), hasId(this.settings, id)] }),
      attributes: attributesOf(this.settings),
      most: 2,
    });
    if (!entry) return { state: 'gone' };
    if (more.length > 0) return { state: 'unreadable' };
    const state = stateOf(entry, this.settings, this.parts.now());
    if (state !== 'good') return { state };
    return { state, person: await personOf(connection, entry, id, this.settings, names) };
  }

  /** Does something with one server after the other, until one answers. */
  async #ask<T>(
    work: (connection: Connection, again: () => Promise<Connection>) => Promise<T>,
    limitMs = ALL_MS,
    watch?: Watch,
  ): Promise<T> {
    const { urls, ca, account } = this.settings;
    const until = performance.now() + limitMs;
    let failure: DirectoryError | undefined;
    for (let count = 0; count < urls.length; count++) {
      const at = (this.#first + count) % urls.length;
      const url = urls[at]!;
      watch?.look('server', url);
      const noAddress = (error: DirectoryError): readonly string[] => {
        watch?.missed(error.message);
        failure = error;
        return [];
      };
      for (const address of await addressesOf(this.parts, url).catch(noAddress)) {
        if (performance.now() > until) break;
        const again = () => Connection.open({ url, ca }, address, until);
        try {
          watch?.look('server', `${url}, at ${address}`);
          await using connection = await again();
          watch?.look('reading_account', `${url}: bind as ${account}`);
          if (!(await connection.proves(account, this.parts.password())))
            throw new DirectoryError('misconfigured', `${url} does not let in ${account}: look at its password`);
          const result = await work(connection, again);
          this.#first = at;
          return result;
        } catch (error) {
          if (!(error instanceof DirectoryError) || error.reason !== 'unreachable') throw error;
          failure = error;
          watch?.missed(error.message, isOfTls(error) ? 'tls' : 'server');
        }
      }
    }
    throw failure ?? new DirectoryError('unreachable', 'no server of the directory has answered in time');
  }

  async #byLogin(connection: Connection, login: string): Promise<Entry> {
    const { settings } = this;
    const names = loginAttributes(settings).map((attribute) => new EqualityFilter({ attribute, value: login }));
    const filter = new AndFilter({ filters: [people(settings), new OrFilter({ filters: names })] });
    const attributes = attributesOf(settings);
    const found = await connection.search(settings.people.base, { scope: 'sub', filter, attributes, most: 2 });
    if (found.length > 1) throw notProven('several accounts have that user name');
    if (!found[0]) throw notProven('nobody has that user name');
    return found[0];
  }
}

/** INVARIANT: control characters go no further: directories read `ann\0` as `ann`. */
const isLogin = (text: string): boolean =>
  text.trim() !== '' && text.length <= 256 && text.isWellFormed() && !/[\u0000-\u001f\u007f]/.test(text);

const isPassword = (text: string): boolean =>
  text !== '' && text.length <= 1024 && text.isWellFormed() && !text.includes('\u0000');

const notProven = (message: string): DirectoryError => new DirectoryError('not_proven', message);

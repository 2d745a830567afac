import { setTimeout as after } from 'node:timers/promises';
import { DirectoryError, type Directory, type Reading } from '#directory';
import {
  documentName,
  subjectKey,
  type IssuerDocument,
  type LdapSignIn,
  type SuspensionDocument,
  type TouchKey,
} from '#policy';
import type { Snapshots } from '#snapshot';
import {
  DirectoryStore,
  type DirectorySaid,
  type DirectoryTurn,
  type Operation,
  type Store,
  type StoredDirectory,
} from '#store';
import type { Changes, PlannedChange } from '../../admin/changes.js';
import { endingOf } from '../../admin/suspensions/denials.js';
import type { Log } from '../../operations/log.js';
import { claimsOf, clean } from './claims.js';
import type { Directories } from './directories.js';

/** How often is looked for directories whose turn has come, in ms. */
const LOOK_EVERY_MS = 1000;

/** People whose readings are written together. */
const BATCH = 100;

/** After one that failed, in ms. */
const AGAIN_AFTER_MS = 5000;

/** For how long somebody who signs in waits for a reading that another replica is at, in ms. */
const PATIENCE_MS = 5000;

/** Readings within the time for which they are good: the last but one may fail. */
const READINGS = 3;

export interface DirectoryReaderParts {
  readonly store: Store;
  readonly snapshots: Snapshots;
  readonly changes: Pick<Changes, 'make'>;
  readonly directories: Directories;
  readonly log: Log;
}

/** An Issuer that is a directory, as its document is at one moment. */
interface Turn extends StoredDirectory {
  readonly document: IssuerDocument;
  readonly signIn: LdapSignIn;
  readonly everyMs: number;
}

type NotGood = Exclude<Reading['state'], 'good'>;

/**
 * Reads everybody again who has ever signed in by a directory. Who is not good there any more is suspended, and whoever is
 * good again goes on; claims that have changed move the epoch. Every replica tries; one at a time reads one directory.
 */
export class DirectoryReader {
  readonly #people: DirectoryStore;
  readonly #underWay = new Map<string, Promise<void>>();
  /** When those that failed here are tried again, by the clock of the process. */
  readonly #notBefore = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(private readonly parts: DirectoryReaderParts) {
    this.#people = new DirectoryStore(parts.store);
  }

  start(): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      void this.#look().finally(() => this.start());
    }, LOOK_EVERY_MS);
    this.#timer.unref();
  }

  /** Waits for what is being read. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await Promise.all(this.#underWay.values());
  }

  /**
   * Reads a directory now if it counts as silent: somebody is about to sign in by it, and would be nobody. Returns the moment
   * afterwards, in ms since 1970: what is asked from now on is newer. Throws DirectoryError where reading does not help.
   */
  async bringUp(tenant: string, tenantName: string, issuer: string): Promise<number> {
    const isSilent = async () => (await this.parts.snapshots.of(tenant)).policies.silent.has(issuer);
    const until = performance.now() + PATIENCE_MS;
    while (await isSilent()) {
      await this.#once({ tenant, tenantName, issuer });
      if (!(await isSilent())) break;
      if (performance.now() > until) throw new DirectoryError('unreachable', 'its people could not be read');
      await after(PATIENCE_MS / 10);
    }
    return this.#people.now();
  }

  async #look(): Promise<void> {
    try {
      for (const directory of await this.#people.all())
        if (performance.now() > (this.#notBefore.get(keyOf(directory)) ?? -Infinity)) void this.#once(directory);
    } catch (error) {
      this.parts.log.error('directories could not be looked for', error);
    }
  }

  #once(directory: StoredDirectory): Promise<void> {
    const key = keyOf(directory);
    const underWay = this.#underWay.get(key);
    if (underWay) return underWay;
    const reading = this.#read(directory)
      .catch((error: unknown) => this.#failed(directory, error))
      .finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, reading);
    return reading;
  }

  async #read(directory: StoredDirectory): Promise<void> {
    const { tenant, issuer } = directory;
    const { policies } = await this.parts.snapshots.of(tenant);
    const document = policies.documents.find('Issuer', issuer)?.document;
    if (document?.signIn?.protocol !== 'ldap') return;
    const { signIn } = document;
    const turn = { ...directory, document, signIn, everyMs: (signIn.goodForSeconds * 1000) / READINGS };
    const begun = await this.#people.begin(tenant, issuer, turn.everyMs);
    if (begun === undefined) return;
    try {
      await this.#readAll(turn, begun);
    } catch (error) {
      await this.#people.giveUp(tenant, issuer, begun);
      throw error;
    }
  }

  async #readAll(turn: Turn, begun: string): Promise<void> {
    const { tenant, issuer, document, signIn } = turn;
    const prefix = subjectKey(document.subjectType, `${issuer}/`);
    const directory = this.parts.directories.of({ id: tenant, name: turn.tenantName }, document, signIn);
    let last = '';
    for (;;) {
      const people = await this.#people.people(tenant, issuer, last, BATCH);
      // Who has another type was somebody by another document of this name, and is nobody by this one.
      const ids = people.filter((id) => id.startsWith(prefix)).map((id) => id.slice(prefix.length));
      const readings = await readingsOf(directory, ids);
      if (people.length > 0) await this.#take(turn, { issuer, begun }, prefix, readings);
      if (people.length < BATCH) break;
      last = people.at(-1)!;
    }
    await this.#people.finish(tenant, issuer, begun);
  }

  async #take(
    { tenant, document }: Turn,
    reading: DirectoryTurn,
    prefix: string,
    readings: ReadonlyMap<string, Reading>,
  ): Promise<void> {
    const said: DirectorySaid[] = [];
    const stopped = new Map<string, NotGood>();
    for (const [id, found] of readings) {
      if (found.state !== 'good') {
        stopped.set(prefix + id, found.state);
        continue;
      }
      const { name, login, email } = found.person;
      const words = { name: (name ?? login) && clean((name ?? login)!), email: email && clean(email) };
      said.push({ id: prefix + id, claims: claimsOf(document, found.person), ...words });
    }
    if (said.length > 0 && !(await this.#people.said(tenant, reading, said))) throw overtaken();
    const maker = { kind: 'service', tenant, name: 'directory' } as const;
    await this.parts.changes.make(maker, () => this.#planned(tenant, reading, said, stopped));
  }

  /**
   * Stops who is not good, and takes back what this directory alone has stopped.
   *
   * INVARIANT: nothing of it counts if another reading was begun by the time of the commit, and nothing is written over that
   * somebody else has written since.
   */
  async #planned(
    tenant: string,
    reading: DirectoryTurn,
    good: readonly DirectorySaid[],
    stopped: ReadonlyMap<string, NotGood>,
  ): Promise<PlannedChange | undefined> {
    if (!(await this.#people.isLast(tenant, reading))) throw overtaken();
    const { issuer } = reading;
    const { policies } = await this.parts.snapshots.of(tenant);
    const suspensionOf = (person: string) => policies.documents.find('Suspension', `Subject:${person}`);
    const now = this.parts.store.clock.now();
    const operations: Operation[] = [];
    const keys: TouchKey[] = [];
    for (const [person, state] of stopped) {
      if (suspensionOf(person)) continue;
      const reason = `the directory '${issuer}' says of the account: ${state}`;
      const body: SuspensionDocument = { kind: 'Suspension', of: 'Subject', name: person, reason, by: issuer };
      operations.push({ op: 'put_document', kind: 'Suspension', name: documentName(body), body, expectedVersion: 0 });
      operations.push(...endingOf(person, policies, now));
      keys.push(`subject:${person}`);
    }
    for (const { id } of good) {
      const suspension = suspensionOf(id);
      if (suspension?.document.by !== issuer) continue;
      const { version: expectedVersion } = suspension;
      operations.push({ op: 'delete_document', kind: 'Suspension', name: `Subject:${id}`, expectedVersion });
      keys.push(`subject:${id}`);
    }
    return operations.length === 0 ? undefined : { keys, operations, reading };
  }

  #failed(directory: StoredDirectory, error: unknown): void {
    const { tenant, issuer } = directory;
    this.#notBefore.set(keyOf(directory), performance.now() + AGAIN_AFTER_MS);
    if (error instanceof DirectoryError)
      this.parts.log.warn('a directory could not be read', { tenant, issuer, detail: error.message.slice(0, 300) });
    else this.parts.log.error('a directory could not be read', error, { tenant, issuer });
  }
}

const overtaken = (): DirectoryError =>
  new DirectoryError('unreachable', 'another reading of it was begun: one takes longer than the time between two');

const keyOf = ({ tenant, issuer }: StoredDirectory): string => `${tenant} ${issuer}`;

async function readingsOf(directory: Directory, ids: readonly string[]): Promise<ReadonlyMap<string, Reading>> {
  const readings = new Map<string, Reading>();
  if (ids.length > 0) await directory.read(ids, async (id, reading) => void readings.set(id, reading));
  return readings;
}

import 'reflect-metadata';
import { Decisions, SubjectTokens } from '#decision';
import type { KeyCheck } from '#identity';
import { Snapshots } from '#snapshot';
import { ConsentReader, DecisionCommits, ensureTenant, prepareDatabase, Store, Sweep } from '#store';
import { createApp } from './application.js';
import { assemble } from './assemble.js';
import { bootstrap, type FirstKeys } from './bootstrap.js';
import { listen, stopListening, urlOf } from './listening.js';
import { assembleNotifier } from './notifications.js';
import { ConsentMetrics } from './operations/consent-metrics.js';
import { DEFAULT_TENANT, type ServiceOptions } from './service-options.js';

/** A service that answers. */
export interface Service {
  /** Under which it listens here. */
  readonly url: string;
  readonly publicUrl: string;
  readonly firstKeys: FirstKeys;
  /** Lets open requests finish, then gives back everything. */
  stop(): Promise<void>;
}

/**
 * Brings the database up to date, loads the home tenant and listens; the others are loaded when they are asked for. Whatever
 * fails leaves nothing open behind.
 */
export async function startService(options: ServiceOptions): Promise<Service> {
  const { progress = () => undefined } = options;
  progress('preparing the database');
  const connection = await prepareDatabase(options.database);
  const tenant = await ensureTenant(options.database, DEFAULT_TENANT);
  const store = await Store.open(connection);
  const closing: (() => Promise<void>)[] = [() => store.close()];
  const close = async () => {
    for (const step of closing.splice(0).reverse()) await step();
  };
  try {
    const keyCheck: KeyCheck = { pepper: options.pepper, environment: options.environment };
    const snapshots = new Snapshots(
      store,
      (error) => options.log.error('a tenant could not be brought up to date', error),
      { idleMs: (options.tenantIdleMinutes ?? Infinity) * 60_000, home: tenant },
    );
    closing.push(() => snapshots.close());
    progress('loading policies');
    await snapshots.of(tenant);
    await snapshots.start();
    const sweep = new Sweep(store, {
      everyMs: options.sweepEveryMs,
      onError: (error) => options.log.error('what is over could not be deleted', error),
    });
    closing.push(() => sweep.close());
    sweep.start();
    const commits = new DecisionCommits(store, 4);
    closing.push(() => commits.close());

    const consentMetrics = new ConsentMetrics();
    const parts = assemble(store, snapshots, tenant, keyCheck, consentMetrics, options);
    const notifier = assembleNotifier(store, parts.address, options, consentMetrics, options.log);
    closing.push(() => notifier.close());
    closing.push(() => parts.signIn.directories.reader.close());
    closing.push(() =>
      Promise.all([
        parts.uses.close(),
        parts.consentUses.close(),
        parts.consents.settlement.close(),
        parts.refusedEvents.close(),
        parts.refusedRequests.close(),
        parts.signIn.refusedSignIns.close(),
      ]).then(() => undefined),
    );
    const tokens = new SubjectTokens(parts.verifier, (of, { fault, issuer }) =>
      parts.refusedEvents.note(of, { credential: 'subject_token', reason: fault, issuer }),
    );
    const { consentUses } = parts;
    const onRelied = (of: string, ids: readonly string[]) => ids.forEach((id) => consentUses.used(of, id));
    const reader = new ConsentReader(store);
    const decisions = new Decisions(snapshots, commits, store.clock, parts.metrics, tokens, reader, onRelied);
    closing.push(() => decisions.drain());
    const { app, door, mount } = await createApp(parts, decisions);
    closing.push(() => app.close());
    await listen(app.getHttpServer(), options);
    closing.push(
      () => door.drain(),
      () => mount.drain(),
      () => stopListening(app.getHttpServer()),
    );
    const url = urlOf(app.getHttpServer(), options.host);
    parts.address.url = options.publicUrl ?? url;
    notifier.start();
    parts.signIn.directories.reader.start();
    // Last of all: what is shown only once must not be lost because a port was taken.
    const firstKeys = await bootstrap(store, tenant, keyCheck, options);
    await snapshots.refresh(tenant, Infinity);
    return { url, publicUrl: parts.address.url, firstKeys, stop: close };
  } catch (error) {
    await close().catch(() => undefined);
    throw error;
  }
}

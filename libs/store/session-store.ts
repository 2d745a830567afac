import type { JsonObject } from '#policy';
import type { Store } from './store.js';
import type { TenantNumbers } from './tenant-state.js';

/** A live session with its person, as they are stored at one moment. Times in ms since 1970. */
export interface StoredSession {
  readonly id: string;
  /** Of its cookie, hexadecimal. */
  readonly mac: string;
  readonly person: string;
  readonly issuer: string;
  readonly acr: string | null;
  readonly amr: readonly string[];
  /** Null: the identity provider does not say. */
  readonly authenticatedAt: number | null;
  readonly createdAt: number;
  readonly seenAt: number;
  readonly idleEndsAt: number;
  readonly endsAt: number;
  readonly claims: JsonObject;
  readonly name: string | null;
  readonly email: string | null;
  /** Hexadecimal; what the identity provider is shown at the end of its own session. */
  readonly sealedHint: string | null;
}

/** A live session, and the tenant at the moment at which it was read. */
export interface FoundSession {
  readonly session: StoredSession;
  readonly tenantName: string;
  readonly numbers: TenantNumbers;
}

/** A person who has just proven who they are. */
export interface SignedIn {
  readonly tenant: string;
  readonly person: {
    readonly id: string;
    readonly issuer: string;
    readonly claims: JsonObject;
    readonly name: string | null;
    readonly email: string | null;
    /** The key under which their tokens would be denied. */
    readonly denial: string;
    /** Before it was asked who they are, in ms since 1970, by the database's clock: what is known since then is newer. */
    readonly askedAt: number;
    /** Whether it was a directory that was asked, all of whose people are read besides. */
    readonly ofDirectory?: boolean;
  };
  readonly session: {
    readonly id: string;
    /** Hexadecimal. */
    readonly mac: string;
    readonly upstreamSession: string | null;
    readonly acr: string | null;
    readonly amr: readonly string[];
    readonly authenticatedAt: number | null;
    readonly sealedHint: string | null;
    readonly idleMs: number;
    readonly absoluteMs: number;
    /** When the sign-in began, in ms since 1970. */
    readonly begunAt: number;
    /** The session that this browser had. */
    readonly replaces: string | null;
    /** Whether that one goes on, if it is of the same person. */
    readonly stepUp: boolean;
    readonly address: string | null;
    readonly userAgent: string | null;
  };
  /** What the record of it says. */
  readonly about: JsonObject;
}

/** What became of a sign-in. */
export type BeginOutcome = 'signed_in' | 'denied' | 'overtaken';

const SESSION = `
  select s.id, encode(s.mac, 'hex') as mac, s.person, s.issuer, s.acr, s.amr, extract(epoch from s.authenticated_at) * 1000 as "authenticatedAt",
    extract(epoch from s.created_at) * 1000 as "createdAt", extract(epoch from s.seen_at) * 1000 as "seenAt",
    extract(epoch from s.idle_ends_at) * 1000 as "idleEndsAt", extract(epoch from s.ends_at) * 1000 as "endsAt",
    p.claims, p.name, p.email, encode(s.sealed_hint, 'hex') as "sealedHint"
  from placet.session s join placet.person p on p.tenant = s.tenant and p.id = s.person
  where s.tenant = $1 and (s.mac = $2 or s.id = $3) and s.ended_at is null
    and s.idle_ends_at > clock_timestamp() and s.ends_at > clock_timestamp()`;

/** Sessions of people in the database. */
export class SessionStore {
  constructor(private readonly store: Store) {}

  /** The tenant that a session belongs to. Who asks has not proven anything yet: nothing else is told. */
  async tenantOf(mac: Buffer): Promise<string | undefined> {
    const [row] = await this.store.call<{ tenant: string | null }>('select placet.tenant_of_session($1) as tenant', [
      mac,
    ]);
    return row?.tenant ?? undefined;
  }

  /**
   * A live session at this moment, past every snapshot, by the MAC of its cookie or by its id; and the tenant's name and
   * numbers at that moment: rights that rest on it are worked out on a snapshot that is at least as new.
   */
  async find(
    tenant: string,
    by: { readonly mac: Buffer } | { readonly id: string },
  ): Promise<FoundSession | undefined> {
    const [row] = await this.store.read(tenant, (view) =>
      view.query<(TenantNumbers & { tenantName: string; session: StoredSession | null })[]>(
        `select s.revision, s.epoch, t.name as "tenantName", (select to_json(x) from (${SESSION}) x) as session
         from placet.tenant_state s join placet.tenant t on t.id = s.tenant where s.tenant = $1`,
        [tenant, 'mac' in by ? by.mac : null, 'id' in by ? by.id : null],
      ),
    );
    if (!row?.session) return undefined;
    const { session, tenantName, revision, epoch } = row;
    return { session, tenantName, numbers: { revision, epoch } };
  }

  /** Whether a person has signed in from an address within the last month. */
  async isKnownAddress(tenant: string, person: string, address: string): Promise<boolean> {
    const rows = await this.store.read(tenant, (view) =>
      view.query<unknown[]>(
        `select from placet.session s where s.tenant = $1 and s.person = $2 and s.address = $3
           and s.created_at > clock_timestamp() - interval '30 days' limit 1`,
        [tenant, person, address],
      ),
    );
    return rows.length > 0;
  }

  /**
   * Keeps what is said of a person and begins a session, in one transaction with its record. `denied` where the person was
   * signed out everywhere since the sign-in began; `overtaken`, and nothing is kept, where something else has been said of
   * them since it was asked, or their directory has been read, or is being read, since then: it is to be asked again.
   */
  async begin({
    tenant,
    person: { askedAt, ofDirectory = false, ...person },
    session,
    about,
  }: SignedIn): Promise<BeginOutcome> {
    const signIn = ofDirectory ? 'sign_in_from_directory($1, $2, $3, $4, $5)' : 'sign_in($1, $2, $3, $4)';
    const [row] = await this.store.call<{ outcome: BeginOutcome }>(`select outcome from placet.${signIn}`, [
      tenant,
      JSON.stringify({ ...person, asked_at: askedAt }),
      JSON.stringify({
        id: session.id,
        mac: session.mac,
        upstream_session: session.upstreamSession,
        acr: session.acr,
        amr: session.amr,
        authenticated_at: session.authenticatedAt,
        sealed_hint: session.sealedHint,
        idle_ms: session.idleMs,
        absolute_ms: session.absoluteMs,
        begun_at: session.begunAt,
        replaces: session.replaces,
        step_up: session.stepUp,
        address: session.address,
        user_agent: session.userAgent,
      }),
      JSON.stringify(about),
      ...(ofDirectory ? [new Date(askedAt).toISOString()] : []),
    ]);
    return row?.outcome ?? 'denied';
  }

  /** The database's own clock at this moment, in ms since 1970: nothing that is written down later is taken for older. */
  async now(): Promise<number> {
    const [row] = await this.store.call<{ now: number }>(
      'select (extract(epoch from clock_timestamp()) * 1000)::float8 as now',
      [],
    );
    return row!.now;
  }

  /**
   * Ends one session of a person, with a record. Whether there was one to end.
   * @param about what the record says besides
   */
  async end(tenant: string, session: string, person: string, about: JsonObject = {}): Promise<boolean> {
    const [row] = await this.store.call<{ ended: boolean }>('select placet.sign_out($1, $2, $3, $4) as ended', [
      tenant,
      session,
      person,
      JSON.stringify({ ...about, session, person }),
    ]);
    return row?.ended === true;
  }

  /** Notes that a session was used; within a minute of the last time it does nothing. */
  async touch(tenant: string, session: string, idleMs: number): Promise<void> {
    await this.store.call('select placet.touch_session($1, $2, $3)', [tenant, session, idleMs]);
  }

  /**
   * Marks something as used. Whether it had not been before; of several at the same time one is told so.
   * @param until when it would be too old to be used anyway, in ms since 1970
   */
  async useOnce(tenant: string, mac: Buffer, until: number): Promise<boolean> {
    const [row] = await this.store.call<{ first: boolean }>('select placet.use_once($1, $2, $3) as first', [
      tenant,
      mac,
      new Date(until).toISOString(),
    ]);
    return row?.first === true;
  }

  /** Whether something is marked as used. */
  async isUsed(tenant: string, mac: Buffer): Promise<boolean> {
    const rows = await this.store.read(tenant, (view) =>
      view.query<unknown[]>('select from placet.used_once u where u.tenant = $1 and u.mac = $2', [tenant, mac]),
    );
    return rows.length > 0;
  }
}

import type { Store } from './store.js';

/** Whether its address was not opened yet, a browser was sent on its way, or it is over. */
export type SignInTestState = 'waiting' | 'sent' | 'over';

/** A sign-in that an administrator tries out. */
export interface StoredSignInTest {
  readonly issuer: string;
  readonly begunBy: string;
  readonly state: SignInTestState;
  /** Null: nothing was looked at yet. */
  readonly sealed: Buffer | null;
  /** In ms since 1970. */
  readonly expiresAt: number;
}

/** Sign-ins that are tried out, in the database, so that any replica can take what a browser brings back. */
export class SignInTestStore {
  constructor(private readonly store: Store) {}

  /** Begins one, with a record of it. False where a tenant has `most` of them already. */
  async begin(
    tenant: string,
    { id, issuer, begunBy }: { readonly id: string; readonly issuer: string; readonly begunBy: string },
    { seconds, most }: { readonly seconds: number; readonly most: number },
  ): Promise<boolean> {
    const [row] = await this.store.call<{ begun: boolean }>(
      'select placet.begin_sign_in_test($1, $2, $3, $4, $5, $6) as begun',
      [tenant, id, issuer, begunBy, seconds, most],
    );
    return row?.begun === true;
  }

  /** Takes one to its next state with what was looked at. False unless it is in `from` and not too old: of several, one is told so. */
  async advance(
    tenant: string,
    id: string,
    issuer: string,
    [from, to]: readonly [SignInTestState, SignInTestState],
    sealed: Buffer,
  ): Promise<boolean> {
    const [row] = await this.store.call<{ done: boolean }>(
      'select placet.advance_sign_in_test($1, $2, $3, $4, $5, $6) as done',
      [tenant, id, issuer, from, to, sealed],
    );
    return row?.done === true;
  }

  /** One that is not too old. */
  async find(tenant: string, id: string): Promise<StoredSignInTest | undefined> {
    const [row] = await this.store.read(tenant, (view) =>
      view.query<StoredSignInTest[]>(
        `select t.issuer, t.begun_by as "begunBy", t.state, t.sealed,
           (extract(epoch from t.expires_at) * 1000)::float8 as "expiresAt"
         from placet.sign_in_test t where t.tenant = $1 and t.id = $2 and t.expires_at > clock_timestamp()`,
        [tenant, id],
      ),
    );
    return row;
  }
}

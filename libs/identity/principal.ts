import type { AdministratorRights, HostRights } from './rights.js';

/** Who calls our API: a host, or an administrator. Never the subject of a decision. */
export type Principal = HostPrincipal | AdministratorPrincipal;

export interface HostPrincipal {
  readonly kind: 'host';
  readonly tenant: string;
  readonly credential: string;
  readonly host: string;
  readonly rights: HostRights;
  /** When the key, or the secret that was used, expires, in ms since 1970; null: never. */
  readonly validUntil: number | null;
}

export interface AdministratorPrincipal {
  readonly kind: 'administrator';
  readonly tenant: string;
  readonly credential: string;
  readonly name: string;
  readonly rights: AdministratorRights;
  readonly validUntil: number | null;
}

import type { Settings } from '#config';
import type { DatabaseAddress } from '#store';
import type { NotifierSettings } from './notifications.js';
import type { Log } from './operations/log.js';

/** The name of the home tenant: the one that every service has, and whose operators make the others. */
export const DEFAULT_TENANT = 'default';

/** What a service is started with. */
export interface ServiceOptions
  extends
    Pick<Settings, 'host' | 'port' | 'publicUrl' | 'environment' | 'bootstrapKey' | 'quickstart'>,
    Partial<Pick<Settings, 'trustedProxies' | 'privateIdentityProviders' | 'fourEyesWaived'>>,
    NotifierSettings {
  readonly attempts?: Partial<Settings['attempts']>;
  readonly database: DatabaseAddress;
  readonly pepper: Buffer;
  readonly log: Log;
  /** For how long the state of a tenant that nobody uses stays in memory; left out: for ever. */
  readonly tenantIdleMinutes?: number;
  /** How often what is over is looked for, in ms; left out: every ten minutes. */
  readonly sweepEveryMs?: number;
  /** How long a device that somebody signs in waits between two questions for its tokens; left out: 5, as RFC 8628 has it. */
  readonly devicePollSeconds?: number;
  /** Told what takes time at the start. */
  readonly progress?: (text: string) => void;
}

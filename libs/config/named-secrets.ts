import { readSecret, SECRET_SUFFIXES, type Environment } from './secrets.js';
import { SettingError } from './setting-error.js';

const PREFIX = 'PLACET_SECRET_';

/** Words of capitals and digits with one line between; two lines part the tenant from the name. */
const WORDS = '[A-Z0-9]+(?:_[A-Z0-9]+)*';
const SETTING = new RegExp(`^${PREFIX}(${WORDS})__(${WORDS})$`);

/** A tenant whose secrets can be set: no other such name becomes the same setting. */
const TENANT = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;
const NAME = /^[A-Za-z0-9]+(?:[-._][A-Za-z0-9]+)*$/;

/** Whether a variable is, by its name, a secret of a tenant. */
export const isNamedSecret = (variable: string): boolean => SETTING.test(variable);

/**
 * Secrets of connectors, such as the one that an identity provider knows us by: documents have their names, and the
 * settings of the service their values, `PLACET_SECRET_<TENANT>__<NAME>`.
 *
 * INVARIANT: no two tenants share a setting. The name of a tenant has no blank part and nothing but letters, digits and
 * single hyphens, so that it can be read back from the setting; what is not so named has no secrets here.
 */
export class NamedSecrets {
  static readonly NONE = new NamedSecrets(new Map());

  private constructor(private readonly values: ReadonlyMap<string, string>) {}

  /** Reads all that there are. Throws SettingError. */
  static read(environment: Environment): NamedSecrets {
    const values = new Map<string, string>();
    for (const variable of Object.keys(environment)) {
      if (!variable.startsWith(PREFIX)) continue;
      if (!isNamedSecret(variable)) {
        throw new SettingError(
          `${variable} must be ${PREFIX}TENANT__NAME, in capitals, digits and single lines, with two between the parts.`,
        );
      }
      const setting = withoutSuffix(variable);
      const value = readSecret(setting, environment);
      if (value !== undefined) values.set(setting, value);
    }
    return new NamedSecrets(values);
  }

  /** The secret that a document of a tenant names; undefined where it is not set. */
  of(tenantName: string, secretName: string): string | undefined {
    const setting = settingOf(tenantName, secretName);
    return setting === undefined ? undefined : this.values.get(setting);
  }
}

/** Which setting a secret is read from; undefined where there can be none. */
export function settingOf(tenantName: string, secretName: string): string | undefined {
  if (!TENANT.test(tenantName) || !NAME.test(secretName)) return undefined;
  const word = (text: string) => text.replaceAll(/[-.]/g, '_').toUpperCase();
  const setting = `${PREFIX}${word(tenantName)}__${word(secretName)}`;
  // Of a name that ends so, the setting would be the path of another secret, or its command.
  return withoutSuffix(setting) === setting ? setting : undefined;
}

function withoutSuffix(variable: string): string {
  const suffix = SECRET_SUFFIXES.find((each) => each !== '' && variable.endsWith(each));
  const bare = suffix === undefined ? variable : variable.slice(0, -suffix.length);
  // A secret may well be called `file` itself.
  return isNamedSecret(bare) ? bare : variable;
}

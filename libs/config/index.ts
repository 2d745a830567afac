export { NamedSecrets } from './named-secrets.js';
export { SettingError } from './setting-error.js';
export { readClientSettings, readSettings, SETTING_NAMES, type Settings } from './settings.js';

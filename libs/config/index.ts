export { readClientSettings, readSettings, SETTING_NAMES, SettingError, type Settings } from './settings.js';

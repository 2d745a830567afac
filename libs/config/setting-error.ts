/** A setting that cannot be used. One sentence: which, why, and what it must be. */
export class SettingError extends Error {
  override readonly name = 'SettingError';
}

/** A call that did not work out. The message is for the person at the terminal. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

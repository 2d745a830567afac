/** A command line that is not written as it must be. The message says how it is. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** A subject or a resource as a person writes it, TYPE:ID. Throws UsageError with `hint` for anything else. */
export function typeAndId(text: string, hint: string): { readonly type: string; readonly id: string } {
  const [, type, id] = /^([^:]+):(.+)$/s.exec(text) ?? [];
  if (type === undefined || id === undefined) throw new UsageError(hint);
  return { type, id };
}

/** What is wrong with an option, of an error of Node's own parser, which says more than anybody wants to read. */
export function unreadOption(error: unknown): string | undefined {
  if (!(error instanceof TypeError)) return undefined;
  const option = /'([^']*)'/.exec(error.message)?.[1]?.replace(/ <value>$/, '');
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ERR_PARSE_ARGS_UNKNOWN_OPTION':
      return `there is no option '${option}'`;
    case 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE':
      return `'${option}' ${error.message.includes('not take') ? 'takes no value' : 'needs a value'}`;
    default:
      return undefined;
  }
}

import { TokenRefused, UnauthenticatedError } from '#identity';
import type { Problem } from '#http';

/** What a line of the log may be about. Never a secret, an argument or a body. */
export interface LogContext {
  readonly requestId?: string;
  readonly trace?: string | undefined;
  readonly path?: string;
}

type Level = 'error' | 'warn' | 'info';

const ORDER: Readonly<Record<Level, number>> = { error: 0, warn: 1, info: 2 };

/** Writes one JSON object a line. */
export class Log {
  constructor(
    private readonly threshold: Level,
    private readonly write: (line: string) => void = (line) => process.stdout.write(line),
  ) {}

  info(event: string, members: Readonly<Record<string, unknown>> = {}): void {
    this.#line('info', event, members);
  }

  warn(event: string, members: Readonly<Record<string, unknown>> = {}): void {
    this.#line('warn', event, members);
  }

  error(event: string, error: unknown, members: Readonly<Record<string, unknown>> = {}): void {
    this.#line('error', event, { ...members, error: describe(error) });
  }

  /** A request that got an error for an answer. What is the caller's fault is no error of ours. */
  failed(error: unknown, problem: Problem, context: LogContext): void {
    const members = { ...context, status: problem.status, code: problem.code };
    if (problem.status >= 500) this.error('request failed', error, members);
    else if (error instanceof UnauthenticatedError)
      this.warn('request not authenticated', { ...members, detail: error.detail });
    else if (error instanceof TokenRefused) {
      const { fault, detail, issuer } = error;
      this.warn('subject token refused', { ...members, fault, detail, issuer });
    }
  }

  #line(level: Level, event: string, members: Readonly<Record<string, unknown>>): void {
    if (ORDER[level] > ORDER[this.threshold]) return;
    this.write(`${JSON.stringify({ time: new Date().toISOString(), level, event, ...members })}\n`);
  }
}

/** An error and its causes, with the stack: the log is for whoever runs the service. */
function describe(error: unknown): Readonly<Record<string, unknown>> {
  if (!(error instanceof Error)) return { message: String(error) };
  return {
    name: error.name,
    message: error.message,
    stack: error.stack
      ?.split('\n')
      .slice(1, 8)
      .map((line) => line.trim()),
    ...(error.cause === undefined ? {} : { cause: describe(error.cause) }),
  };
}

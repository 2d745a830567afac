import { readFileSync } from 'node:fs';
import type { Explanation } from '#policy';
import { CommandError, type Api } from '../api.js';
import { explanationLines } from '../explanation.js';
import { EXIT, type Output } from '../output.js';
import { typeAndId, UsageError } from '../usage.js';

export interface DecideOptions {
  readonly subject: string | undefined;
  readonly server: string | undefined;
  readonly tool: string | undefined;
  readonly arguments: string | undefined;
  readonly file: string | undefined;
}

interface DecisionBody {
  readonly effect: 'allow' | 'deny' | 'ask';
  readonly evaluation_id: string;
  readonly reason: { readonly code: string; readonly message: string };
  readonly explanation?: Explanation;
}

const EXIT_OF = { allow: EXIT.ok, deny: EXIT.deny, ask: EXIT.ask } as const;

/**
 * `decide`: asks for one decision with the key of a host, prints the answer, and exits by its effect. With `explain` it
 * prints why, to be read by a person; else the answer as it came.
 */
export async function decide(api: Api, output: Output, request: unknown, explain: boolean): Promise<number> {
  const asked = explain && typeof request === 'object' ? { ...request, explain } : request;
  const answer = await api.post<DecisionBody>('/mcp/v1/decisions', asked);
  if (explain && answer.explanation) {
    const { effect, reason, evaluation_id: id, explanation } = answer;
    for (const line of [`${effect} (${reason.code}): ${reason.message}`, id, ...explanationLines(explanation)])
      output.line(line);
  } else output.line(JSON.stringify(answer, null, 2));
  return EXIT_OF[answer.effect] ?? EXIT.failure;
}

/** What to ask: a whole request out of a file, or a tool call of which the options say the parts. */
export function decisionRequest(options: DecideOptions): unknown {
  return options.file === undefined ? toolCall(options) : fromFile(options.file);
}

function toolCall({ subject, server, tool, arguments: given = '{}' }: DecideOptions): unknown {
  if (subject === undefined || server === undefined || tool === undefined) {
    throw new UsageError('decide needs --subject TYPE:ID --server NAME --tool NAME [--arguments JSON], or --file FILE');
  }
  const { type, id } = typeAndId(subject, 'a subject is written --subject TYPE:ID, as in user:ann');
  const message = {
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: tool, arguments: json(given, '--arguments') },
  };
  return { subject: { type, id }, server, direction: 'client_to_server', message };
}

function fromFile(path: string): unknown {
  try {
    return json(readFileSync(path === '-' ? 0 : path, 'utf8'), path);
  } catch (cause) {
    if (cause instanceof CommandError) throw cause;
    throw new CommandError(`${path} cannot be read (${(cause as NodeJS.ErrnoException).code}).`, { cause });
  }
}

/** What a text in JSON says; CommandError if it is none. */
export function json(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CommandError(`${what} is not JSON: ${(cause as Error).message}`, { cause });
  }
}

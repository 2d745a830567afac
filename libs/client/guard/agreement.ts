import type { Approval, ConsentTask, KnownTask, UrlElicitation } from '../consent-task.js';
import type { Asked } from '../decision.js';
import type { ObligationHandlers } from '../obligations.js';
import type { PlacetClient } from '../placet-client.js';
import type { DecisionRequest } from '../request.js';
import type { Unanswered } from './refusal.js';

/** What an application does where people must agree first. */
export interface ConsentOptions {
  /**
   * Told that people were asked: the place to show a dialog, or to open `reviewUrl` at a browser. It need not wait for the
   * answer, and its end means nothing; where it fails, nobody may have seen the request, and that is taken back.
   */
  onAsk(ask: ConsentAsk): void | Promise<void>;
  /** How long to wait for the answer, in ms; then the request is taken back. Default five minutes. */
  readonly waitMs?: number;
}

/** A request that people can answer now. */
export interface ConsentAsk {
  /** Of the request. */
  readonly id: string;
  /** What is asked, in one sentence of Placet's. The page has all of it. */
  readonly title: string;
  /** Where people look at it and answer, signed in. */
  readonly reviewUrl: string;
  /** Params of an `elicitation/create` in URL mode (MCP 2025-11-25), for hosts that can show one. */
  readonly elicitation: UrlElicitation;
  /** Until when it can be answered (RFC 3339). */
  readonly expiresAt: string;
  /** What asked, with what must be agreed to and by whom. */
  readonly decision: Asked;
  readonly request: DecisionRequest;
  /** Aborted once nothing is waited for any more, whatever came of it: a dialog can go. */
  readonly signal: AbortSignal;
  /** Takes the request back; the operation fails. */
  cancel(): void;
}

interface Waiting {
  readonly placet: Pick<PlacetClient, 'request' | 'status' | 'cancel'>;
  readonly consent: ConsentOptions;
  readonly obligations: ObligationHandlers;
  /** Of whoever waits for the operation: aborted, nobody does any more. */
  readonly signals: readonly AbortSignal[];
}

/** What people have agreed to, or why they have not. */
export type Agreement = { readonly approval: Approval } | { readonly unanswered: Unanswered };

const FIVE_MINUTES = 5 * 60_000;

/** The longest that a timer can be set to, in ms. */
const LONGEST = 2 ** 31 - 1;

/**
 * Asks people for what a decision asked, and waits for them. Takes the request back where it ends before they have answered.
 *
 * INVARIANT: says approved only where Placet does and the host still wants it; and that lets nothing pass yet.
 */
export async function agreementTo(decision: Asked, request: DecisionRequest, waiting: Waiting): Promise<Agreement> {
  const { placet, consent, obligations, signals } = waiting;
  if (!decision.requestable) {
    return none(
      'not_requestable',
      'nobody can agree to this: Placet does not know which definition of the tool is meant',
    );
  }
  const opened = await placet.request({ ...request, evaluationId: decision.evaluationId }, obligations);
  if ('failure' in opened) return none('not_requested', opened.failure.reason.message);

  const over = new AbortController();
  let stopped: Agreement | undefined;
  const stop = (...why: Parameters<typeof none>): void => {
    stopped ??= none(...why);
    over.abort();
  };
  const { id } = opened;
  const giveUp = (): void => stop('given_up', 'the operation was given up before anybody answered', id);
  const waitMs = Math.min(consent.waitMs ?? FIVE_MINUTES, LONGEST);
  const timer = setTimeout(() => stop('timed_out', `nobody answered within ${waitMs} ms`, id), waitMs);
  for (const signal of signals) signal.addEventListener('abort', giveUp);
  try {
    if (signals.some(({ aborted }) => aborted)) giveUp();
    else if (opened.elicitation) {
      const cancel = (): void => stop('cancelled', 'the application took the request back', id);
      const ask = askOf(opened, opened.elicitation, { decision, request, signal: over.signal, cancel });
      void shown(consent, ask).catch((error: unknown) =>
        stop('not_shown', `it could not be shown: ${textOf(error)}`, id),
      );
    }
    const task = await settled(placet, opened, over.signal);
    if (!stopped) return outcomeOf(task, id);
    await placet.cancel(id);
    return stopped;
  } finally {
    clearTimeout(timer);
    for (const signal of signals) signal.removeEventListener('abort', giveUp);
    over.abort();
  }
}

const none = (code: Unanswered['code'], message: string, requestId?: string): Agreement => ({
  unanswered: { code, message, ...(requestId === undefined ? {} : { requestId }) },
});

const askOf = (
  { id, reviewUrl, expiresAt }: KnownTask,
  elicitation: UrlElicitation,
  more: Pick<ConsentAsk, 'decision' | 'request' | 'signal' | 'cancel'>,
): ConsentAsk => Object.freeze({ id, title: elicitation.message, reviewUrl, elicitation, expiresAt, ...more });

/** Rejects also with what `onAsk` throws at once. */
const shown = async (consent: ConsentOptions, ask: ConsentAsk): Promise<void> => consent.onAsk(ask);

/** Seconds that Placet holds a question for the status back, at most. */
const HOLD = 30;

/** Least time between two questions for the status, in ms. */
const APART = 1000;

/** The request as it stands when it is over, or nothing more can be said of it, or the signal says so. */
async function settled(placet: Waiting['placet'], opened: KnownTask, signal: AbortSignal): Promise<ConsentTask> {
  let task: ConsentTask = opened;
  while (goesOn(task) && !signal.aborted) {
    const began = performance.now();
    task = await placet.status(opened.id, { wait: HOLD, signal });
    if (goesOn(task)) await pause(APART - (performance.now() - began), signal);
  }
  return task;
}

/** A service that is away for a moment has not said anything of the request. */
const goesOn = (task: ConsentTask): boolean =>
  'failure' in task ? task.failure.reason.code === 'pdp_unavailable' : task.status === 'pending';

function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms <= 0 || signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
  });
}

function outcomeOf(task: ConsentTask, id: string): Agreement {
  if ('failure' in task) return none('unknown', task.failure.reason.message, id);
  switch (task.status) {
    case 'approved':
      return task.approval ? { approval: { id: task.approval.id } } : none('unknown', 'it is not said by what', id);
    case 'denied':
      return none('denied', 'somebody who was asked has refused', id);
    case 'expired':
      return none('expired', 'nobody answered in time', id);
    case 'cancelled':
      return none('cancelled', 'the request was taken back', id);
    case 'pending':
      return none('unknown', 'it is still open', id);
  }
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

import type { ConsentBlock } from '../documents/schema.js';

/** How far whoever agrees may let it reach: for some calls, for the session, or until a time. */
export type ConsentChoice =
  | { readonly for: 'uses'; readonly uses: number }
  | { readonly for: 'session' }
  | { readonly for: 'until'; readonly ms: number };

/** How far an agreement reaches. */
export interface Reach {
  /** Null: any number. */
  readonly uses: number | null;
  readonly session: boolean;
  /** For how long at most, in ms from when it is given. */
  readonly ms: number;
}

const MINUTE = 60_000;

/** For how long an agreement to some calls waits for them, and one by breaking the glass at most. */
export const ONCE_MS = 15 * MINUTE;

/** For how long anything holds of which the policy does not say how long. */
export const LONGEST_UNSAID_MS = 8 * 60 * MINUTE;

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: MINUTE, h: 60 * MINUTE, d: 24 * 60 * MINUTE };

/** The length of time that a document writes as in 30m, in ms. */
const lengthOf = (text: string): number => Number(text.slice(0, -1)) * UNITS[text.at(-1)!]!;

/**
 * The choices that consent blocks leave to whoever is asked, what reaches least first: where several are met by one
 * agreement, what all of them leave. A block with `uses` leaves no other; without `until` nothing holds longer than 8 hours.
 */
export function choicesOf(
  blocks: readonly Pick<ConsentBlock, 'uses' | 'until'>[],
  hasSession: boolean,
): readonly ConsentChoice[] {
  const uses = Math.min(...blocks.map((block) => block.uses ?? Infinity));
  if (uses !== Infinity) return [{ for: 'uses', uses }];
  const session: ConsentChoice[] = hasSession ? [{ for: 'session' }] : [];
  return [{ for: 'uses', uses: 1 }, ...session, { for: 'until', ms: capOf(blocks) }];
}

/** For how long an agreement to all of some blocks can hold, in ms. */
const capOf = (blocks: readonly Pick<ConsentBlock, 'until'>[]): number =>
  Math.min(...blocks.map(({ until }) => (until === undefined ? LONGEST_UNSAID_MS : lengthOf(until))));

/**
 * How far an agreement reaches by the choices of all who agreed: no further than the narrowest of them, nor than the blocks
 * let it. Undefined for a choice that is not left to them.
 */
export function reachOf(
  blocks: readonly Pick<ConsentBlock, 'uses' | 'until'>[],
  hasSession: boolean,
  chosen: readonly ConsentChoice[],
): Reach | undefined {
  const left = choicesOf(blocks, hasSession);
  const isLeft = (choice: ConsentChoice): boolean => left.some((one) => one.for === choice.for && fits(choice, one));
  if (chosen.length === 0 || !chosen.every(isLeft)) return undefined;
  const uses = Math.min(...chosen.map((choice) => (choice.for === 'uses' ? choice.uses : Infinity)));
  const untilMs = Math.min(...chosen.map((choice) => (choice.for === 'until' ? choice.ms : Infinity)));
  const isOnce = uses !== Infinity;
  const longest = isOnce ? Math.min(capOf(blocks), hasUntil(blocks) ? Infinity : ONCE_MS) : capOf(blocks);
  return {
    uses: isOnce ? uses : null,
    session: chosen.some((choice) => choice.for === 'session'),
    ms: Math.min(longest, untilMs),
  };
}

const hasUntil = (blocks: readonly Pick<ConsentBlock, 'until'>[]): boolean =>
  blocks.every(({ until }) => until !== undefined);

function fits(choice: ConsentChoice, most: ConsentChoice): boolean {
  if (choice.for === 'uses') return most.for === 'uses' && choice.uses >= 1 && choice.uses <= most.uses;
  if (choice.for === 'until') return most.for === 'until' && choice.ms > 0 && choice.ms <= most.ms;
  return true;
}

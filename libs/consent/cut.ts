import { createHash } from 'node:crypto';
import { hasUnseen } from './visible.js';

/** What was left out of a text: its length in characters and its SHA-256 say which one it was. */
export interface Cut {
  readonly characters: number;
  readonly sha256: string;
}

/** A text that is no longer than there is room for: its beginning and its end, with a mark in between where it is cut. */
export interface Fitted {
  readonly head: string;
  /** Empty where nothing is cut. */
  readonly tail: string;
  readonly cut?: Cut;
  /** The room that it takes. */
  readonly took: number;
}

/** What a line takes at least, in characters: empty ones push what follows out of sight as long ones do. */
const LINE = 20;

/** What a character takes that stands as its code point. */
const CODE_POINT = 8;

/** Of what is cut, this much of the room is for its beginning. */
const HEAD = 0.75;

/** Cuts a text to a room, in characters. Never within a character. */
export function fitted(text: string, room: number): Fitted {
  const characters = [...text];
  const { count, took } = fill(characters, room);
  if (count === characters.length) return { head: text, tail: '', took };
  const head = fill(characters, room * HEAD).count;
  const tail = fill(characters.slice(-Math.ceil(room)).toReversed(), room * (1 - HEAD)).count;
  return {
    head: characters.slice(0, head).join(''),
    tail: characters.slice(characters.length - tail).join(''),
    cut: { characters: characters.length, sha256: sha256(text) },
    took: room,
  };
}

/** The mark between the two ends of what is cut: its brackets never stand in a text of somebody else's. */
export const markOf = ({ head, tail }: Fitted, { characters, sha256 }: Cut): string =>
  `⟨${characters - [...head].length - [...tail].length} of ${characters} characters are not shown, SHA-256 of all: ${sha256}⟩`;

/** How many of some characters there is room for, and what they take. */
function fill(characters: readonly string[], room: number): { readonly count: number; readonly took: number } {
  let took = 0;
  for (const [count, one] of characters.entries()) {
    const weight = weightOf(one);
    if (took + weight > room) return { count, took };
    took += weight;
  }
  return { count: characters.length, took };
}

function weightOf(character: string): number {
  if (character === '\n') return LINE;
  return /^[\x20-\x7e]$/.test(character) || !hasUnseen(character) ? 1 : CODE_POINT;
}

/** In hexadecimal, of the UTF-8; halves of surrogate pairs have none, and stand escaped. */
const sha256 = (text: string): string =>
  createHash('sha256')
    .update(text.isWellFormed() ? text : JSON.stringify(text))
    .digest('hex');

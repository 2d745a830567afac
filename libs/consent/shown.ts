import { createHash } from 'node:crypto';
import { isJsonObject, own, type ConsentChoice, type Json, type JsonObject } from '#policy';
import type { AskedRequirement } from './content.js';
import { hasUnseen, mixesAlphabets, visible } from './visible.js';

/** What a text is made from. Everything in it can be from elsewhere; nothing is believed. */
export interface Asked {
  readonly subject: { readonly type: string; readonly id: string };
  readonly agent: { readonly id: string; readonly title: string | null };
  readonly server: {
    readonly id: string;
    readonly title: string | null;
    readonly identity?: Readonly<Record<string, unknown>> | undefined;
  } | null;
  readonly action: string;
  readonly resource: { readonly type: string; readonly id: string };
  /** As it is registered; null: it is not, or it is no tool. */
  readonly tool: { readonly description: string | null; readonly operation: string | null } | null;
  /** What the server itself says of the tool, if the host has sent it. */
  readonly hints: JsonObject | null;
  readonly arguments: JsonObject;
  readonly purpose: string | null;
  readonly definition: string | null;
  readonly requirements: readonly AskedRequirement[];
  readonly choices: readonly ConsentChoice[];
}

/** One value that is shown, by its dotted place. */
export interface ShownValue {
  readonly place: string;
  readonly text: string;
  /** Of a value that is too long to be shown whole: its length in characters and its SHA-256. */
  readonly cut?: { readonly characters: number; readonly sha256: string };
  /** What a reader should know of it. */
  readonly warnings: readonly Warning[];
}

/** `unseen`: it has characters that are not seen, which stand as their code points. `alphabets`: it mixes alphabets. */
type Warning = 'unseen' | 'alphabets';

/**
 * What whoever is asked is shown. Its text is made here and nowhere else, so that what is recorded is what was shown: its
 * digest is what people answer to.
 */
export interface Shown {
  readonly v: 1;
  readonly title: string;
  readonly for: string;
  readonly through: string;
  readonly server: { readonly name: string; readonly title?: string; readonly identity: readonly string[] } | null;
  readonly what: string;
  readonly operation: string | null;
  readonly description: string | null;
  /** Hints of the server about its own tool, which nobody has checked. */
  readonly untrusted_hints: readonly string[];
  readonly purpose: string | null;
  readonly arguments: readonly ShownValue[];
  readonly definition: string | null;
  readonly asked_by: readonly {
    readonly policy: string | null;
    readonly rule: string | null;
    readonly who: readonly string[];
    readonly approvals: number;
    readonly not_self: boolean;
    readonly bound_to: 'all' | readonly string[];
  }[];
  readonly choices: readonly ConsentChoice[];
  readonly warnings: readonly string[];
}

/** Characters of one value that are shown; more is cut, and said to be. */
const MOST_CHARACTERS = 4000;

/** Values that are shown; of more, the rest stands together in one. */
const MOST_VALUES = 200;

/** The text for whoever is asked. Pure and total. Nothing is left out without being said. */
export function shownOf(asked: Asked): Shown {
  const { subject, agent, server, action, resource, tool, purpose, requirements } = asked;
  const values = argumentsOf(asked);
  const whole = [agent.id, server?.id ?? '', resource.id, action, purpose ?? ''];
  return {
    v: 1,
    title: titleOf(asked),
    for: visible(`${subject.type}:${subject.id}`),
    through: nameOf(agent),
    server: server && {
      name: visible(server.id),
      ...(server.title === null ? {} : { title: visible(server.title) }),
      identity: shownIdentity(server.identity),
    },
    what: visible(`${action} ${resource.type} ${resource.id}`),
    operation: tool?.operation ?? null,
    description: tool?.description ? visible(tool.description) : null,
    untrusted_hints: hintsOf(asked.hints),
    purpose: purpose === null ? null : visible(purpose),
    arguments: values,
    definition: asked.definition,
    asked_by: requirements.map(({ rule, consent }) => ({
      policy: rule?.policy ?? null,
      rule: rule?.rule ?? null,
      who: consent.by.map(visible),
      approvals: consent.approvals,
      not_self: consent.notSelf,
      bound_to: consent.bind === 'all' ? 'all' : consent.bind.map(visible),
    })),
    choices: asked.choices,
    warnings: warningsOf(values, whole),
  };
}

/** What a server is known by, as people are shown it. */
export const shownIdentity = (identity: Readonly<Record<string, unknown>> | undefined): readonly string[] =>
  Object.values(identity ?? {})
    .filter((part) => part !== undefined)
    .map((part) => visible(typeof part === 'string' ? part : JSON.stringify(part)));

/** SHA-256 of the text as it is stored, in hexadecimal. */
export const digestOfShown = (text: string): string => createHash('sha256').update(text).digest('hex');

const nameOf = ({ id, title }: Asked['agent']): string =>
  title === null ? visible(id) : `${visible(title)} (${visible(id)})`;

function titleOf({ agent, server, action, resource }: Asked): string {
  const where = server === null ? '' : ` of ${visible(server.title ?? server.id)}`;
  const what =
    resource.type === 'tool'
      ? `use the tool ${visible(resource.id)}`
      : `do ${visible(action)} on ${visible(resource.id)}`;
  return `${visible(agent.title ?? agent.id)} wants to ${what}${where}`;
}

/** Every argument by its place: first those that the policies name to be shown, then the others. */
function argumentsOf({ arguments: given, requirements }: Asked): readonly ShownValue[] {
  const leaves = [...leavesOf(given, '')];
  const first = requirements.flatMap(({ consent }) => consent.show ?? []);
  const isFirst = (place: string): boolean => first.some((name) => place === name || place.startsWith(`${name}.`));
  const ordered = [...leaves.filter(([place]) => isFirst(place)), ...leaves.filter(([place]) => !isFirst(place))];
  const values = ordered.slice(0, MOST_VALUES).map(([place, value]) => shownValue(place, value));
  const rest = ordered.slice(MOST_VALUES);
  if (rest.length === 0) return values;
  const text = rest.map(([place, value]) => `${place}: ${JSON.stringify(value)}`).join('\n');
  return [...values, shownValue(`and ${rest.length} more`, text)];
}

function* leavesOf(value: Json, place: string): Iterable<[string, Json]> {
  if (isJsonObject(value) && Object.keys(value).length > 0) {
    for (const [name, member] of Object.entries(value))
      yield* leavesOf(member, place === '' ? name : `${place}.${name}`);
  } else if (place !== '') yield [place, value];
}

function shownValue(place: string, value: Json): ShownValue {
  const text = typeof value === 'string' ? value : JSON.stringify(value, null, 1);
  const characters = [...text];
  const isCut = characters.length > MOST_CHARACTERS;
  return {
    place: visible(place),
    text: lines(isCut ? characters.slice(0, MOST_CHARACTERS).join('') : text),
    ...(isCut
      ? { cut: { characters: characters.length, sha256: createHash('sha256').update(text).digest('hex') } }
      : {}),
    warnings: warningsIn(`${place} ${text}`),
  };
}

/** A text of several lines; where one ends is seen, so that nobody makes up lines of ours. */
const lines = (text: string): string => text.split('\n').map(visible).join('↵\n');

function warningsIn(text: string): Warning[] {
  return [
    ...(hasUnseen(text.replace(/[\n\t]/g, ' ')) ? (['unseen'] as const) : []),
    ...(mixesAlphabets(text) ? (['alphabets'] as const) : []),
  ];
}

/** Annotations of the tool (MCP, tools: they are untrusted unless the server is). */
const HINTS: Readonly<Record<string, string>> = {
  readOnlyHint: 'it only reads',
  destructiveHint: 'it can destroy something',
  idempotentHint: 'doing it twice is the same as doing it once',
  openWorldHint: 'it reaches the outside world',
};

function hintsOf(hints: JsonObject | null): readonly string[] {
  if (hints === null) return [];
  return Object.entries(HINTS).flatMap(([name, text]) => {
    const value = own(hints, name);
    return typeof value === 'boolean' ? [`${value ? '' : 'not: '}${text}`] : [];
  });
}

function warningsOf(values: readonly ShownValue[], names: readonly string[]): readonly string[] {
  const has = (warning: Warning): boolean =>
    values.some(({ warnings }) => warnings.includes(warning)) ||
    names.some((name) => warningsIn(name).includes(warning));
  return [
    ...(has('unseen') ? ['There are characters in it that cannot be seen. They stand as their code points.'] : []),
    ...(has('alphabets') ? ['A word in it mixes alphabets: it may be made to look like another.'] : []),
    ...(values.some(({ cut }) => cut) ? ['Some of it is too long to be shown whole. What is cut says so.'] : []),
  ];
}

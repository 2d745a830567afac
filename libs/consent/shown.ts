import { createHash } from 'node:crypto';
import { isJsonObject, own, type ConsentChoice, type JsonObject } from '#policy';
import type { AskedRequirement } from './content.js';
import {
  named,
  told,
  valuesOf,
  warningsOfName,
  warningsOfText,
  type ShownValue,
  type Warning,
} from './shown-values.js';

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
  /** What is given besides the arguments: attributes of the resource and of the action, and what is answered. */
  readonly attributes?: JsonObject;
  readonly purpose: string | null;
  readonly definition: string | null;
  readonly requirements: readonly AskedRequirement[];
  readonly choices: readonly ConsentChoice[];
  /** What else the same message does, and must be agreed to with it. */
  readonly also?: readonly AskedBeside[];
}

/** What a message does besides: only what can differ from what else it does. */
type AskedBeside = Pick<Asked, 'action' | 'resource' | 'arguments' | 'attributes' | 'requirements'>;

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
  /** Left out where there are none. */
  readonly attributes?: readonly ShownValue[];
  readonly definition: string | null;
  readonly asked_by: readonly ShownAsking[];
  /** Left out where the message does nothing else that must be agreed to. */
  readonly also?: readonly ShownBeside[];
  readonly choices: readonly ConsentChoice[];
  readonly warnings: readonly string[];
}

/** What a message does besides. */
export type ShownBeside = Pick<Shown, 'what' | 'arguments' | 'attributes' | 'asked_by'>;

interface ShownAsking {
  readonly policy: string | null;
  readonly rule: string | null;
  readonly who: readonly string[];
  readonly approvals: number;
  readonly not_self: boolean;
  readonly bound_to: 'all' | readonly string[];
}

/** The text for whoever is asked. Pure, and total for all that can come in a body. Nothing is left out without being said. */
export function shownOf(asked: Asked): Shown {
  const { subject, agent, server, tool, purpose } = asked;
  const { what, asked_by, ...values } = besideOf(asked);
  const also = (asked.also ?? []).map(besideOf);
  const all = [values, ...also].flatMap((one) => [...one.arguments, ...(one.attributes ?? [])]);
  return {
    v: 1,
    title: titleOf(asked),
    for: named(`${subject.type}:${subject.id}`),
    through: withTitle(agent),
    server: server && {
      name: named(server.id),
      ...(server.title === null ? {} : { title: named(server.title) }),
      identity: shownIdentity(server.identity),
    },
    what,
    operation: tool?.operation ?? null,
    description: tool?.description ? told(tool.description) : null,
    untrusted_hints: hintsOf(asked.hints),
    purpose: purpose === null ? null : told(purpose),
    ...values,
    definition: asked.definition === null ? null : named(asked.definition),
    asked_by,
    ...(also.length === 0 ? {} : { also }),
    choices: asked.choices,
    warnings: sentencesOf(all, namesOf(asked), [tool?.description ?? '', purpose ?? '']),
  };
}

function besideOf({ action, resource, arguments: given, attributes = {}, requirements }: AskedBeside): ShownBeside {
  const first = requirements.flatMap(({ consent }) => consent.show ?? []);
  const others = valuesOf(withoutEmpty(attributes), []);
  return {
    what: `${named(action)} ${named(resource.type)} ${named(resource.id)}`,
    arguments: valuesOf(given, first),
    ...(others.length === 0 ? {} : { attributes: others }),
    asked_by: requirements.map(({ rule, consent }) => ({
      policy: rule?.policy ?? null,
      rule: rule?.rule ?? null,
      who: consent.by.map(named),
      approvals: consent.approvals,
      not_self: consent.notSelf,
      bound_to: consent.bind === 'all' ? 'all' : consent.bind.map(named),
    })),
  };
}

/** Without the sorts of attributes of which there are none. */
const withoutEmpty = (attributes: JsonObject): JsonObject =>
  Object.fromEntries(
    Object.entries(attributes).filter(
      ([, value]) => value !== null && !(isJsonObject(value) && Object.keys(value).length === 0),
    ),
  );

/** What a server is known by, as people are shown it. */
export const shownIdentity = (identity: Readonly<Record<string, unknown>> | undefined): readonly string[] =>
  identityTexts(identity).map(named);

const identityTexts = (identity: Readonly<Record<string, unknown>> = {}): readonly string[] =>
  Object.values(identity)
    .filter((part) => part !== undefined)
    .map((part) => (typeof part === 'string' ? part : JSON.stringify(part)));

/** SHA-256 of the text as it is stored, in hexadecimal. */
export const digestOfShown = (text: string): string => createHash('sha256').update(text).digest('hex');

const withTitle = ({ id, title }: Asked['agent']): string =>
  title === null ? named(id) : `${named(title)} (${named(id)})`;

function titleOf({ agent, server, action, resource }: Asked): string {
  const where = server === null ? '' : ` of ${named(server.title ?? server.id)}`;
  const what =
    resource.type === 'tool' ? `use the tool ${named(resource.id)}` : `do ${named(action)} on ${named(resource.id)}`;
  return `${named(agent.title ?? agent.id)} wants to ${what}${where}`;
}

/** All that names something and comes from elsewhere. */
const namesOf = ({ subject, agent, server, action, resource, definition, also = [] }: Asked): readonly string[] => [
  subject.id,
  agent.id,
  agent.title ?? '',
  server?.id ?? '',
  server?.title ?? '',
  ...identityTexts(server?.identity),
  action,
  resource.type,
  resource.id,
  definition ?? '',
  ...also.flatMap((one) => [one.action, one.resource.type, one.resource.id]),
];

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

const SENTENCES: Readonly<Record<Warning, string>> = {
  unseen: 'There are characters in it that cannot be seen. They stand as their code points.',
  alphabets: 'Something in it may be made to look like something else: it mixes letters that look alike.',
  directions: 'Some of it is written from right to left: its parts may stand in another order than they are read.',
  long: 'Some of it is long. Read it to its end.',
  cut: 'Some of it is too long to be shown whole. What is cut says so.',
};

function sentencesOf(
  values: readonly ShownValue[],
  names: readonly string[],
  texts: readonly string[],
): readonly string[] {
  const found = new Set([
    ...values.flatMap(({ warnings }) => warnings),
    ...names.flatMap(warningsOfName),
    ...texts.flatMap(warningsOfText),
  ]);
  return (Object.keys(SENTENCES) as Warning[]).flatMap((one) => (found.has(one) ? [SENTENCES[one]] : []));
}

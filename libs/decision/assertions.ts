import type { HostPrincipal } from '#identity';
import { compileGlob, layer, type DecisionInput, type Json, type JsonObject } from '#policy';
import { Refusal } from '#http';
import type { Question } from './question.js';

/**
 * What of a question a host may assert. The subject must be one that its key may speak for (else Refusal); attributes
 * that it may not assert are left out, and stay readable under `context.asserted`.
 */
export function permitted(
  question: Question,
  { host, rights }: HostPrincipal,
): Omit<DecisionInput, 'arguments'> & { readonly arguments: JsonObject } {
  const { subject, resource } = question;
  checkSpeaksFor(subject, { host, rights });
  return {
    subject: {
      type: subject.type,
      id: subject.id,
      properties: only(subject.properties, rights.subjectProperties),
      assurance: 'asserted',
    },
    agent: host,
    action: question.action,
    resource: { ...resource, properties: only(resource.properties, rights.resourceProperties) },
    server: question.server,
    arguments: question.arguments,
    operation: question.operation,
    session: question.session,
    context: layer({ asserted: { subject: subject.properties, resource: resource.properties } }, question.context),
    supportedObligations: question.supportedObligations,
    kind: question.kind,
  };
}

/** Whether a key with these rights may say that a resource has an attribute of a name. */
export const mayAssertOfResource = (name: string, rights: HostPrincipal['rights']): boolean =>
  matchesAny(rights.resourceProperties, name);

type Named = Pick<Question['subject'], 'type' | 'id'>;

/** Throws Refusal for a subject that the key of a host may not speak for. */
export function checkSpeaksFor(subject: Named, { host, rights }: Pick<HostPrincipal, 'host' | 'rights'>): void {
  if (maySpeakFor(subject, rights)) return;
  throw new Refusal(
    'subject_not_assertable',
    `the key of the host '${host}' may not speak for ${subject.type}:${subject.id}: an administrator can widen its right 'subjects'`,
  );
}

/** Whether somebody is one of those that a key with these rights may speak for, and so may learn about. */
export const maySpeakFor = ({ type, id }: Named, rights: HostPrincipal['rights']): boolean =>
  matchesAny(rights.subjects, `${type}:${id}`);

function only(properties: JsonObject, patterns: readonly string[]): JsonObject {
  if (patterns.length === 1 && patterns[0] === '*') return properties;
  const kept = Object.create(null) as Record<string, Json>;
  for (const [name, value] of Object.entries(properties)) if (matchesAny(patterns, name)) kept[name] = value;
  return kept;
}

function matchesAny(patterns: readonly string[], text: string): boolean {
  return compiled(patterns).some((pattern) => pattern.matches(text));
}

type Glob = ReturnType<typeof compileGlob>;

/** Patterns that were compiled once; rights that change are other lists. */
const known = new WeakMap<readonly string[], readonly Glob[]>();

function compiled(patterns: readonly string[]): readonly Glob[] {
  const globs = known.get(patterns) ?? patterns.map((pattern) => compileGlob(pattern));
  known.set(patterns, globs);
  return globs;
}

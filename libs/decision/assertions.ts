import type { HostPrincipal, VerifiedToken } from '#identity';
import { compileGlob, layer, type DecisionInput, type Json, type JsonObject, type PolicySet } from '#policy';
import { Refusal } from '#http';
import { provenSubject } from './proven-subject.js';
import type { Question } from './question.js';

/**
 * What of a question a host may assert. The subject must be one that its key may speak for (else Refusal); attributes
 * that it may not assert are left out, and stay readable under `context.asserted`.
 */
export function permitted(
  question: Question,
  { host, rights }: HostPrincipal,
): Omit<DecisionInput, 'arguments'> & { readonly arguments: JsonObject } {
  const { subject } = question;
  checkSpeaksFor(subject, { host, rights });
  const properties = only(subject.properties, rights.subjectProperties);
  const asserted = { type: subject.type, id: subject.id, properties, assurance: 'asserted' as const };
  return inputAbout(asserted, question, { host, rights });
}

/**
 * The same of a question whose subject is proven, by what its token says on a state: a proof needs no right, and the host's
 * word still no more than the rights that it has. Throws Refusal where the question names somebody else.
 */
export function proven(
  question: Question,
  proof: VerifiedToken,
  { host, rights }: HostPrincipal,
  policies: PolicySet,
): ReturnType<typeof permitted> {
  const { subject } = question;
  if (!isNameOf(subject, proof, policies)) {
    throw new Refusal('subject_token_mismatch', 'the token proves another subject than the one that is named');
  }
  const properties = only(subject.properties, rights.subjectProperties);
  return inputAbout(provenSubject(proof, policies, properties), question, { host, rights });
}

/**
 * Whether somebody may be called that: by the id that the token has here, by any name of the stored subject, or by the bare
 * claim, unless that is the name of somebody else.
 */
function isNameOf({ type, id }: Named, { subject, issuer }: VerifiedToken, policies: PolicySet): boolean {
  const own = subject!;
  if (type === own.type && id === own.id) return true;
  const [stored, named] = [policies.subject(own.type, own.id), policies.subject(type, id)];
  if (named !== undefined) return named === stored;
  return type === own.type && `${issuer.document.name}/${id}` === own.id;
}

function inputAbout(
  subject: DecisionInput['subject'],
  question: Question,
  { host, rights }: Pick<HostPrincipal, 'host' | 'rights'>,
): ReturnType<typeof permitted> {
  const { resource } = question;
  return {
    subject,
    agent: host,
    action: question.action,
    resource: { ...resource, properties: only(resource.properties, rights.resourceProperties) },
    server: question.server,
    arguments: question.arguments,
    operation: question.operation,
    session: question.session,
    context: layer(
      { asserted: { subject: question.subject.properties, resource: resource.properties } },
      question.context,
    ),
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

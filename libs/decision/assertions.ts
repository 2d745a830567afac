import type { HostPrincipal, HostScope, VerifiedToken } from '#identity';
import { compileGlob, layer, type DecisionInput, type Json, type JsonObject, type PolicySet } from '#policy';
import { Refusal } from '#http';
import { provenSubject } from './proven-subject.js';
import type { Question } from './question.js';

/**
 * What of a question a host may assert. The subject must be one that its key may speak for, and the agent one that it may
 * act for (else Refusal); attributes that it may not assert are left out, and stay readable under `context.asserted`.
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
  const agent = agentOf(question, { host, rights });
  return {
    subject,
    agent,
    ...(agent === host ? {} : { gateway: host }),
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
    definition: question.definition,
    kind: question.kind,
  };
}

/**
 * For which host a question is decided: the one that asks or, where its key may act for others, the one that it names.
 * Throws Refusal for any other, and where it would have to name one.
 */
export function agentOf(
  { agent }: Pick<Question, 'agent'>,
  { host, rights }: Pick<HostPrincipal, 'host' | 'rights'>,
): string {
  if (rights.agents.length === 0 && (agent === undefined || agent === host)) return host;
  if (agent === undefined) {
    throw new Refusal(
      'agent_required',
      `the key of '${host}' acts for others: name one, as 'agent' beside the message or as context.agent on AuthZEN's routes`,
    );
  }
  if (matchesAny(rights.agents, agent)) return agent;
  throw new Refusal(
    'agent_not_permitted',
    `the key of '${host}' may not act for '${agent}': an administrator can widen its right 'agents'`,
  );
}

/** Throws Refusal for what a key may not ask for at all. */
export function checkScope(scope: HostScope, { host, rights }: Pick<HostPrincipal, 'host' | 'rights'>): void {
  if (rights.scopes.includes(scope)) return;
  throw new Refusal(
    'insufficient_scope',
    `the key of the host '${host}' does not have the scope '${scope}': an administrator can add it`,
  );
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

import type { HostPrincipal, VerifiedToken } from '#identity';
import { recordContent } from '#ledger';
import { digest, type Decision, type DecisionInput, type Filter, type MappedRole, type Requirement } from '#policy';
import type { StandingApproval } from './agreements.js';
import { operationDigest, type GoingOn } from './going-on.js';
import type { Call } from './question.js';
import type { FoundPage, Search } from './search.js';

/** What was decided on, what proved its subject, and the approval and the evaluation that were named. */
type Recorded = DecisionInput & {
  readonly proof?: VerifiedToken | undefined;
  readonly named?: StandingApproval | undefined;
  readonly continues?: GoingOn | undefined;
};

/** What the ledger keeps of a decision: who asked what through whom, and everything that the answer follows from. */
export function decisionRecord(
  call: Call,
  principal: HostPrincipal,
  input: Recorded,
  decision: Decision,
  state: State,
): string {
  return recordContent({
    kind: 'decision',
    ...common(call, principal, input, state),
    server: decision.found?.server ?? undefined,
    action: input.action,
    resource: { type: input.resource.type, id: decision.found ? decision.found.resource : input.resource.id },
    effect: decision.effect,
    reason: decision.reason,
    detail: decision.detail ?? undefined,
    rules: decision.outcomes.rules.map(({ ref, effect, outcome, met }) => ({
      ...ref,
      effect,
      outcome,
      met: met ?? undefined,
    })),
    would_be: decision.wouldBe ?? undefined,
    boundary: decision.outcomes.boundary,
    default: decision.outcomes.default,
    obligations: decision.obligations,
    approval: input.named,
    requirements: decision.requirements.length > 0 ? decision.requirements.map(requirementRecord) : undefined,
    consents: decision.consents.length > 0 ? decision.consents : undefined,
    operation: decision.consents.length > 0 ? operationDigest(principal.host, input, decision) : undefined,
    continues: input.continues,
    keys: decision.keys,
  });
}

/** What must be agreed to: by which rule, and what an agreement is bound to. */
const requirementRecord = ({ rule, binding }: Requirement): object => ({ ...rule, binding });

/** What the ledger keeps of a listing: the effect of each entry, in the order of the list. */
export function listingRecord(
  call: Call,
  principal: HostPrincipal,
  input: Recorded,
  items: readonly { readonly name: string; readonly effect: string; readonly conditional: boolean }[],
  state: State,
): string {
  return recordContent({
    kind: 'listing',
    ...common(call, principal, input, state),
    action: input.action,
    items: items.map(({ name, effect, conditional }) => [name, effect, conditional]),
  });
}

/** What the ledger keeps of a page of a search: what was held fixed, and the effect of each candidate, in order. */
export function searchRecord(
  call: Call,
  principal: HostPrincipal,
  { searched, fixed }: Search,
  { decided }: FoundPage,
  agent: string,
  state: State,
): string {
  return recordContent({
    kind: 'listing',
    ...caller(call, principal, agent, state),
    subject: searched === 'subject' ? undefined : `${fixed.subject.type}:${fixed.subject.id}`,
    named_server: fixed.server ?? undefined,
    session: fixed.session?.id,
    supported_obligations: fixed.supportedObligations,
    action: `search/${searched}`,
    search: searchedFor(searched, fixed),
    items: decided.map(({ candidate: { id, server }, effect }) => [
      id,
      effect,
      false,
      ...(server === null ? [] : [server]),
    ]),
  });
}

/** What the ledger keeps of a filter: the question, how much of the rows it lets through, and the digest of its tree. */
export function filterRecord(
  call: Call,
  principal: HostPrincipal,
  input: Recorded,
  { filter, ast, reason, obligations }: Filter,
  state: State,
): string {
  return recordContent({
    kind: 'listing',
    ...common(call, principal, input, state),
    action: 'filter',
    filter: {
      type: input.resource.type,
      action: input.action,
      rows: filter,
      digest: digest(ast),
      reason: reason ?? undefined,
    },
    obligations,
  });
}

function searchedFor(searched: Search['searched'], { subject, action, resource }: Search['fixed']): object {
  const { type, id } = resource;
  if (searched === 'subject') return { type: subject.type, action, resource: { type, id } };
  return searched === 'resource' ? { type, action } : { resource: { type, id } };
}

interface State {
  readonly revision: number;
  readonly epoch: number;
  readonly guardrails: number;
  readonly now: number;
}

function caller(
  call: Call,
  principal: HostPrincipal,
  agent: string,
  { revision, epoch, guardrails, now }: State,
): Record<string, unknown> {
  return {
    now: new Date(now).toISOString(),
    revision,
    epoch,
    // Only where there are any, or were.
    guardrails: guardrails > 0 ? guardrails : undefined,
    front: call.front,
    request: call.requestDigest,
    trace: call.trace,
    host: principal.host,
    // Only of a gateway, which acts for another.
    agent: agent === principal.host ? undefined : agent,
    credential: principal.credential,
    token: principal.token,
  };
}

function common(call: Call, principal: HostPrincipal, input: Recorded, state: State): Record<string, unknown> {
  return {
    ...caller(call, principal, input.agent, state),
    subject: `${input.subject.type}:${input.subject.id}`,
    proof: input.proof && proofRecord(input.proof, input.subject),
    named_server: input.server ?? undefined,
    session: input.session?.id,
    supported_obligations: input.supportedObligations,
    ...call.noted,
  };
}

/**
 * How the subject was proven, and what of it the decision rests on; never the token. Groups are among the keys, and here is
 * whether these were all.
 */
function proofRecord(
  { issuer, fingerprint, issuedAt, expiresAt }: VerifiedToken,
  { groups, roles, unsure }: DecisionInput['subject'],
): object {
  return {
    issuer: issuer.document.name,
    version: issuer.version,
    iss: issuer.document.issuer,
    token: fingerprint,
    issued: new Date(issuedAt).toISOString(),
    until: new Date(expiresAt).toISOString(),
    groups: groups ? { count: groups.names.length, complete: groups.complete } : 'unknown',
    roles: roles && { held: roles.held, possible: roles.possible, by: roles.ways.map(wayRecord) },
    unsure: unsure && unsure.length > 0 ? unsure : undefined,
  };
}

const wayRecord = ({ mapping, version, rule, role, possible }: MappedRole): object => ({
  mapping,
  version,
  rule,
  role,
  possible: possible || undefined,
});

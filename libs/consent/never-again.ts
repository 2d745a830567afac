import { digest, type Json, type PolicySet } from '#policy';
import type { GivenFor } from '#store';
import { contentOf } from './content.js';
import { shownIdentity, type Shown } from './shown.js';

/**
 * Why a consent cannot apply on a state, whatever is asked: its application is gone (another may have the name later), its
 * server is gone or is another, its tool is registered with another definition, or its rule does not ask what was agreed to.
 * Undefined: it may apply still.
 */
export function neverAgain(set: PolicySet, given: Omit<GivenFor, 'id'>): string | undefined {
  const shown = JSON.parse(given.shown) as Pick<Shown, 'server' | 'definition'>;
  if (!set.host(given.agent)) return `the application '${given.agent}' is gone`;
  if (given.server !== null) {
    const server = set.server({ name: given.server });
    if (!server) return `the server '${given.server}' is gone`;
    if (digest(shownIdentity(server.identity)) !== digest(shown.server?.identity ?? [])) {
      return `the server '${given.server}' is another: its identity has changed`;
    }
    const registered =
      given.resourceType === 'tool' ? set.tool(server, given.resourceId)?.document.definition : undefined;
    if (registered !== undefined && registered !== shown.definition) {
      return `the definition of the tool '${given.resourceId}' has changed`;
    }
  }
  const { rule, consent } = contentOf(given.content).requirements[given.requirement]!;
  if (rule === null) {
    const asks = set.defaults.consent;
    return asks?.digest === digest(consent as unknown as Json)
      ? undefined
      : 'the default of the tenant does not ask it any more';
  }
  const asks = set.consentOf(rule);
  if (!asks) return `the rule '${rule.policy}/${rule.rule}' does not ask any more`;
  if (digest(asks as unknown as Json) === digest(consent as unknown as Json)) return undefined;
  return `the rule '${rule.policy}/${rule.rule}' asks something else`;
}

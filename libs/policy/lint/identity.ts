import type { AnyDocument, IssuerDocument, MappingDocument, MappingRule } from '../documents/schema.js';
import type { Facts } from './facts.js';
import type { Report } from './finding.js';

/** What in Issuers and Mappings is hardly meant: nobody let in, any token let in, rules that give nothing or everybody something. */
export function lintIdentity(facts: Facts, document: AnyDocument, report: Report): void {
  if (document.kind === 'Issuer') return lintIssuer(document, report);
  if (document.kind === 'Mapping') lintMapping(facts, document, report);
}

function lintIssuer({ profile, subjectTokens, workloads, signIn }: IssuerDocument, report: Report): void {
  if (!subjectTokens && !workloads && !signIn) {
    report('issuer_for_nothing', 'without subjectTokens, workloads and signIn it lets nobody in', ['name']);
  }
  if (subjectTokens?.type === 'any' && profile === 'generic') {
    const message = "with 'type: any' an ID token passes for an access token: leave it out if the provider marks these";
    report('any_token_type', message, ['subjectTokens', 'type']);
  }
}

function lintMapping(facts: Facts, mapping: MappingDocument, report: Report): void {
  const issuer = facts.set.find('Issuer', mapping.issuer)?.document;
  let stop = stopBefore(facts, mapping);
  mapping.rules.forEach((rule, index) => {
    const at = ['rules', index] as const;
    if (stop !== undefined) {
      report('never_fires', `the rule '${stop}' before it always stops`, at, { rule: rule.name });
    }
    stop ??= alwaysStops(rule) ? rule.name : undefined;
    if (rule.when === 'always' && rule.administration) {
      const message = `it gives everybody of the issuer '${mapping.issuer}' a role in the administration`;
      report('administration_for_all', message, [...at, 'administration'], { rule: rule.name });
    }
    if (issuer)
      lintGroups(issuer, rule, (message, path) =>
        report('never_fires', message, [...at, ...path], { rule: rule.name }),
      );
  });
}

const alwaysStops = ({ when, stop }: MappingRule): boolean => when === 'always' && stop === true;

/** A rule that always stops, in a Mapping of the same issuer that comes before this one. */
function stopBefore(facts: Facts, { name, issuer }: MappingDocument): string | undefined {
  for (const { document } of facts.set.all('Mapping')) {
    if (document.issuer !== issuer || document.name >= name) continue;
    const rule = document.rules.find(alwaysStops);
    if (rule) return `${document.name}/${rule.name}`;
  }
  return undefined;
}

/** Conditions on groups that nobody of the issuer is known to be in, whatever a token says. */
function lintGroups(
  { name, profile, groups, signIn }: IssuerDocument,
  { when }: MappingRule,
  report: (message: string, path: readonly PropertyKey[]) => void,
): void {
  if (when === 'always') return;
  const prefix = groups?.prefix ?? '';
  const isUnknown = profile === 'google' && groups?.claim === undefined && signIn?.protocol !== 'saml';
  when.forEach((condition, index) => {
    if (!('group' in condition)) return;
    const path = ['when', index, 'group'];
    if (isUnknown) report(`no token of the issuer '${name}' has groups: name the claim in its groups.claim`, path);
    else if (!condition.group.startsWith(prefix) || condition.group === prefix) {
      report(`every group of the issuer '${name}' begins with '${prefix}'`, path);
    }
  });
}

import type { AnyDocument, ConsentBlock } from '../documents/schema.js';
import type { Facts } from './facts.js';
import type { Report } from './finding.js';
import { roleIn } from './patterns.js';

/** Roles that a rule or a consent block names and that no binding and no mapping gives to anybody. */
export function lintRoles(facts: Facts, document: AnyDocument, report: Report): void {
  const look = (refs: readonly string[], path: readonly PropertyKey[], rule?: string): void => {
    refs.forEach((ref, index) => {
      const role = roleIn(ref);
      // A role that is not there at all is a mistake already, and told as such.
      if (role === undefined || facts.givenRoles.has(role) || !facts.set.find('Role', role)) return;
      const message = `nobody has the role '${role}': no Binding and no Mapping gives it, directly or by inheritance`;
      report('role_nobody_has', message, [...path, index], rule === undefined ? {} : { rule });
    });
  };
  const consent = (block: ConsentBlock | undefined, path: readonly PropertyKey[], rule?: string): void =>
    look(block?.by ?? [], [...path, 'consent', 'by'], rule);

  if (document.kind === 'Tenant') return consent(document.defaults.consent, ['defaults']);
  if (document.kind !== 'Policy') return;
  document.rules.forEach((rule, index) => {
    look(rule.to, ['rules', index, 'to'], rule.name);
    consent(rule.consent, ['rules', index], rule.name);
  });
}

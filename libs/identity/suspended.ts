import { subjectKey, type PolicySet } from '#policy';

/** What says who is suspended: the suspensions, whom connectors keep out, and which names are one person's. */
export type SuspendingState = Pick<PolicySet, 'documents' | 'subject' | 'keepsOut'>;

/** Whether a person is suspended, or kept out by the connector of their Issuer, under any of the names that a Subject document gives them. */
export function isPersonSuspended(
  policies: SuspendingState,
  { type, id }: { readonly type: string; readonly id: string },
): boolean {
  const stored = policies.subject(type, id);
  const names = [{ type, id }, ...(stored ? [stored, ...(stored.aliases ?? [])] : [])];
  if (policies.keepsOut(names)) return true;
  return names.some(
    (name) => policies.documents.find('Suspension', `Subject:${subjectKey(name.type, name.id)}`) !== undefined,
  );
}

import { subjectKey, type PolicySet } from '#policy';

/** What says who is suspended: the suspensions, and which names are one person's. */
export type SuspendingState = Pick<PolicySet, 'documents' | 'subject'>;

/** Whether a person is suspended, under any of the names that a Subject document gives them. */
export function isPersonSuspended(
  policies: SuspendingState,
  { type, id }: { readonly type: string; readonly id: string },
): boolean {
  const stored = policies.subject(type, id);
  const names = [{ type, id }, ...(stored ? [stored, ...(stored.aliases ?? [])] : [])];
  return names.some(
    (name) => policies.documents.find('Suspension', `Subject:${subjectKey(name.type, name.id)}`) !== undefined,
  );
}

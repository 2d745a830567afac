import { Refusal } from '#http';
import { administratorOf, may, type AdministratorAbility, type AdministratorPrincipal } from '#identity';
import { groupsOfPerson, personAt, subjectKey, wantsFourEyes, type PolicySet, type SignedInPerson } from '#policy';
import type { TenantSnapshot } from '#snapshot';
import { PersonReader, type DraftEye, type Operation, type Store } from '#store';
import { takesStepUp } from './step-up.js';

/** How many people must have seen a change, of which whoever makes it is one. */
const TWO = 2;

/** A draft that a change publishes, with who has seen it as it is. */
export interface SeenDraft {
  readonly name: string;
  readonly seenBy: readonly DraftEye[];
  /** Whether whoever publishes it says which version they have looked at. */
  readonly isLookedAt: boolean;
}

/** Sees to it that two people have seen a change of documents where the tenant wants that. */
export class FourEyes {
  readonly #people: PersonReader;

  /** @param waived names of tenants in which one person may do it alone, as the settings of the service say */
  constructor(
    private readonly store: Store,
    private readonly waived: ReadonlySet<string> = new Set(),
  ) {
    this.#people = new PersonReader(store);
  }

  /**
   * Who has seen a change; undefined where nobody else need have. Throws Refusal (`four_eyes_required`) where it is too few.
   * Only people count, each once under whatever names, who are still let in and still may: who approved must be able to
   * make the very change, and nobody has seen what they may not read, or what may have been put in since they looked.
   *
   * INVARIANT: what is known of those who are not here is read after the state was taken down that the change is planned on,
   * and a draft is published on that very revision or not at all. Whatever they could lose makes another one.
   * @param draft the draft that it publishes; left out: it is none, and so nobody else has seen it
   */
  async demand(
    { policies }: Pick<TenantSnapshot, 'policies'>,
    principal: AdministratorPrincipal,
    operations: readonly Operation[],
    draft: SeenDraft | undefined,
  ): Promise<readonly string[] | 'waived' | undefined> {
    const changes = operations.flatMap((operation) =>
      operation.op === 'put_document' || operation.op === 'delete_document'
        ? [{ kind: operation.kind, after: operation.op === 'put_document' ? operation.body : undefined }]
        : [],
    );
    if (!wantsFourEyes(policies.documents, changes)) return undefined;
    if (this.waived.has((await this.store.tenantName(principal.tenant)) ?? '')) return 'waived';
    const people = new Set<string>();
    if (principal.subject && draft?.isLookedAt !== false && mayRead(principal.ability, operations))
      people.add(keyOf(policies, principal.subject));
    for (const eye of draft?.seenBy ?? []) {
      const key = await this.#counted(policies, principal.tenant, draft!.name, eye, operations);
      if (key !== undefined) people.add(key);
    }
    if (people.size < TWO) throw tooFew(draft, [...people]);
    return [...people];
  }

  /** The one subject that somebody is who has saved a draft or approved of it; undefined where they do not count. */
  async #counted(
    policies: PolicySet,
    tenant: string,
    draft: string,
    { person: id, how }: DraftEye,
    operations: readonly Operation[],
  ): Promise<string | undefined> {
    // To save a draft takes no such sign-in: whoever has saved it approves of it, too.
    if (how === 'saved' && takesStepUp(policies, operations)) return undefined;
    const found = await this.#people.find(tenant, id);
    const issuer = found && policies.documents.find('Issuer', found.issuer)?.document;
    if (!issuer) return undefined;
    const person: SignedInPerson = { id, issuer: found.issuer, claims: found.claims };
    const now = this.store.clock.now();
    const known = personAt(policies, person, now);
    if (!known) return undefined;
    const groups = groupsOfPerson(policies, issuer, found.claims);
    const rights = administratorOf(policies.documents, { ...person, groups }, now);
    return mayHave(rights.ability, how, draft, operations) ? known.key : undefined;
  }
}

/** Whether somebody could do now what they did: write the draft, or publish it as it is. */
function mayHave(
  ability: AdministratorAbility,
  how: DraftEye['how'],
  draft: string,
  operations: readonly Operation[],
): boolean {
  if (!mayRead(ability, operations)) return false;
  if (how === 'saved') return may(ability, 'write', 'Draft', draft);
  return (
    may(ability, 'publish', 'Draft', draft) &&
    operations.every((operation) => {
      if (operation.op === 'put_document') return may(ability, 'write', operation.kind, operation.name);
      return operation.op !== 'delete_document' || may(ability, 'delete', operation.kind, operation.name);
    })
  );
}

/** Whether somebody can have seen all documents that would change. */
const mayRead = (ability: AdministratorAbility, operations: readonly Operation[]): boolean =>
  operations.every(
    (operation) =>
      (operation.op !== 'put_document' && operation.op !== 'delete_document') ||
      may(ability, 'read', operation.kind, operation.name),
  );

/** The one subject that a person is, whatever connector they came by. */
function keyOf(policies: PolicySet, { type, id }: { readonly type: string; readonly id: string }): string {
  const stored = policies.subject(type, id);
  return stored ? subjectKey(stored.type, stored.id) : subjectKey(type, id);
}

function tooFew(draft: SeenDraft | undefined, seenBy: readonly string[]): Refusal {
  const demand = 'this tenant wants two people to have seen such a change (fourEyes)';
  const detail = draft
    ? `${demand}, and those who count are ${seenBy.length === 0 ? 'none' : seenBy.join(', ')}: ${seenBy.length === 0 ? 'two people have' : 'another person has'} to look at ` +
      `the draft '${draft.name}' and approve of it (placet draft approve), or publish it; keys are no people` +
      (draft.isLookedAt
        ? ''
        : '; whoever publishes counts where they name the version that they have looked at (--version, If-Match)')
    : `${demand}: save it as a draft, have another person approve of it, and publish it`;
  return new Refusal('four_eyes_required', detail, { seen_by: [...seenBy] });
}

import { Injectable } from '@nestjs/common';
import { Refusal } from '#http';
import type { AdministratorPrincipal } from '#identity';
import {
  AUTHORED_KINDS,
  type AnyDocument,
  type DocumentProblem,
  type Kind,
  type LintFinding,
  type Source,
  type TestReport,
} from '#policy';
import type { Snapshots, TenantSnapshot } from '#snapshot';
import { DocumentReader, type Store, type StoredVersion } from '#store';
import { Changes } from '../changes.js';
import { planChange, type Plan, type PlannedDocument, type Wanted } from './plan.js';

/** What became of each document, and the revision since which it is so. */
export interface AppliedChange {
  readonly revision: number;
  readonly documents: readonly (PlannedDocument & { readonly version: number | undefined })[];
  readonly warnings: readonly LintFinding[];
  /** What came of the tests; undefined where there are none. */
  readonly tests: TestReport | undefined;
}

/** What the client knows of a document that it changes: a version, or that there must be none. */
export type Precondition = { readonly version: number } | 'absent' | undefined;

@Injectable()
export class DocumentsService {
  readonly #reader: DocumentReader;
  readonly #changes: Changes;

  constructor(
    store: Store,
    private readonly snapshots: Snapshots,
  ) {
    this.#reader = new DocumentReader(store);
    this.#changes = new Changes(store, snapshots);
  }

  get reader(): DocumentReader {
    return this.#reader;
  }

  /** What a change would do, and what the tests say of it. Throws Refusal with everything that is wrong. */
  async validate(tenant: string, wanted: Wanted): Promise<{ plan: Plan; tests: TestReport | undefined }> {
    let plan: Plan | undefined;
    const tests = await this.#changes.test(
      tenant,
      async () => (plan = await this.#plan(tenant, wanted)).operations,
      (problem) => plan!.locate(problem),
    );
    return { plan: plan!, tests };
  }

  /** Makes a change of any number of documents, all or none. */
  async apply(principal: AdministratorPrincipal, wanted: Wanted): Promise<AppliedChange> {
    return this.#make(principal, wanted, () => undefined);
  }

  /** Saves one document under the name that it has been asked for. */
  async put(
    principal: AdministratorPrincipal,
    kind: Kind,
    name: string,
    source: Source,
    expected: Precondition,
  ): Promise<AppliedChange> {
    return this.#make(principal, { sources: [source], deletions: [], prune: false }, ({ documents }) => {
      const [document] = documents;
      if (documents.length !== 1 || document!.kind !== kind || document!.name !== name) {
        throw new Refusal(
          'invalid_request',
          `the body must be one document: the ${kind} named '${name}', as in the path`,
        );
      }
      this.#check(principal.tenant, kind, name, expected);
    });
  }

  async remove(
    principal: AdministratorPrincipal,
    kind: Kind,
    name: string,
    expected: Precondition,
  ): Promise<AppliedChange> {
    if (!AUTHORED_KINDS.includes(kind)) {
      throw new Refusal('invalid_request', `a ${kind} is ended by DELETE /api/v1/suspensions/{of}/{name}`);
    }
    return this.#make(principal, { sources: [], deletions: [{ kind, name }], prune: false }, ({ documents }) => {
      if (documents.length === 0) throw notFound(kind, name);
      this.#check(principal.tenant, kind, name, expected);
    });
  }

  async #make(
    { tenant, credential }: AdministratorPrincipal,
    wanted: Wanted,
    check: (plan: Plan) => void,
  ): Promise<AppliedChange> {
    let made: Plan | undefined;
    let tests: TestReport | undefined;
    const locate = (problem: DocumentProblem) => made!.locate(problem);
    const report = (passed: TestReport) => void (tests = passed);
    const revision = await this.#changes.make(
      tenant,
      async () => {
        tests = undefined;
        const snapshot = await this.snapshots.of(tenant);
        made = planOn(snapshot, wanted);
        check(made);
        if (made.operations.length === 0) return undefined;
        return {
          tenant,
          principal: `key:${credential}`,
          ...(made.dependsOnOthers ? { expectedRevision: snapshot.revision } : {}),
          keys: made.keys,
          operations: made.operations,
        };
      },
      { locate, report },
    );
    if (made!.operations.length === 0) tests = (await this.validate(tenant, wanted)).tests;
    const present = (await this.snapshots.of(tenant)).policies.documents;
    const documents = made!.documents.map((document) => ({
      ...document,
      version: present.find(document.kind, document.name)?.version,
    }));
    return { revision, documents, warnings: made!.warnings(), tests };
  }

  async #plan(tenant: string, wanted: Wanted): Promise<Plan> {
    return planOn(await this.snapshots.of(tenant), wanted);
  }

  /** Holds what the client expects against what is there. The commit holds it again against what it was planned on. */
  #check(tenant: string, kind: Kind, name: string, expected: Precondition): void {
    const version = this.snapshots.held(tenant)?.policies.documents.find(kind, name)?.version;
    if (expected === 'absent') {
      if (version !== undefined)
        throw new Refusal('already_exists', `there is a ${kind} named '${name}' already, at version ${version}`);
      return;
    }
    if (expected === undefined) {
      if (version === undefined) return;
      throw new Refusal(
        'precondition_required',
        `the ${kind} '${name}' is at version ${version}: send If-Match: "${version}" to change it`,
      );
    }
    if (version === expected.version) return;
    if (version === undefined) throw notFound(kind, name);
    throw new Refusal(
      'version_mismatch',
      `the ${kind} '${name}' is at version ${version}, not ${expected.version}: read it again`,
    );
  }
}

function planOn({ policies }: TenantSnapshot, wanted: Wanted): Plan {
  const plan = planChange(policies.documents, wanted, AUTHORED_KINDS);
  if (!('problems' in plan)) return plan;
  const [first] = plan.problems;
  throw new Refusal('documents_invalid', first!.message, { errors: plan.problems });
}

export const notFound = (kind: Kind, name: string): Refusal =>
  new Refusal('not_found', `there is no ${kind} named '${name}'`);

/** A stored version on the wire. */
export function versionBody({ kind, name, version, revision, body, changedBy, changedAt }: StoredVersion): {
  kind: Kind;
  name: string;
  version: number;
  revision: number;
  document: AnyDocument | null;
  changed_by?: string;
  changed_at?: string;
} {
  return {
    kind,
    name,
    version,
    revision,
    document: body,
    ...(changedBy === undefined ? {} : { changed_by: changedBy }),
    ...(changedAt === undefined ? {} : { changed_at: changedAt }),
  };
}

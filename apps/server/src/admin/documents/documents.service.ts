import { Injectable } from '@nestjs/common';
import { Refusal } from '#http';
import type { AdministratorPrincipal } from '#identity';
import {
  AUTHORED_KINDS,
  type AnyDocument,
  type DocumentProblem,
  type DocumentSet,
  type Kind,
  type LintFinding,
  type Source,
  type TestReport,
} from '#policy';
import type { Snapshots } from '#snapshot';
import { DocumentReader, type ChangeNote, type Operation, type Store, type StoredVersion } from '#store';
import type { Changes, Maker } from '../changes.js';
import type { SeenDraft } from '../four-eyes.js';
import { permitDocuments, refuseExcess } from '../grants.js';
import { checkPrecondition, type Precondition } from '../preconditions.js';
import { planChange, type Hindrance, type Plan, type PlannedDocument, type Wanted } from './plan.js';

/** What became of each document, and the revision since which it is so. */
export interface AppliedChange {
  readonly revision: number;
  readonly documents: readonly (PlannedDocument & { readonly version: number | undefined })[];
  readonly warnings: () => readonly LintFinding[];
  /** What came of the tests; undefined where there are none. */
  readonly tests: TestReport | undefined;
}

/** A change that is to be made, as it is told anew for each attempt. */
export interface Intent {
  readonly wanted: Wanted;
  readonly about: ChangeNote;
  /** Writes beside those of the documents. */
  readonly also?: readonly Operation[];
  /** The draft that it publishes, with who has seen it. */
  readonly draft?: SeenDraft;
  /** Whether it is meant for the state that it is planned on and for no later one. */
  readonly isOfWholeState?: boolean;
  /** Throws Refusal where other documents would change than may; comes before what else is wrong. */
  readonly guard?: (documents: readonly PlannedDocument[]) => void;
  /** Throws Refusal where the change is right and still not to be made. */
  readonly check?: (plan: Plan) => void;
}

@Injectable()
export class DocumentsService {
  readonly #reader: DocumentReader;

  constructor(
    private readonly store: Store,
    private readonly snapshots: Snapshots,
    private readonly changes: Changes,
    /** The tenant whose guardrails stand above all others. */
    private readonly home: string,
  ) {
    this.#reader = new DocumentReader(store);
  }

  get reader(): DocumentReader {
    return this.#reader;
  }

  /** What a change would do, and what the tests say of it. Throws Refusal with everything that is wrong. */
  async validate(tenant: string, wanted: Wanted): Promise<{ plan: Plan; tests: TestReport | undefined }> {
    let plan: Plan | undefined;
    const tests = await this.changes.test(
      tenant,
      async () => (plan = planned(await this.#plan(tenant, wanted))).operations,
      (problem) => plan!.locate(problem),
    );
    return { plan: plan!, tests };
  }

  /** What a change would do, and what stands in its way, failing tests among it. */
  async review(tenant: string, wanted: Wanted): Promise<Plan | Hindrance> {
    const outcome = await this.#plan(tenant, wanted);
    if ('problems' in outcome) return outcome;
    try {
      return (await this.validate(tenant, wanted)).plan;
    } catch (error) {
      if (!(error instanceof Refusal) || error.code !== 'documents_invalid') throw error;
      return { problems: error.members.errors as readonly DocumentProblem[], documents: outcome.documents };
    }
  }

  async #plan(tenant: string, wanted: Wanted): Promise<Plan | Hindrance> {
    const { policies } = await this.snapshots.of(tenant);
    return this.#planOn(tenant, policies.documents, wanted);
  }

  /** INVARIANT: guardrails are documents of the home tenant and of no other (the database says so, too). */
  #planOn(tenant: string, present: DocumentSet, wanted: Wanted): Plan | Hindrance {
    const outcome = planChange(present, wanted, AUTHORED_KINDS);
    const foreign = tenant === this.home ? undefined : outcome.documents.find(({ kind }) => kind === 'Guardrail');
    return foreign ? { problems: [onlyAtHome(foreign)], documents: outcome.documents } : outcome;
  }

  /** Makes a change of any number of documents, all or none. */
  async apply(principal: AdministratorPrincipal, wanted: Wanted, about: ChangeNote): Promise<AppliedChange> {
    return this.make(principal, async () => ({ wanted, about }));
  }

  /** Saves one document under the name that it has been asked for. */
  async put(
    principal: AdministratorPrincipal,
    kind: Kind,
    name: string,
    source: Source,
    expected: Precondition,
    about: ChangeNote,
  ): Promise<AppliedChange> {
    const check = ({ documents }: Plan) => {
      const [document] = documents;
      if (documents.length !== 1 || document!.kind !== kind || document!.name !== name) {
        throw new Refusal(
          'invalid_request',
          `the body must be one document: the ${kind} named '${name}', as in the path`,
        );
      }
      this.#check(principal.tenant, kind, name, expected);
    };
    const wanted = { sources: [source], deletions: [], prune: false };
    return this.make(principal, async () => ({ wanted, about, check }));
  }

  async remove(
    principal: AdministratorPrincipal,
    kind: Kind,
    name: string,
    expected: Precondition,
    about: ChangeNote,
  ): Promise<AppliedChange> {
    if (!AUTHORED_KINDS.includes(kind)) {
      throw new Refusal('invalid_request', `a ${kind} is ended by DELETE /api/v1/suspensions/{of}/{name}`);
    }
    const check = ({ documents }: Plan) => {
      if (documents.length === 0) throw notFound(kind, name);
      this.#check(principal.tenant, kind, name, expected);
    };
    const wanted = { sources: [], deletions: [{ kind, name }], prune: false };
    return this.make(principal, async () => ({ wanted, about, check }));
  }

  /**
   * Makes a change of documents as one revision, or throws Refusal with what is wrong, or with what its maker may not do.
   * `intend` is asked after the state
   * that the change is planned on has been taken down: what it reads in the database is of that revision or a later one.
   */
  async make(maker: Maker, intend: () => Promise<Intent>): Promise<AppliedChange> {
    const { tenant } = maker;
    let made: Plan | undefined;
    let asked: Wanted | undefined;
    let tests: TestReport | undefined;
    const plan = async () => {
      tests = undefined;
      // The snapshot moves on while others are waited for; these two belong together.
      const snapshot = await this.snapshots.of(tenant);
      const {
        revision: expectedRevision,
        policies: { documents },
      } = snapshot;
      const { wanted, about, also = [], draft, isOfWholeState = false, guard, check } = await intend();
      asked = wanted;
      const outcome = this.#planOn(tenant, documents, wanted);
      if (maker.kind === 'administrator') permitDocuments(maker, outcome.documents);
      guard?.(outcome.documents);
      made = planned(outcome);
      if (maker.kind === 'administrator') refuseExcess(maker, snapshot, documents, made, this.store.clock.now());
      check?.(made);
      const operations = [...made.operations, ...also];
      if (operations.length === 0) return undefined;
      return {
        ...(isOfWholeState || made.dependsOnOthers ? { expectedRevision } : {}),
        keys: made.keys,
        operations,
        about,
        draft,
      };
    };
    const revision = await this.changes.make(maker, plan, {
      locate: (problem: DocumentProblem) => made!.locate(problem),
      report: (passed) => void (tests = passed),
    });
    if (made!.operations.length === 0) tests = (await this.validate(tenant, asked!)).tests;
    const present = (await this.snapshots.of(tenant)).policies.documents;
    const documents = made!.documents.map((document) => ({
      ...document,
      version: present.find(document.kind, document.name)?.version,
    }));
    return { revision, documents, warnings: () => made!.warnings(), tests };
  }

  /** Holds what the client expects against what is there. The commit holds it again against what it was planned on. */
  #check(tenant: string, kind: Kind, name: string, expected: Precondition): void {
    const version = this.snapshots.held(tenant)?.policies.documents.find(kind, name)?.version;
    checkPrecondition(`the ${kind} '${name}'`, version, expected, () => notFound(kind, name));
  }
}

/** Throws Refusal with everything that stands in the way. */
function planned(plan: Plan | Hindrance): Plan {
  if ('problems' in plan) throw invalid(plan.problems);
  return plan;
}

const onlyAtHome = ({ kind, name }: PlannedDocument): DocumentProblem => ({
  code: 'invalid',
  message: 'guardrails stand above all tenants: an operator writes them in the home tenant',
  document: { kind, name },
});

/** The refusal of documents with everything that is wrong with them, of which there is something. */
export const invalid = (problems: readonly DocumentProblem[]): Refusal =>
  new Refusal('documents_invalid', problems[0]!.message, { errors: problems });

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

import { Refusal } from '#http';
import { furtherRules, namedActions, type FurtherRule, type PolicySet } from '#policy';
import type { Snapshots } from '#snapshot';
import type { Store } from '#store';
import {
  capabilityRows,
  subjectRows,
  type AccessRow,
  type CapabilitiesQuestion,
  type SubjectsQuestion,
} from './access-rows.js';
import { firstOf, pace, pageOfRows, type Pace, type RowPage } from './pages.js';

export interface AccessPage extends RowPage<AccessRow> {
  readonly revision: number;
}

export interface CapabilityPage extends AccessPage {
  /** What is allowed beyond what the rows could tell; null on other pages than the first. */
  readonly further: { readonly rules: readonly FurtherRule[]; readonly more: boolean } | null;
  /** What holds where no rule says otherwise. */
  readonly fallback: 'deny' | 'ask';
}

/** How often a page is worked out anew, where the tenant's state moves on in between. */
const MAX_ATTEMPTS = 5;

/** Most actions that policies name and that are looked at, in order of their names. */
const MAX_ACTIONS = 1000;

/** Most rules that are told of those that reach further. */
const MAX_FURTHER = 200;

/** One state of a tenant, and the way to leave it for others. */
interface Moment {
  readonly policies: PolicySet;
  readonly now: number;
  readonly turn: Pace;
}

/** The questions of an administrator: who can do this, and what can they do. Nothing is authorised, nothing recorded. */
export class AccessQuestions {
  constructor(
    private readonly snapshots: Snapshots,
    private readonly store: Pick<Store, 'clock'>,
  ) {}

  /** Those who could do something. Throws Refusal for a host or server that is not registered. */
  async subjects(tenant: string, question: SubjectsQuestion): Promise<AccessPage> {
    return this.#onOneState(tenant, ({ policies, now, turn }) => {
      check(policies, question);
      return pageOfRows(subjectRows(policies, question, now), turn);
    });
  }

  /** What somebody, or a host for anybody, could do. Throws Refusal for a host or server that is not registered. */
  async capabilities(tenant: string, question: CapabilitiesQuestion): Promise<CapabilityPage> {
    return this.#onOneState(tenant, async (moment) => {
      check(moment.policies, question);
      const { policies, now, turn } = moment;
      const named = await firstOf(
        {
          items: namedActions(policies),
          compare: (left, right) => byText(left.id, right.id),
          skip: () => false,
          count: MAX_ACTIONS,
        },
        turn,
      );
      const page = named && (await pageOfRows(capabilityRows(policies, question, named, now), turn));
      const further = page && (await furtherOn(moment, question));
      return further && { ...page, ...further };
    });
  }

  /** Works something out on the newest state of a tenant, anew if that moves on meanwhile. */
  async #onOneState<T>(
    tenant: string,
    work: (moment: Moment) => Promise<T | undefined>,
  ): Promise<T & { readonly revision: number }> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      await this.snapshots.refresh(tenant, Infinity);
      const snapshot = await this.snapshots.of(tenant);
      const { policies, revision, guardrails } = snapshot;
      const isSame = () => snapshot.revision === revision && snapshot.guardrails === guardrails;
      const holds = () => this.snapshots.held(tenant) === snapshot && isSame();
      const found = await work({ policies, now: this.store.clock.now(), turn: pace(holds) });
      if (found && holds()) return { ...found, revision };
    }
    throw new Refusal('too_many_changes', 'the state of the tenant keeps changing: ask again');
  }
}

function check(
  policies: PolicySet,
  { host, server }: { readonly host: string | null; readonly server: string | null },
) {
  if (host !== null && !policies.host(host)) throw new Refusal('not_found', `there is no Host named '${host}'`);
  if (server !== null && !policies.server({ name: server }))
    throw new Refusal('not_found', `there is no Server named '${server}'`);
}

/** Told with the first page only. Undefined if the state moved on in between. */
async function furtherOn(
  { policies, now, turn }: Moment,
  { subject, server, host, from }: CapabilitiesQuestion,
): Promise<Pick<CapabilityPage, 'further' | 'fallback'> | undefined> {
  const fallback = policies.defaults.effect;
  if (subject === null || from !== null) return { further: null, fallback };
  const further = furtherRules(policies, subject, { only: server, host }, now);
  const found = await firstOf(
    {
      items: policies.rules(),
      compare: ({ ref: left }, { ref: right }) =>
        left.policy === right.policy ? byText(left.rule, right.rule) : byText(left.policy, right.policy),
      skip: (rule) => further(rule) === undefined,
      count: MAX_FURTHER + 1,
    },
    turn,
  );
  if (!found) return undefined;
  const rules = found.slice(0, MAX_FURTHER).flatMap((rule) => further(rule) ?? []);
  return { further: { rules, more: found.length > MAX_FURTHER }, fallback };
}

const byText = (left: string, right: string): number => (left < right ? -1 : Number(left > right));

import type { IssuerDocument, MappingDocument, MappingRule } from '../documents/schema.js';
import type { StoredDocument } from '../documents/set.js';
import type { Json, JsonObject } from '../model.js';
import {
  compileCondition,
  groupsToRead,
  type Claims,
  type CompiledCondition,
  type ConditionResult,
  type Test,
  type Why,
} from './conditions.js';
import type { TokenGroups } from './groups.js';
import { claimAt, claimType, type ClaimType } from './pointer.js';

/** A rule of a Mapping, as answers and records name it. */
interface MappingRuleRef {
  readonly mapping: string;
  readonly version: number;
  readonly rule: string;
}

/** A role that a rule gives, or (`possible`) that it would give if something that is not known were so. */
export interface MappedRole extends MappingRuleRef {
  readonly role: string;
  readonly possible: boolean;
}

/** A condition that decided about a rule, and the type of what it found: never the value. */
interface MappingReason {
  /** Its place in `when`. */
  readonly condition: number;
  readonly test: Test;
  /** The pointer of the claim, or the name of the group. */
  readonly of: string;
  readonly found: ClaimType;
  readonly why: Why;
}

/** What one rule came to. */
interface MappingOutcome extends MappingRuleRef {
  /** `skipped`: a rule before it has stopped. `error`: it may hold or not, and gives nothing for certain. */
  readonly outcome: 'fired' | 'not' | 'error' | 'skipped';
  /** The first condition that is false; else all that are in error. */
  readonly because: readonly MappingReason[];
  /** The rule that stopped, or that may have: then nothing after it is certain. */
  readonly stoppedBy: MappingRuleRef | null;
}

/** What the claims of somebody give them. */
export interface Mapped {
  readonly roles: {
    readonly held: readonly string[];
    /** Roles that what is not known could bring. */
    readonly possible: readonly string[];
    readonly ways: readonly MappedRole[];
  };
  /** Roles of administrators: those only that are certain. */
  readonly administration: { readonly held: readonly string[] };
  readonly properties: JsonObject;
  /** Names of attributes whose value is not known, because a rule in error could set them. */
  readonly unsure: readonly string[];
  readonly fired: readonly MappingOutcome[];
}

/**
 * What the Mappings of an issuer make of somebody's claims and groups. Pure and total: rules are looked at in order, those
 * of several Mappings in the order of their names, and what is in error gives nothing.
 * @param mappings those of other issuers are passed over
 */
export function mapClaims(
  mappings: Iterable<StoredDocument<'Mapping'>>,
  issuer: Pick<IssuerDocument, 'name'>,
  claims: JsonObject,
  groups: TokenGroups | null,
): Mapped {
  const run = new Run({ claims, groups: groupsToRead(groups), steps: 0 });
  const own = [...mappings].filter(({ document }) => document.issuer === issuer.name);
  for (const { document, version } of own.sort(byName)) {
    for (const compiled of compiledRules(document)) {
      run.take(compiled, { mapping: document.name, version, rule: compiled.rule.name });
    }
  }
  return run.mapped();
}

const byName = (left: StoredDocument<'Mapping'>, right: StoredDocument<'Mapping'>): number =>
  left.document.name < right.document.name ? -1 : 1;

interface CompiledMappingRule {
  readonly rule: MappingRule;
  readonly conditions: readonly CompiledCondition[];
}

/** Patterns are compiled once for each version of a document. */
const compiled = new WeakMap<MappingDocument, readonly CompiledMappingRule[]>();

function compiledRules(document: MappingDocument): readonly CompiledMappingRule[] {
  let rules = compiled.get(document);
  if (!rules) {
    rules = document.rules.map((rule) => ({
      rule,
      conditions: rule.when === 'always' ? [] : rule.when.map(compileCondition),
    }));
    compiled.set(document, rules);
  }
  return rules;
}

/** What has come of the rules so far. */
class Run {
  readonly #ways: MappedRole[] = [];
  readonly #administration = new Set<string>();
  readonly #properties = Object.create(null) as Record<string, Json>;
  readonly #unsure = new Set<string>();
  readonly #fired: MappingOutcome[] = [];
  #stop: { readonly by: MappingRuleRef; readonly certain: boolean } | null = null;

  constructor(private readonly input: Claims) {}

  take({ rule, conditions }: CompiledMappingRule, ref: MappingRuleRef): void {
    const stop = this.#stop;
    const stoppedBy = stop && stop.by;
    if (stop?.certain) {
      this.#fired.push({ ...ref, outcome: 'skipped', because: [], stoppedBy });
      return;
    }
    const { outcome, because } = outcomeOf(conditions, this.input);
    const isOpen = outcome === 'error' || (outcome === 'fired' && stop !== null);
    this.#fired.push({ ...ref, outcome: isOpen ? 'error' : outcome, because, stoppedBy });
    if (outcome === 'not') return;
    for (const role of rule.roles ?? []) this.#ways.push({ ...ref, role, possible: isOpen });
    if (!isOpen) for (const role of rule.administration ?? []) this.#administration.add(role);
    this.#setProperties(rule, isOpen);
    if (rule.stop) this.#stop = { by: stop?.by ?? ref, certain: outcome === 'fired' };
  }

  #setProperties({ properties = {} }: MappingRule, isOpen: boolean): void {
    for (const [name, from] of Object.entries(properties)) {
      if (Object.hasOwn(this.#properties, name) || this.#unsure.has(name)) continue;
      const value = 'claim' in from ? claimAt(this.input.claims, from.claim) : from.value;
      if ('claim' in from && claimType(value) === 'absent') continue;
      if (isOpen) this.#unsure.add(name);
      else this.#properties[name] = value!;
    }
  }

  mapped(): Mapped {
    const held = new Set(this.#ways.filter(({ possible }) => !possible).map(({ role }) => role));
    const possible = new Set(this.#ways.map(({ role }) => role).filter((role) => !held.has(role)));
    return {
      roles: { held: [...held].sort(), possible: [...possible].sort(), ways: this.#ways },
      administration: { held: [...this.#administration].sort() },
      properties: this.#properties,
      unsure: [...this.#unsure].sort(),
      fired: this.#fired,
    };
  }
}

/** All conditions must hold: one that is false decides, and one in error counts only where none is. */
function outcomeOf(
  conditions: readonly CompiledCondition[],
  input: Claims,
): { outcome: 'fired' | 'not' | 'error'; because: readonly MappingReason[] } {
  const inError: MappingReason[] = [];
  for (const [index, condition] of conditions.entries()) {
    const result = condition.evaluate(input);
    if (result.why === null) continue;
    const reason = reasonOf(index, condition, result, result.why);
    if (result.outcome === 'false') return { outcome: 'not', because: [reason] };
    inError.push(reason);
  }
  return { outcome: inError.length > 0 ? 'error' : 'fired', because: inError };
}

const reasonOf = (
  condition: number,
  { test, of }: CompiledCondition,
  { found }: ConditionResult,
  why: Why,
): MappingReason => ({ condition, test, of, found, why });

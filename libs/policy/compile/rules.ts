import { Condition } from '../cel/condition.js';
import { ShapePool } from '../cel/shape.js';
import type { ConsentBlock, PolicyDocument, RuleDocument } from '../documents/schema.js';
import { digest } from '../json.js';
import { compilePlaces, type Place } from '../fields/places.js';
import type { Effect, Json, Obligation, RuleRef } from '../model.js';
import { compileGlob } from '../paths/glob.js';
import { compilePrincipals, principalKey, type PrincipalMatcher } from './principals.js';
import { entriesProve, type Target } from './targets.js';

/** A consent block with the digest that a consent is bound to: a changed block is another question. */
export interface CompiledConsent {
  readonly block: ConsentBlock;
  readonly digest: string;
}

/** The arguments, and the fields of the result, that an allow covers; null: all of them. */
interface CompiledFields {
  readonly arguments: readonly Place[] | null;
  readonly result: readonly string[] | null;
}

/** A rule, ready to be asked. */
export interface CompiledRule {
  readonly ref: RuleRef;
  /** Of one that stands above the tenant: all of it that the tenant is told. Null: a rule of the tenant's own. */
  readonly guardrail: { readonly name: string; readonly reason: string } | null;
  readonly effect: Effect;
  /** False: a shadow rule, which is evaluated and never decides. */
  readonly enforced: boolean;
  /** Whether to be found in the index by a known id is to be covered. */
  readonly foundIsCovered: boolean;
  /** The hosts it is for; null: any. */
  readonly via: ReadonlySet<string> | null;
  readonly when: Condition | null;
  readonly unless: Condition | null;
  readonly consent: CompiledConsent | null;
  /** What it covers; null: all arguments, and all of the result. */
  readonly fields: CompiledFields | null;
  readonly obligations: readonly Obligation[];
  readonly target: Target;
  /** The keys of `to`, for the index. */
  readonly principalKeys: readonly string[];
  readonly to: PrincipalMatcher;
}

/** Conditions by their text, each compiled once however many rules share it. */
export class ConditionPool {
  readonly #shapes = new ShapePool();
  readonly #conditions = new Map<string, { readonly condition: Condition; uses: number }>();

  /** @param base whose conditions are taken where it has them, without counting there */
  constructor(private readonly base?: ConditionPool) {}

  take(text: string | undefined): Condition | null {
    if (text === undefined) return null;
    const lent = this.base?.find(text);
    if (lent) return lent;
    const known = this.#conditions.get(text);
    if (known) {
      known.uses++;
      return known.condition;
    }
    const condition = new Condition(text, this.#shapes);
    this.#conditions.set(text, { condition, uses: 1 });
    return condition;
  }

  find(text: string): Condition | undefined {
    return this.base?.find(text) ?? this.#conditions.get(text)?.condition;
  }

  giveBack(condition: Condition | null): void {
    const known = condition && this.#conditions.get(condition.text);
    if (!known || known.condition !== condition || --known.uses > 0) return;
    this.#conditions.delete(condition.text);
    this.#shapes.giveBack(condition.shape);
  }
}

export function compilePolicy(policy: PolicyDocument, version: number, conditions: ConditionPool): CompiledRule[] {
  const target: Target = {
    servers: policy.target.servers?.map(compileGlob) ?? null,
    actions: policy.target.actions.map(compileGlob),
    resources: policy.target.resources.map((pattern) =>
      typeof pattern === 'string'
        ? { type: null, id: compileGlob(pattern) }
        : { type: pattern.type, id: compileGlob(pattern.id) },
    ),
  };
  const foundIsCovered = entriesProve(target);
  return policy.rules.map((rule) =>
    compileRule({ policy: policy.name, version, rule: rule.name }, { target, foundIsCovered }, rule, conditions),
  );
}

function compileRule(
  ref: RuleRef,
  { target, foundIsCovered }: Pick<CompiledRule, 'target' | 'foundIsCovered'>,
  rule: RuleDocument,
  conditions: ConditionPool,
): CompiledRule {
  return {
    ref,
    guardrail: null,
    effect: rule.effect,
    enforced: rule.enforce !== false,
    foundIsCovered,
    via: rule.via ? new Set(rule.via) : null,
    when: conditions.take(rule.when),
    unless: conditions.take(rule.unless),
    consent: compileConsent(rule.consent),
    fields: compileFields(rule.fields),
    // A member that a document leaves out is not there, and so never undefined.
    obligations: (rule.obligations as readonly Obligation[] | undefined) ?? NO_OBLIGATIONS,
    target,
    principalKeys: [...new Set(rule.to.map(principalKey))],
    to: compilePrincipals(rule.to),
  };
}

const NO_OBLIGATIONS: readonly Obligation[] = [];

const compileFields = (fields: RuleDocument['fields']): CompiledFields | null =>
  fields
    ? { arguments: fields.arguments ? compilePlaces(fields.arguments) : null, result: fields.result ?? null }
    : null;

export function compileConsent(block: ConsentBlock | undefined): CompiledConsent | null {
  return block ? { block, digest: digest(block as unknown as Json) } : null;
}

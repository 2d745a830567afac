import type { GuardrailDocument, PolicyDocument } from '../documents/schema.js';
import type { StoredDocument } from '../documents/set.js';
import { tableOver, type Table } from '../layers.js';
import type { RuleRef } from '../model.js';
import { compileGuardrail, concernsTenant, guardrailPolicy, HOME_TENANT } from './guardrails.js';
import { LayeredIndex, RuleIndex, type Rules } from './rule-index.js';
import { compilePolicy, ConditionPool, type CompiledRule } from './rules.js';

/** Every rule of a tenant, by its policy, and those that stand above them; in one index. */
export class RuleBook {
  readonly #conditions: ConditionPool;
  readonly #rules: Table<string, readonly CompiledRule[]>;
  /** The rules that stand above the others, by their policy: of documents of the tenant (the home tenant's), and from above it. */
  readonly #guardrails: Table<string, readonly CompiledRule[]>;
  readonly #above: Table<string, readonly CompiledRule[]>;
  readonly #index: RuleIndex | LayeredIndex;

  /** @param base those that these are a layer over; left out: none */
  constructor(base?: RuleBook) {
    this.#conditions = new ConditionPool(base && base.#conditions);
    this.#rules = tableOver(base && base.#rules);
    this.#guardrails = tableOver(base && base.#guardrails);
    this.#above = tableOver(base && base.#above);
    this.#index = base ? new LayeredIndex(base.#index) : new RuleIndex();
  }

  /** What is asked for the rules that could concern something. */
  get index(): Rules {
    return this.#index;
  }

  /** Every rule of the tenant's own policies, in no order. */
  *own(): Iterable<CompiledRule> {
    for (const rules of this.#rules.values()) yield* rules;
  }

  /** The guardrail that a rule of some name is; undefined where there is none in force here. */
  guardrail({ policy, rule }: Pick<RuleRef, 'policy' | 'rule'>): CompiledRule | undefined {
    const found = this.#above.get(policy) ?? this.#guardrails.get(policy);
    return found?.find(({ ref }) => ref.rule === rule);
  }

  /** Puts a policy in the place of the one of its name, or (undefined) takes that one away. */
  replacePolicy(name: string, policy: PolicyDocument | undefined, version: number): void {
    this.#exchange(this.#rules, name, policy ? compilePolicy(policy, version, this.#conditions) : []);
  }

  /** The same of a guardrail that is a document of this tenant. */
  replaceGuardrail(name: string, guardrail: GuardrailDocument | undefined, version: number): void {
    const holds = guardrail !== undefined && concernsTenant(guardrail, HOME_TENANT);
    const compiled = holds ? [compileGuardrail(guardrail, version, this.#conditions)] : [];
    this.#exchange(this.#guardrails, guardrailPolicy(name), compiled);
  }

  /** Takes over the guardrails that stand above the tenant, in the place of those that did. */
  guard(guardrails: readonly StoredDocument<'Guardrail'>[]): void {
    for (const policy of [...this.#above.keys()]) this.#exchange(this.#above, policy, []);
    for (const { document, version } of guardrails) {
      const rule = compileGuardrail(document, version, this.#conditions);
      this.#exchange(this.#above, rule.ref.policy, [rule]);
    }
  }

  #exchange(table: Table<string, readonly CompiledRule[]>, name: string, compiled: readonly CompiledRule[]): void {
    for (const rule of table.get(name) ?? []) {
      this.#index.remove(rule);
      this.#conditions.giveBack(rule.when);
      this.#conditions.giveBack(rule.unless);
    }
    for (const rule of compiled) this.#index.add(rule);
    if (compiled.length > 0) table.set(name, compiled);
    else table.delete(name);
  }
}

import { Injectable } from '@nestjs/common';
import { explainRecord, type RecordedExplanation } from '#decision';
import { Refusal } from '#http';
import { placeOfEvaluation } from '#ledger';
import type { AnyDocument } from '#policy';
import { DocumentReader, RecordReader, type Store } from '#store';
import type { RecordedDecisionBody } from './wire.js';

type ExplanationBody = NonNullable<RecordedDecisionBody['explanation']>;
type RuleText = ExplanationBody['rules'][number]['text'];

/** Policies of which the texts are shown at most; so many rules hardly decide together. */
const MAX_TEXTS = 50;

/** Finds what was decided, by the ids in the answers. */
@Injectable()
export class RecordedDecisionsService {
  readonly #records: RecordReader;
  readonly #documents: DocumentReader;

  constructor(store: Store) {
    this.#records = new RecordReader(store);
    this.#documents = new DocumentReader(store);
  }

  /** A tenant's record with its explanation. Throws Refusal for an id that none of its answers had. */
  async find(tenant: string, evaluationId: string): Promise<RecordedDecisionBody> {
    const place = placeOfEvaluation(evaluationId);
    const text = place && (await this.#records.find(tenant, place.writer, place.seq));
    const record = text === undefined ? {} : (JSON.parse(text) as Record<string, unknown>);
    // A place can be guessed, the rest of an id cannot.
    if (record.evaluation_id !== evaluationId) throw new Refusal('not_found', 'there is no decision with this id');
    const explanation = explainRecord(record);
    return {
      evaluation_id: evaluationId,
      record,
      explanation: explanation ? await this.#withTexts(tenant, explanation) : null,
    };
  }

  async #withTexts(tenant: string, { rules, ...rest }: RecordedExplanation): Promise<ExplanationBody> {
    const policies = new Map<string, { name: string; version: number }>();
    for (const { policy, version, decided } of rules) {
      if (decided && policies.size < MAX_TEXTS) policies.set(`${policy}/${version}`, { name: policy, version });
    }
    const found = await this.#documents.versionsNamed(tenant, 'Policy', [...policies.values()]);
    const documents = new Map(found.map(({ name, version, body }) => [`${name}/${version}`, body]));
    return {
      ...rest,
      rules: rules.map((rule) => {
        const text = rule.decided ? textOf(documents.get(`${rule.policy}/${rule.version}`), rule.rule) : undefined;
        return { ...rule, ...(text ? { text } : {}) };
      }),
    };
  }
}

/** A rule as its policy has it, with the target that it shares with the others. */
function textOf(document: AnyDocument | null | undefined, name: string): RuleText {
  if (document?.kind !== 'Policy') return undefined;
  const rule = document.rules.find((candidate) => candidate.name === name);
  return rule && { target: document.target, rule };
}

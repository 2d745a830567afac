import { Refusal } from '#http';
import type { Proposed } from '#ledger';
import {
  decideListing,
  filterOf,
  keyOfIssuer,
  keyOfIssuerText,
  type Columns,
  type NoFilter,
  type TouchKey,
} from '#policy';
import type { FilterAnswer, ListedQuestion, ListingAnswer, SearchAnswer } from './answers.js';
import { agentOf, checkSpeaksFor, mayAssertOfResource } from './assertions.js';
import { endOf, inputAt, propose, type Moment } from './moment.js';
import type { Pace } from './pages.js';
import type { Call, Question } from './question.js';
import { filterRecord, listingRecord, searchRecord } from './records.js';
import { findPage, type Search } from './search.js';

/** An answer that no decision stands in for, and what the ledger is to keep of it. */
interface Advised<T> {
  readonly answer: Omit<T, 'evaluationId'>;
  readonly proposed: readonly [Proposed];
}

/** What a use of each entry of a list could come to at a moment. Undefined if the state moved on in between. */
export async function listAt(
  moment: Moment,
  call: Call,
  list: Question,
  entries: readonly ListedQuestion[],
  turn: Pace,
): Promise<Advised<ListingAnswer> | undefined> {
  const { snapshot, principal, now } = moment;
  const asked = inputAt(moment, list);
  const { type, id, issuer } = asked.subject;
  const keys = new Set<TouchKey>([`host:${principal.host}`, `host:${asked.agent}`, `subject:${type}:${id}`]);
  if (issuer) keys.add(keyOfIssuer(issuer.name)).add(keyOfIssuerText(issuer.iss));
  const items: ListingAnswer['items'][number][] = [];
  for (const { name, question } of entries) {
    if (!(await turn())) return undefined;
    const input = { ...inputAt(moment, question), arguments: 'unknown' as const };
    const { effect, conditional, keys: touched } = decideListing(snapshot.policies, input, now);
    touched.forEach((key) => keys.add(key));
    items.push({ name, effect, conditional });
  }
  const content = listingRecord(call, principal, { ...asked, proof: list.proof }, items, moment);
  const proposed = propose('listing', moment, [...keys], endOf(list, null), content);
  return { answer: { revision: moment.revision, items }, proposed: [proposed] };
}

/** One page of what would be allowed at a moment. Undefined if the state moved on in between. */
export async function searchAt(
  moment: Moment,
  call: Call,
  search: Search,
  turn: Pace,
): Promise<Advised<SearchAnswer> | undefined> {
  const { snapshot, principal, revision, now } = moment;
  const agent = agentOf(search.fixed, principal);
  if (search.searched !== 'subject') checkSpeaksFor(search.fixed.subject, principal);
  const page = await findPage(search, snapshot.policies, principal, now, turn);
  if (!page) return undefined;
  const keys = new Set<TouchKey>([
    `host:${principal.host}`,
    `host:${agent}`,
    ...page.decisions.flatMap((decision) => decision.keys),
  ]);
  const ends = page.decisions.flatMap(({ validUntil }) => validUntil ?? []);
  const content = searchRecord(call, principal, search, page, agent, moment);
  const proposed = propose('listing', moment, [...keys], ends.length > 0 ? Math.min(...ends) : null, content);
  return { answer: { revision, now, found: page.found, next: page.next }, proposed: [proposed] };
}

/** For which rows of the caller's a question would be allowed at a moment. Throws Refusal (`no_exact_filter`). */
export function filterAt(
  moment: Moment,
  call: Call,
  question: Question,
  table: { readonly columns: Columns | null; readonly firstParameter: number },
): Advised<FilterAnswer> {
  const { snapshot, principal, revision, now } = moment;
  const { rights } = principal;
  const input = inputAt(moment, question);
  const isOpen = (name: string) => mayAssertOfResource(name, rights);
  const filter = filterOf(snapshot.policies, input, { isOpen, ...table }, now);
  if ('refused' in filter) throw noFilter(filter.refused, rights.explain);
  const content = filterRecord(call, principal, { ...input, proof: question.proof }, filter, moment);
  const proposed = propose('listing', moment, filter.keys, endOf(question, filter.validUntil), content);
  return { answer: { revision, now, filter }, proposed: [proposed] };
}

/** The text of a condition is for those who may be told in detail what stands in the way. */
function noFilter({ why, rule, clause }: NoFilter, explain: boolean): Refusal {
  const of = rule ? `the rule '${rule.rule}' of the policy '${rule.policy}' is in the way: ` : '';
  return new Refusal('no_exact_filter', `no filter says exactly which rows are allowed: ${of}${why}. Ask row by row`, {
    ...(rule ? { rule } : {}),
    ...(explain && clause !== null ? { clause } : {}),
  });
}

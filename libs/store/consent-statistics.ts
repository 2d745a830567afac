import type { JsonObject } from '#policy';
import type { Store } from './store.js';

/** How asks of one rule were answered, over some time. Those of several rules at once are not counted. */
export interface AnsweredRule {
  readonly policy: string;
  readonly rule: string;
  /** The consent block as it was then. */
  readonly consent: JsonObject;
  readonly answers: number;
  /** Of requests that were then approved. */
  readonly agreed: number;
}

/** How asks of one rule by one host about one person and one thing, for one purpose, were answered. */
export interface AnsweredThing {
  readonly agent: string;
  readonly server: string | null;
  readonly action: string;
  readonly resourceType: string;
  readonly resourceId: string;
  readonly subjectType: string;
  readonly subjectId: string;
  /** As people were shown it; null: none was named. */
  readonly purpose: string | null;
  /** As people were shown them; null: it is not known. */
  readonly arguments: readonly JsonObject[] | null;
  readonly answers: number;
  readonly agreed: number;
}

/** Rules, and things of one rule, that are looked at: what was agreed to most often first. */
const RULES = 50;
const THINGS = 1000;

const ANSWERED = `
  with answered as (
    select r.content -> 'requirements' -> 0 -> 'rule' ->> 'policy' as policy, r.content -> 'requirements' -> 0 -> 'rule' ->> 'rule' as rule,
      r.content -> 'requirements' -> 0 -> 'consent' as consent, r.agent, r.server, r.action, r.resource_type, r.resource_id, r.shown,
      r.content -> 'subject' ->> 'type' as subject_type, r.content -> 'subject' ->> 'id' as subject_id,
      a.answer = 'agreed' and r.status = 'approved' as agreed
    from placet.consent_answer a join placet.consent_request r on r.tenant = a.tenant and r.id = a.request
    where a.tenant = $1 and a.withdrawn_at is null and a.at > clock_timestamp() - make_interval(days => $2) and jsonb_array_length(r.content -> 'requirements') = 1
      -- What no condition of a rule could say was agreed to as well.
      and not jsonb_exists_any(r.shown::jsonb, array['also', 'attributes'])
  )`;

/** Reads how people have answered. */
export class ConsentStatistics {
  constructor(private readonly store: Store) {}

  /** Rules with so many answers or more of the last days, of which a share or more agreed. */
  async rules(tenant: string, days: number, answers: number, share: number): Promise<readonly AnsweredRule[]> {
    return this.store.read(tenant, (view) =>
      view.query<AnsweredRule[]>(
        `${ANSWERED}
         select policy, rule, consent, count(*)::integer as answers, (count(*) filter (where agreed))::integer as agreed
         from answered where policy is not null and rule is not null
         group by policy, rule, consent
         having count(*) >= $3 and count(*) filter (where agreed) >= $4::float8 * count(*)
         order by count(*) filter (where agreed) desc, policy, rule limit ${RULES}`,
        [tenant, days, answers, share],
      ),
    );
  }

  /** What the answers to asks of a rule were about. */
  async things(
    tenant: string,
    days: number,
    { policy, rule, consent }: Pick<AnsweredRule, 'policy' | 'rule' | 'consent'>,
  ): Promise<readonly AnsweredThing[]> {
    return this.store.read(tenant, (view) =>
      view.query<AnsweredThing[]>(
        `${ANSWERED}, things as (select *, shown::jsonb ->> 'purpose' as purpose, shown::jsonb -> 'arguments' as arguments from answered)
         select agent, server, action, resource_type as "resourceType", resource_id as "resourceId",
           subject_type as "subjectType", subject_id as "subjectId", purpose, arguments, count(*)::integer as answers,
           (count(*) filter (where agreed))::integer as agreed
         from things where policy = $3 and rule = $4 and consent = $5
         group by agent, server, action, resource_type, resource_id, subject_type, subject_id, purpose, arguments
         order by count(*) filter (where agreed) desc, agent, server, action, resource_type, resource_id, subject_type, subject_id,
           purpose, arguments
         limit ${THINGS}`,
        [tenant, days, policy, rule, JSON.stringify(consent)],
      ),
    );
  }
}

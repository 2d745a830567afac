import { Refusal } from '#http';
import { CONSENT_BUDGETS, digest, type PolicySet } from '#policy';
import type { Snapshots } from '#snapshot';
import type {
  ConsentBudgets,
  ConsentReader,
  ConsentRequestStatus,
  ConsentStore,
  NewConsentRequest,
  OpenedRequest,
  StoredConsentRequest,
} from '#store';
import type { AskedRequirement } from './content.js';
import { newRequestId } from './ids.js';
import type { Shown } from './shown.js';

/** For how long a request waits for an answer, in ms. */
const OPEN_MS = 30 * 60_000;

/** What a host asks people for, after a decision that asked. */
export interface Asking {
  /** The decision, by its evaluation id. */
  readonly evaluation: string;
  readonly credential: string;
  /** The host that asks, and the one that it asks for. */
  readonly host: string;
  readonly agent: string;
  readonly subject: { readonly type: string; readonly id: string; readonly key: string };
  readonly server: string | null;
  readonly action: string;
  readonly resource: { readonly type: string; readonly id: string };
  readonly session: string | null;
  readonly requirements: readonly AskedRequirement[];
  readonly shown: Shown;
  readonly idempotencyKey: string | null;
  /** SHA-256 of the body that it came with, in hexadecimal. */
  readonly bodyDigest: string;
}

/** Where a request stands, for the host that made it. Times in ms since 1970. */
export interface RequestStanding {
  readonly id: string;
  readonly status: ConsentRequestStatus;
  readonly expiresAt: number;
  /** Of one that was approved: until when all that was agreed to is good, if it is not used or taken back before. */
  readonly approvedUntil: number | null;
}

/** Whose request it is: the host that made it, for the agent that it made it for. */
interface Owner {
  readonly host: string;
  readonly agent?: string | undefined;
}

/** What hosts do with requests for consent: make them, look at them, take them back. */
export class ConsentRequests {
  constructor(
    private readonly reader: ConsentReader,
    private readonly store: ConsentStore,
    private readonly snapshots: Pick<Snapshots, 'of'>,
    /** Told what came of each; where people are asked too often, `why`. */
    private readonly onOpened: (tenant: string, opened: OpenedRequest, asking: Asking) => void,
  ) {}

  /** Opens a request, or joins an equal one that is open. Throws Refusal where people are asked too often. */
  async open(tenant: string, asking: Asking): Promise<string> {
    const { policies } = await this.snapshots.of(tenant);
    const columns = columnsOf(asking);
    if (Object.values(columns).some((value) => typeof value === 'string' && value.includes('\0'))) {
      throw new Refusal('not_requestable', 'people are asked for nothing that has the character U+0000 in its name');
    }
    const opened = await this.store.open(tenant, columns, budgetsOf(policies));
    this.onOpened(tenant, opened, asking);
    switch (opened.outcome) {
      case 'opened':
      case 'joined':
      case 'sent_before':
        return opened.id;
      case 'other_body':
        throw new Refusal('duplicate_request', 'the Idempotency-Key was used for another request');
      case 'budget':
        throw new Refusal('prompt_budget', BUDGET_TEXT[opened.why], { budget: opened.why });
    }
  }

  /** A request of a host's own; undefined if it has none of that id. */
  async find(tenant: string, id: string, owner: Owner): Promise<RequestStanding | undefined> {
    const request = await this.reader.request(tenant, id);
    if (!request || !isOf(request, owner)) return undefined;
    const { status, expiresAt } = request;
    const consents = status === 'approved' ? await this.reader.ofRequest(tenant, id) : [];
    const ends = consents.map((consent) => consent.expiresAt);
    return { id, status, expiresAt, approvedUntil: ends.length > 0 ? Math.min(...ends) : null };
  }

  /** Takes a request back. Throws Refusal where it is over already; undefined if the host has none of that id. */
  async cancel(tenant: string, id: string, owner: Owner): Promise<RequestStanding | undefined> {
    const request = await this.reader.request(tenant, id);
    if (!request || !isOf(request, owner)) return undefined;
    const { outcome, status } = await this.store.cancel(tenant, id, request);
    if (outcome === 'over') {
      throw new Refusal('invalid_task_state', `it cannot be cancelled any more: it is ${status}`, {
        request_status: status,
      });
    }
    return this.find(tenant, id, owner);
  }
}

const isOf = (request: StoredConsentRequest, { host, agent }: Owner): boolean =>
  request.host === host && (agent === undefined || request.agent === agent);

const BUDGET_TEXT: Readonly<Record<Extract<OpenedRequest, { outcome: 'budget' }>['why'], string>> = {
  subject: 'this person is asked too often: wait, or have a policy that need not ask',
  host: 'this application asks too often: wait, or have a policy that need not ask',
  refused: 'this has been refused several times today: it is not asked again',
};

/** How often people and hosts are asked at most, by the Tenant document. */
function budgetsOf({ documents }: PolicySet): ConsentBudgets {
  const [tenant] = documents.all('Tenant');
  const { subjectPerHour, hostPerHour, refusalsPerDay } = tenant?.document.consents?.budgets ?? {};
  return {
    subject: subjectPerHour ?? CONSENT_BUDGETS.subjectPerHour,
    host: hostPerHour ?? CONSENT_BUDGETS.hostPerHour,
    refusals: refusalsPerDay ?? CONSENT_BUDGETS.refusalsPerDay,
  };
}

/** Two requests are equal that ask the same people for the same, by the same host, in the same session. */
function columnsOf(asking: Asking): NewConsentRequest {
  const { host, subject, resource, requirements, shown, session } = asking;
  return {
    id: newRequestId(),
    // Whose request it is looks at it and takes it back, and nobody else does.
    joinKey: digest({ host, bindings: requirements.map(({ binding }) => binding).toSorted(), session }),
    evaluation: asking.evaluation,
    credential: asking.credential,
    host,
    agent: asking.agent,
    subject: subject.key,
    server: asking.server,
    action: asking.action,
    resourceType: resource.type,
    resourceId: resource.id,
    session,
    content: { subject: { type: subject.type, id: subject.id }, requirements },
    shown: JSON.stringify(shown),
    idempotencyKey: asking.idempotencyKey,
    bodyDigest: asking.bodyDigest,
    openMs: OPEN_MS,
  };
}

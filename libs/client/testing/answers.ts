import type { KnownTask } from '../consent-task.js';
import type { Decision } from '../decision.js';
import type { Json, JsonObject } from '../json.js';
import type { DecisionRequest } from '../request.js';

/** A question that could be asked. */
export const aRequest = (more: Partial<DecisionRequest> = {}): DecisionRequest => ({
  subject: { type: 'user', id: 'ann' },
  server: 'file-server',
  direction: 'client_to_server',
  message: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'read_text_file', arguments: {} } },
  ...more,
});

/** An allow as the service writes it. Members given as undefined are left out. */
export const anAnswer = (more: Readonly<Record<string, Json | undefined>> = {}): JsonObject =>
  JSON.parse(
    JSON.stringify({
      effect: 'allow',
      evaluation_id: '4f.1',
      revision: 7,
      reason: { code: 'allowed', message: 'Allowed by policy.' },
      rules: [{ policy: 'own-files', version: 1, rule: 'employees' }],
      obligations: [],
      valid_for: 0,
      ...more,
    }),
  ) as JsonObject;

const decided = { rules: [], evaluationId: '4f.1', revision: 7 };

export const ALLOWED: Decision = {
  ...decided,
  effect: 'allow',
  reason: { code: 'allowed', message: 'Allowed by policy.' },
  obligations: [],
  validUntil: 0,
};

export const DENIED: Decision = {
  ...decided,
  effect: 'deny',
  reason: { code: 'no_rule_allows', message: 'No policy allows this.' },
};

export const ASKED: Decision = {
  ...decided,
  effect: 'ask',
  requestable: true,
  reason: { code: 'consent_required', message: 'You must agree to this first.' },
  requirements: [
    {
      by: ['subject'],
      approvals: 1,
      notSelf: false,
      uses: 1,
      until: undefined,
      bind: 'all',
      show: ['id'],
      assurance: undefined,
      bound: 'c0ffee',
    },
  ],
};

/** A request for consent that nobody has answered. */
export const PENDING: KnownTask = {
  id: 'cr_1',
  status: 'pending',
  expiresAt: '2026-12-01T00:00:00.000Z',
  reviewUrl: 'https://placet.example.com/t/default/requests/cr_1',
  elicitation: {
    mode: 'url',
    elicitationId: 'cr_1',
    url: 'https://placet.example.com/t/default/requests/cr_1',
    message: 'Desk wants to use the tool delete of Records',
  },
};

export const APPROVED: KnownTask = {
  ...PENDING,
  status: 'approved',
  approval: { id: 'cr_1', approvedUntil: '2026-12-01T00:00:00.000Z' },
};

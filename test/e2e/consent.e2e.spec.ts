import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startAskingCompany, type AskingCompany } from '../support/asking.js';

let company: AskingCompany;

beforeAll(async () => {
  company = await startAskingCompany();
  await company.asks({ by: ['subject'], uses: 1 });
});
afterAll(() => company.close());

describe('an ask', () => {
  it('is answered by the person, lets the call through once, and is asked again', async () => {
    const ann = await company.signIn('ann');
    const before = await company.decide();
    expect(before).toMatchObject({ effect: 'ask', reason: 'consent_required' });
    expect(before.body.ask.access_request.endpoint).toBe(`${company.service.url}/access/v1/requests`);

    const opened = await company.request();
    expect(opened.status).toBe(201);
    const { task, elicitation } = opened.body;
    expect(task).toMatchObject({ status: 'pending', links: { cancel: expect.stringContaining('/cancel') as string } });
    expect(elicitation).toMatchObject({
      mode: 'url',
      url: task.links.review,
      message: 'Desk wants to use the tool send of Mail',
    });
    expect(await company.decide({ approval: task.id })).toMatchObject({
      effect: 'ask',
      approval: { state: 'pending', next_action: 'retry', reason: 'grant_pending' },
    });

    expect(await company.answer(ann, task.id)).toEqual({ status: 200, body: { status: 'approved' } });
    const after = await company.service.call('GET', `/access/v1/requests/${task.id}`, { key: company.key });
    expect(after.body).toMatchObject({
      task: { status: 'approved' },
      result: { mode: 'reevaluate', approval: { id: task.id } },
    });

    // Who does not name the approval takes no use, and gets none.
    expect(await company.decide()).toMatchObject({ effect: 'ask' });
    const allowed = await company.decide({ approval: task.id });
    expect(allowed).toMatchObject({ effect: 'allow', reason: 'allowed_by_consent' });
    expect(await company.decide({ approval: task.id })).toMatchObject({
      effect: 'ask',
      approval: { state: 'used', used_by: allowed.id, next_action: 'request', reason: 'consent_used' },
    });
  });
});

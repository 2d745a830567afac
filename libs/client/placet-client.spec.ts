import type { RequestListener } from 'node:http';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { createPlacetClient } from './placet-client.js';
import { anAnswer, aRequest, httpServer, json, type HttpServer } from './testing/index.js';

const open: HttpServer[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

async function askOf(answers: readonly RequestListener[], deadlineMs = 2000, request = aRequest()) {
  const server = await httpServer(...answers);
  open.push(server);
  const client = createPlacetClient({ url: server.url, key: 'placet_test', deadlineMs });
  return { server, client, decision: await client.decide(request) };
}

const HEADERS = { 'Content-Type': 'application/json' };
const UNAVAILABLE = json({ code: 'contention', detail: 'too many changes' }, 503, 'application/problem+json');

/** Never comes to an end: one byte of an allow every 20 ms. */
const drip: RequestListener = (_, response) => {
  response.writeHead(200, HEADERS);
  const text = JSON.stringify(anAnswer());
  let at = 0;
  const timer = setInterval(() => response.write(text[at++ % text.length]), 20);
  response.on('close', () => clearInterval(timer));
};

/** Says that more is to come, and hangs up. */
const cutOff: RequestListener = (_, response) => {
  response.writeHead(200, { ...HEADERS, 'Content-Length': 10_000 });
  response.write(JSON.stringify(anAnswer()), () => response.destroy());
};

const redirect: RequestListener = (_, response) => {
  response.writeHead(307, { ...HEADERS, Location: '/elsewhere' }).end(JSON.stringify(anAnswer()));
};

const hangUp: RequestListener = (request) => void request.socket.destroy();
const silence: RequestListener = () => undefined;

describe('decide', () => {
  it('hands an allow on, with what the service was asked', async () => {
    const { decision, server } = await askOf([json(anAnswer({ valid_for: 5 }))]);
    expect(decision).toMatchObject({
      effect: 'allow',
      evaluationId: '4f.1',
      revision: 7,
      rules: [{ policy: 'own-files', version: 1, rule: 'employees' }],
    });
    expect(server.requests).toMatchObject([
      {
        path: '/mcp/v1/decisions',
        key: 'Bearer placet_test',
        body: { ...aRequest(), supported_obligations: [] },
      },
    ]);
    expect(server.requests[0]!.body).toEqual({ ...aRequest(), supported_obligations: [] });
  });

  it.each([{ definition: { name: 'read', inputSchema: { type: 'object' } } }, { digest: 'ab'.repeat(32) }])(
    'says which tool is called: %j',
    async (tool) => {
      const { server } = await askOf([json(anAnswer())], 2000, { ...aRequest(), tool });
      expect(server.requests[0]!.body).toEqual({ ...aRequest(), supported_obligations: [], tool });
    },
  );

  it('counts how long an allow holds from when it was asked for', async () => {
    const before = performance.now();
    const slow: RequestListener = (request, response) =>
      void setTimeout(() => json(anAnswer({ valid_for: 5 }))(request, response), 200);
    const { decision } = await askOf([slow]);
    if (decision.effect !== 'allow') throw new Error('expected an allow');
    expect(decision.validUntil).toBeGreaterThanOrEqual(before + 5000);
    expect(decision.validUntil).toBeLessThan(before + 5190);
  });

  it('hands on what must be agreed to', async () => {
    const requirement = {
      by: ['role:comms-lead'],
      approvals: 1,
      not_self: true,
      bind: 'all',
      show: ['to'],
      bound: 'ab',
    };
    const { decision } = await askOf([json(anAnswer({ effect: 'ask', ask: { requirements: [requirement] } }))]);
    expect(decision).toMatchObject({
      effect: 'ask',
      requirements: [{ by: ['role:comms-lead'], approvals: 1, notSelf: true, show: ['to'], bound: 'ab' }],
    });
  });

  it.each<[string, RequestListener, string]>([
    ['500', json({ code: 'internal', detail: 'x' }, 500, 'application/problem+json'), 'pdp_unavailable'],
    ['503 twice', UNAVAILABLE, 'pdp_unavailable'],
    ['502 of a proxy', json('<h1>Bad Gateway</h1>', 502, 'text/html'), 'pdp_unavailable'],
    ['401', json({ code: 'credentials_invalid', detail: 'the key' }, 401, 'application/problem+json'), 'pdp_refused'],
    ['400', json({ code: 'mapping_error', detail: 'no name' }, 400, 'application/problem+json'), 'pdp_refused'],
    ['404 of something else', json('not here', 404, 'text/plain'), 'pdp_answer_invalid'],
    ['201 with an allow', json(anAnswer(), 201), 'pdp_answer_invalid'],
    ['206 with an allow', json(anAnswer(), 206), 'pdp_answer_invalid'],
    ['400 with an allow', json(anAnswer(), 400), 'pdp_answer_invalid'],
    ['500 with an allow', json(anAnswer(), 500), 'pdp_unavailable'],
    ['a redirect', redirect, 'pdp_answer_invalid'],
    ['HTML', json('<!doctype html><title>Sign in</title>', 200, 'text/html'), 'pdp_answer_invalid'],
    ['HTML that says JSON', json('<!doctype html>', 200), 'pdp_answer_invalid'],
    ['an allow as text', json(anAnswer(), 200, 'text/plain'), 'pdp_answer_invalid'],
    ['an allow as a problem', json(anAnswer(), 200, 'application/problem+json'), 'pdp_answer_invalid'],
    ['an allow without a type', json(anAnswer(), 200, ''), 'pdp_answer_invalid'],
    ['nothing', json('', 200), 'pdp_answer_invalid'],
    ['JSON that is cut', json(JSON.stringify(anAnswer()).slice(0, -2)), 'pdp_answer_invalid'],
    [
      'bytes that are no UTF-8',
      (_, response) => {
        const [before, after] = JSON.stringify(anAnswer({ evaluation_id: '4f.|' })).split('|');
        response
          .writeHead(200, HEADERS)
          .end(Buffer.concat([Buffer.from(before!), Buffer.from([0xff]), Buffer.from(after!)]));
      },
      'pdp_answer_invalid',
    ],
    ['a list', json([anAnswer()]), 'pdp_answer_invalid'],
    ['null', json('null'), 'pdp_answer_invalid'],
    ['effect ALLOW', json(anAnswer({ effect: 'ALLOW' })), 'pdp_answer_invalid'],
    ['effect permit', json(anAnswer({ effect: 'permit' })), 'pdp_answer_invalid'],
    ['effect true', json(anAnswer({ effect: true })), 'pdp_answer_invalid'],
    ['effect in a list', json(anAnswer({ effect: ['allow'] })), 'pdp_answer_invalid'],
    ['no effect', json(anAnswer({ effect: undefined })), 'pdp_answer_invalid'],
    ['effect in a prototype', json(`{"__proto__": ${JSON.stringify(anAnswer())}}`), 'pdp_answer_invalid'],
    ['no evaluation_id', json(anAnswer({ evaluation_id: undefined })), 'pdp_answer_invalid'],
    ['an empty evaluation_id', json(anAnswer({ evaluation_id: '' })), 'pdp_answer_invalid'],
    ['no revision', json(anAnswer({ revision: undefined })), 'pdp_answer_invalid'],
    ['no reason', json(anAnswer({ reason: undefined })), 'pdp_answer_invalid'],
    ['no obligations', json(anAnswer({ obligations: undefined })), 'pdp_answer_invalid'],
    ['obligations in an object', json(anAnswer({ obligations: { type: 'log' } })), 'pdp_answer_invalid'],
    ['an obligation without a type', json(anAnswer({ obligations: [{}] })), 'pdp_answer_invalid'],
    ['no valid_for', json(anAnswer({ valid_for: undefined })), 'pdp_answer_invalid'],
    ['a negative valid_for', json(anAnswer({ valid_for: -1 })), 'pdp_answer_invalid'],
    [
      'a deny among the operations',
      json(anAnswer({ operations: [{ effect: 'allow' }, { effect: 'deny' }] })),
      'pdp_answer_invalid',
    ],
    ['an ask for nothing', json(anAnswer({ effect: 'ask' })), 'pdp_answer_invalid'],
    [
      'an unknown obligation',
      json(anAnswer({ obligations: [{ type: 'redact', fields: ['ssn'] }] })),
      'obligation_unsupported',
    ],
    [
      'an obligation named constructor',
      json(anAnswer({ obligations: [{ type: 'constructor' }] })),
      'obligation_unsupported',
    ],
    ['hanging up', hangUp, 'pdp_unavailable'],
    ['hanging up in the middle', cutOff, 'pdp_unavailable'],
  ])('denies on %s', async (_, answer, code) => {
    const { decision } = await askOf([answer]);
    expect(decision).toMatchObject({ effect: 'deny', reason: { code } });
  });

  it('takes no effect from a prototype that somebody has polluted', async () => {
    Object.defineProperty(Object.prototype, 'effect', { value: 'allow', configurable: true });
    try {
      const fetch = async () => new Response(JSON.stringify(anAnswer({ effect: undefined })), { headers: HEADERS });
      const decision = await createPlacetClient({ url: 'http://127.0.0.1:1', key: 'k', fetch }).decide(aRequest());
      expect(Object.getOwnPropertyDescriptor(decision, 'effect')).toMatchObject({ value: 'deny' });
    } finally {
      delete (Object.prototype as { effect?: unknown }).effect;
    }
  });

  it('does not follow a redirect with its key', async () => {
    const { server } = await askOf([redirect, json(anAnswer())]);
    expect(server.requests.map(({ path }) => path)).toEqual(['/mcp/v1/decisions']);
  });

  it('ignores members that it does not know', async () => {
    const { decision } = await askOf([json(anAnswer({ trace: { id: 1 }, operations: [{ effect: 'allow' }] }))]);
    expect(decision.effect).toBe('allow');
  });

  it('says what to mend when the service refuses the request', async () => {
    const refusal = json(
      { code: 'subject_not_assertable', detail: 'widen its right' },
      403,
      'application/problem+json',
    );
    const { decision } = await askOf([refusal]);
    expect(decision.reason.message).toContain('subject_not_assertable: widen its right');
  });

  it('denies where nobody listens', async () => {
    const server = await httpServer(silence);
    await server.close();
    const decision = await createPlacetClient({ url: server.url, key: 'k' }).decide(aRequest());
    expect(decision).toMatchObject({ effect: 'deny', reason: { code: 'pdp_unavailable' } });
    expect(decision.reason.message).toContain('ECONNREFUSED');
  });

  it('denies a request that is no JSON', async () => {
    const cyclic: Record<string, unknown> = {};
    cyclic.self = cyclic;
    const message = cyclic as ReturnType<typeof anAnswer>;
    const decision = await createPlacetClient({ url: 'http://127.0.0.1:1', key: 'k' }).decide(aRequest({ message }));
    expect(decision).toMatchObject({ effect: 'deny', reason: { code: 'pdp_refused' } });
  });
});

describe('the deadline', () => {
  it.each<[string, RequestListener]>([
    ['nothing comes', silence],
    ['the body drips', drip],
    ['the head comes and the body does not', (_, response) => response.writeHead(200, HEADERS).flushHeaders()],
  ])('holds while %s', async (_, answer) => {
    const began = performance.now();
    const { decision } = await askOf([answer], 300);
    expect(decision).toMatchObject({ effect: 'deny', reason: { code: 'pdp_unavailable' } });
    expect(performance.now() - began).toBeLessThan(1500);
  });

  it('holds for both tries together', async () => {
    const began = performance.now();
    const { decision } = await askOf([UNAVAILABLE, silence], 400);
    expect(decision.reason.message).toContain('400 ms');
    expect(performance.now() - began).toBeLessThan(1500);
  });

  it('holds against a fetch that takes no notice of its signal', async () => {
    const fetch = () => new Promise<Response>(() => undefined);
    const client = createPlacetClient({ url: 'http://127.0.0.1:1', key: 'k', deadlineMs: 100, fetch });
    expect(await client.decide(aRequest())).toMatchObject({ effect: 'deny', reason: { code: 'pdp_unavailable' } });
  });

  it('is not met by an answer that came in time and could only be read later', async () => {
    const fetch = async () => {
      const until = performance.now() + 150;
      while (performance.now() < until);
      return new Response(JSON.stringify(anAnswer()), { headers: HEADERS });
    };
    const client = createPlacetClient({ url: 'http://127.0.0.1:1', key: 'k', deadlineMs: 100, fetch });
    expect(await client.decide(aRequest())).toMatchObject({ effect: 'deny', reason: { code: 'pdp_unavailable' } });
  });
});

describe('asking twice', () => {
  const approved = aRequest({ approval: { id: 'cr_1' } });

  it.each<[string, readonly RequestListener[], string, number]>([
    ['after a 503', [UNAVAILABLE, json(anAnswer())], 'allow', 2],
    ['after a lost connection', [hangUp, json(anAnswer())], 'allow', 2],
    ['once only', [UNAVAILABLE, UNAVAILABLE, json(anAnswer())], 'deny', 2],
    ['not after a 500', [json({}, 500), json(anAnswer())], 'deny', 1],
    ['not after a 429', [json({}, 429), json(anAnswer())], 'deny', 1],
    ['not after an answer that is none', [json('<html>', 200, 'text/html'), json(anAnswer())], 'deny', 1],
    ['not after half an answer', [cutOff, json(anAnswer())], 'deny', 1],
  ])('%s', async (_, answers, effect, requests) => {
    const { decision, server } = await askOf(answers);
    expect(decision.effect).toBe(effect);
    expect(server.requests).toHaveLength(requests);
  });

  it.each<[string, RequestListener]>([
    ['a 503', UNAVAILABLE],
    ['a lost connection', hangUp],
  ])('never happens with an approval, not even after %s', async (_, failure) => {
    const { decision, server } = await askOf([failure, json(anAnswer())], 2000, approved);
    expect(decision.effect).toBe('deny');
    expect(server.requests).toHaveLength(1);
  });

  it('never happens with an approval by AuthZEN either', async () => {
    const server = await httpServer(
      UNAVAILABLE,
      json({ decision: true, context: { evaluation_id: '1', reason: 'x' } }),
    );
    open.push(server);
    const evaluation = await createPlacetClient({ url: server.url, key: 'k' }).evaluate({
      subject: { type: 'user', id: 'ann' },
      action: { name: 'read' },
      resource: { type: 'document', id: '1' },
      context: { approval: { id: 'ap_1' } },
    });
    expect(evaluation.decision).toBe(false);
    expect(server.requests).toHaveLength(1);
  });
});

describe('whatever a service answers with status 200', () => {
  const effect = fc.oneof(fc.constantFrom('allow', 'Allow', 'ask', 'deny', 'permit'), fc.jsonValue());
  const obligations = fc.oneof(
    fc.array(fc.record({ type: fc.constantFrom('log', 'redact', 'toString') }), { maxLength: 3 }),
    fc.jsonValue(),
  );
  const near = fc
    .record({
      effect,
      obligations,
      rest: fc.dictionary(fc.constantFrom('evaluation_id', 'valid_for', 'rules'), fc.jsonValue()),
    })
    .map(({ rest, ...members }) => ({ ...anAnswer(), ...members, ...rest }));
  const body = fc.oneof(near, fc.jsonValue());

  const answering = (value: unknown) => {
    const fetch = async () => new Response(JSON.stringify(value), { headers: HEADERS });
    return createPlacetClient({ url: 'http://127.0.0.1:1', key: 'k', fetch });
  };

  it('nothing passes but an exact allow of which every obligation was carried out', async () => {
    await fc.assert(
      fc.asyncProperty(body, fc.boolean(), async (value, hasHandler) => {
        const handled: string[] = [];
        const handlers = hasHandler ? { log: ({ type }: { readonly type: string }) => void handled.push(type) } : {};
        const decision = await answering(value).decide(aRequest(), handlers);
        if (decision.effect !== 'allow') return;
        const answer = value as { effect: unknown; obligations: { type: string }[]; evaluation_id: unknown };
        expect(answer.effect).toBe('allow');
        expect(answer.evaluation_id).toEqual(expect.stringMatching(/./s));
        expect(handled).toEqual(answer.obligations.map(({ type }) => type));
      }),
      { numRuns: 2000 },
    );
  });

  it('is not an allow by AuthZEN unless it says exactly true', async () => {
    const evaluation = fc.record({
      decision: fc.oneof(fc.boolean(), fc.jsonValue()),
      context: fc.oneof(
        fc.record({
          evaluation_id: fc.oneof(fc.constant('1'), fc.jsonValue()),
          reason: fc.constant('allowed'),
          obligations: fc.oneof(
            fc.constant([]),
            fc.constant([{ id: '1', type: 'custom', properties: { name: 'log' } }]),
            fc.jsonValue(),
          ),
        }),
        fc.jsonValue(),
      ),
    });
    await fc.assert(
      fc.asyncProperty(evaluation, async (value) => {
        const request = { subject: { type: 'user', id: 'a' }, action: { name: 'x' }, resource: { type: 'd', id: '1' } };
        const answer = await answering(value).evaluate(request);
        if (!answer.decision) return;
        expect(value).toMatchObject({ decision: true, context: { evaluation_id: expect.any(String) as string } });
        expect((value.context as { obligations: unknown }).obligations).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('evaluate', () => {
  const request = {
    subject: { type: 'user', id: 'ann' },
    action: { name: 'read' },
    resource: { type: 'document', id: '1' },
  };
  const context = { evaluation_id: '4f.2', revision: 7, reason: 'allowed', reason_user: { en: 'Allowed by policy.' } };
  const custom = { id: 'obligation-1', type: 'custom', properties: { name: 'log', level: 'metadata' } };

  it.each<[string, unknown, boolean, string]>([
    ['an allow', { decision: true, context }, true, 'allowed'],
    ['a deny', { decision: false, context: { ...context, reason: 'no_rule_allows' } }, false, 'no_rule_allows'],
    ['a text', { decision: 'true', context }, false, 'pdp_answer_invalid'],
    ['no context', { decision: true }, false, 'pdp_answer_invalid'],
    ['no evaluation_id', { decision: true, context: { reason: 'allowed' } }, false, 'pdp_answer_invalid'],
    [
      'an unknown obligation',
      {
        decision: true,
        context: { ...context, obligations: [{ id: '1', type: 'step-up', properties: { acr_value: '2' } }] },
      },
      false,
      'obligation_unsupported',
    ],
    [
      'obligations that are no list',
      { decision: true, context: { ...context, obligations: {} } },
      false,
      'pdp_answer_invalid',
    ],
  ])('reads %s', async (_, body, decision, code) => {
    const server = await httpServer(json(body));
    open.push(server);
    const evaluation = await createPlacetClient({ url: `${server.url}/`, key: 'k' }).evaluate(request);
    expect(evaluation).toMatchObject({ decision, reason: { code } });
    expect(server.requests).toMatchObject([{ path: '/access/v1/evaluation', body: request }]);
  });

  it('carries obligations of the profile out by our names', async () => {
    const server = await httpServer(json({ decision: true, context: { ...context, obligations: [custom] } }));
    open.push(server);
    const seen: unknown[] = [];
    const log = (obligation: unknown) => void seen.push(obligation);
    const evaluation = await createPlacetClient({ url: server.url, key: 'k' }).evaluate(request, { log });
    expect(evaluation.decision).toBe(true);
    expect(seen).toEqual([{ type: 'log', level: 'metadata' }]);
  });
});

describe('list', () => {
  const result = { tools: [{ name: 'a' }, { name: 'b' }] };
  const items = [
    { name: 'a', effect: 'allow', conditional: true },
    { name: 'b', effect: 'deny', conditional: false },
  ];
  const listing = { evaluation_id: '4f.3', revision: 7, items };

  it.each<[string, unknown, number]>([
    ['each entry', listing, 2],
    ['an entry too few', { ...listing, items: items.slice(1) }, 0],
    ['an entry too many', { ...listing, items: [...items, items[0]] }, 0],
    ['other names', { ...listing, items: items.toReversed() }, 0],
    ['an effect that is none', { ...listing, items: [items[0], { ...items[1], effect: 'show' }] }, 0],
    ['no evaluation_id', { ...listing, evaluation_id: undefined }, 0],
    ['something else', 'x', 0],
  ])('believes an answer about %s or shows nothing', async (_, body, expected) => {
    const server = await httpServer(json(body));
    open.push(server);
    const client = createPlacetClient({ url: server.url, key: 'k' });
    const { subject } = aRequest();
    const answer = await client.list({ subject, server: 's', method: 'tools/list', result });
    expect(answer.items).toHaveLength(expected);
    expect(server.requests).toMatchObject([{ path: '/mcp/v1/listings', body: { method: 'tools/list', result } }]);
  });
});

describe('what the host can carry out', () => {
  const handlers = { log: () => true, 'step-up': () => true, none: undefined as never, resolve_realpath: () => true };

  it('goes with every question, by the names of each API', async () => {
    const server = await httpServer(json({}));
    open.push(server);
    const client = createPlacetClient({ url: server.url, key: 'k' });
    const subject = { type: 'user', id: 'ann' };
    await client.decide(aRequest(), handlers);
    await client.list({ subject, server: 's', method: 'tools/list', result: { tools: [] } }, handlers);
    const resource = { type: 'document', id: '1' };
    const context = { a: 1, supported_obligations: ['redact'] };
    await client.evaluate({ subject, action: { name: 'read' }, resource, context }, handlers);
    await client.evaluate({ subject, action: { name: 'read' }, resource });
    const own = ['log', 'step-up', 'resolve_realpath'];
    expect(server.requests.map(({ body }) => body)).toMatchObject([
      { supported_obligations: own },
      { supported_obligations: own },
      { context: { a: 1, supported_obligations: ['custom:log', 'step-up', 'custom:resolve_realpath'] } },
      { context: { supported_obligations: [] } },
    ]);
  });
});

describe('asking people', () => {
  const task = {
    id: 'cr_1',
    status: 'pending',
    status_endpoint: 'https://placet.example.com/access/v1/requests/cr_1',
    expires_at: '2026-12-01T00:00:00.000Z',
    links: { review: 'https://placet.example.com/t/default/requests/cr_1' },
  };
  const elicitation = { mode: 'url', elicitationId: 'cr_1', url: task.links.review, message: 'Desk wants to do it' };
  const approval = { id: 'cr_1', approved_until: '2026-12-01T00:00:00.000Z' };
  const approved = { task: { ...task, status: 'approved' }, result: { mode: 'reevaluate', approval } };
  const refusal = json({ code: 'prompt_budget', detail: 'asked too often' }, 429, 'application/problem+json');

  const clientOf = async (...answers: readonly RequestListener[]) => {
    const server = await httpServer(...answers);
    open.push(server);
    return { server, client: createPlacetClient({ url: server.url, key: 'k', deadlineMs: 300 }) };
  };

  it('sends what was asked once more, without an approval', async () => {
    const { server, client } = await clientOf(json({ task, elicitation }, 201));
    const opened = await client.request(
      { ...aRequest(), approval: { id: 'cr_0' }, evaluationId: '4f.1' },
      { log: () => true },
    );
    expect(opened).toEqual({
      id: 'cr_1',
      status: 'pending',
      expiresAt: task.expires_at,
      reviewUrl: task.links.review,
      elicitation,
    });
    expect(server.requests).toMatchObject([
      {
        path: '/access/v1/requests',
        idempotencyKey: '4f.1',
        body: { denial: { evaluation_id: '4f.1' }, mcp: { ...aRequest(), supported_obligations: ['log'] } },
      },
    ]);
    expect(server.requests[0]!.body).not.toHaveProperty('mcp.approval');
    expect(server.requests[0]!.body).not.toHaveProperty('mcp.evaluationId');
  });

  it('is sent a second time under the same Idempotency-Key', async () => {
    const { server, client } = await clientOf(UNAVAILABLE, json({ task, elicitation }, 201));
    const opened = await client.request({ ...aRequest(), evaluationId: '4f.1', idempotencyKey: 'mine' });
    expect(opened).toMatchObject({ id: 'cr_1' });
    expect(server.requests.map(({ idempotencyKey }) => idempotencyKey)).toEqual(['mine', 'mine']);
  });

  it.each<[string, RequestListener, string]>([
    ['a refusal', refusal, 'pdp_refused'],
    ['200 in the place of 201', json({ task, elicitation }), 'pdp_answer_invalid'],
    ['nothing that says what is asked', json({ task }, 201), 'pdp_answer_invalid'],
    [
      'a page that is a script',
      json({ task: { ...task, links: { review: 'javascript:x' } }, elicitation }, 201),
      'pdp_answer_invalid',
    ],
    ['a state that is none', json({ task: { ...task, status: 'Approved' } }, 201), 'pdp_answer_invalid'],
    ['silence', silence, 'pdp_unavailable'],
  ])('fails with %s', async (_, answer, code) => {
    const { client } = await clientOf(answer);
    expect(await client.request({ ...aRequest(), evaluationId: '4f.1' })).toMatchObject({
      failure: { effect: 'deny', reason: { code } },
    });
  });

  it('says where it stands, and waits as long as it is told to and the deadline', async () => {
    const late: RequestListener = (request, response) => void setTimeout(() => json(approved)(request, response), 600);
    const { server, client } = await clientOf(late);
    expect(await client.status('cr_1')).toMatchObject({ failure: { reason: { code: 'pdp_unavailable' } } });
    expect(await client.status('cr_1', { wait: 1 })).toMatchObject({
      status: 'approved',
      approval: { id: 'cr_1', approvedUntil: approval.approved_until },
    });
    expect(server.requests).toMatchObject([
      { method: 'GET', path: '/access/v1/requests/cr_1?wait=0', body: undefined },
      { method: 'GET', path: '/access/v1/requests/cr_1?wait=1', body: undefined },
    ]);
  });

  it.each<[string, object]>([
    [
      'another request',
      { ...approved, task: { ...approved.task, id: 'cr_2' }, result: { approval: { ...approval, id: 'cr_2' } } },
    ],
    ['the approval of another request', { ...approved, result: { approval: { ...approval, id: 'cr_2' } } }],
    ['no approval', { task: approved.task }],
  ])('is not approved by an answer about %s', async (_, body) => {
    const { client } = await clientOf(json(body));
    expect(await client.status('cr_1')).toMatchObject({ failure: { reason: { code: 'pdp_answer_invalid' } } });
  });

  it('waits no longer than somebody wants to know', async () => {
    const { client } = await clientOf(silence);
    const began = performance.now();
    const signal = AbortSignal.timeout(50);
    expect(await client.status('cr_1', { wait: 30, signal })).toHaveProperty('failure');
    expect(await client.status('cr_1', { wait: 30, signal })).toHaveProperty('failure');
    expect(performance.now() - began).toBeLessThan(1000);
  });

  it('can be taken back', async () => {
    const { server, client } = await clientOf(json({ task: { ...task, status: 'cancelled' } }));
    expect(await client.cancel('cr_1')).toMatchObject({ status: 'cancelled' });
    expect(server.requests).toMatchObject([
      { method: 'POST', path: '/access/v1/requests/cr_1/cancel', body: undefined },
    ]);
  });
});

describe('an approval that was named', () => {
  it('goes with the question, and is told about where it did not help', async () => {
    const said = { id: 'cr_1', state: 'used', used_by: '4f.0', next_action: 'request', reason: 'consent_used' };
    const ask = { requirements: [], access_request: {} };
    const { decision, server } = await askOf([json(anAnswer({ effect: 'ask', ask, approval: said }))], 2000, {
      ...aRequest(),
      approval: { id: 'cr_1' },
    });
    expect(server.requests[0]!.body).toMatchObject({ approval: { id: 'cr_1' } });
    expect(decision).toMatchObject({
      effect: 'ask',
      requestable: true,
      approval: { state: 'used', reason: 'consent_used', nextAction: 'request' },
    });
  });

  it('is no reason to ask people where nothing that they agree to could count', async () => {
    const { decision } = await askOf([json(anAnswer({ effect: 'ask', ask: { requirements: [] } }))]);
    expect(decision).toMatchObject({ effect: 'ask', requestable: false });
  });
});

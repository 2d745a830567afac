import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestService, type Answer, type TestService } from '../support/service.js';

let service: TestService;

beforeAll(async () => {
  service = await startTestService({ quickstart: false });
});
afterAll(() => service.close());

/** A policy for one tool, or for many, with rules for one person each. */
const policy = (name: string, resource: string, rules: number) => ({
  path: `${name}.json`,
  text: JSON.stringify({
    kind: 'Policy',
    name,
    target: { servers: ['crm'], actions: ['tools/call'], resources: [resource] },
    rules: Array.from({ length: rules }, (_, at) => ({ name: `r${at}`, effect: 'allow', to: [`user:u${at}`] })),
  }),
});

const send = (way: 'apply' | 'validate', ...files: object[]): Promise<Answer> =>
  service.call('POST', `/api/v1/documents/${way}`, { body: { files } });

it('a change after which more than 2,000 rules would concern a request is refused, and told where', async () => {
  expect(await send('apply', policy('a', 'query', 1000), policy('b', 'query', 1000))).toMatchObject({ status: 200 });
  const refused = {
    status: 422,
    body: {
      code: 'documents_invalid',
      errors: [
        {
          code: 'too_many_candidates',
          document: { kind: 'Policy', name: 'c' },
          file: 'c.json',
          line: 1,
          message: expect.stringContaining(
            "2001 rules would concern the action 'tools/call' on 'query' of the server 'crm', and at most 2000 may",
          ) as string,
        },
      ],
    },
  };
  expect(await send('validate', policy('c', 'q*', 1))).toMatchObject(refused);
  expect(await send('apply', policy('c', 'q*', 1))).toMatchObject(refused);
  expect(await service.call('GET', '/api/v1/documents/Policy/c')).toMatchObject({ status: 404 });
  expect(await send('apply', policy('c', 'other*', 1))).toMatchObject({ status: 200 });
  // What is given up in the same change does not count any more.
  expect(await send('apply', policy('c', 'q*', 1), policy('b', 'query', 999))).toMatchObject({ status: 200 });
});

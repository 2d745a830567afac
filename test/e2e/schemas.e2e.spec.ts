import { afterAll, beforeAll, expect, it } from 'vitest';
import { KINDS } from '#policy';
import { startTestService, type TestService } from '../support/service.js';

let service: TestService;
beforeAll(async () => {
  service = await startTestService({ quickstart: false });
});
afterAll(() => service.close());

it('editors get the schema of documents without a key', async () => {
  const { status, headers, body } = await service.call('GET', '/schemas/document.json', { key: null });
  expect([status, headers.get('content-type')]).toEqual([200, 'application/schema+json; charset=utf-8']);
  const schema = (typeof body === 'string' ? JSON.parse(body) : body) as { $defs: object; properties: object };
  expect(Object.keys(schema.$defs)).toEqual(KINDS.filter((kind) => kind !== 'Suspension'));
  expect((await service.call('GET', '/schemas/other.json', { key: null })).status).toBe(404);
});

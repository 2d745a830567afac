import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestService, type TestService } from '../support/service.js';

let service: TestService;

beforeAll(async () => {
  service = await startTestService({ quickstart: false });
});
afterAll(() => service.close());

const token = (cursor: unknown): string => Buffer.from(JSON.stringify(cursor)).toString('base64url');

it.each([
  ['GET', '/api/v1/documents/Role/a%00b'],
  ['GET', '/api/v1/documents/Role/a/versions/99999999999'],
  ['GET', `/api/v1/documents/Role/a/versions?page_token=${token(99_999_999_999)}`],
])('%s %s is told to be wrong, and never reaches the database', async (method, path) => {
  expect(await service.call(method, path)).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
});

it('a draft with a NUL in its description is told to be wrong', async () => {
  const answer = await service.call('PUT', '/api/v1/drafts/d', { body: { files: [], description: 'a\0b' } });
  expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
});

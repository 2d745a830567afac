import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { dialectOf, knowsNotification, knowsRequest, type Direction } from './dialects.js';

type Methods = Record<Direction, { requests: string[]; notifications: string[] }>;

/** Who may send what, by the schemas of the two protocol versions and the extension io.modelcontextprotocol/tasks. */
const METHODS = JSON.parse(readFileSync(new URL('golden/methods.json', import.meta.url), 'utf8')) as Record<
  '2025-11-25' | '2026-07-28',
  Methods
>;

const BY_DIALECT = { session: METHODS['2025-11-25'], stateless: METHODS['2026-07-28'] } as const;
const DIALECTS = ['session', 'stateless'] as const;
const DIRECTIONS = ['client_to_server', 'server_to_client'] as const;

const everyMethod = [
  ...new Set(
    DIALECTS.flatMap((dialect) =>
      DIRECTIONS.flatMap((direction) => {
        const { requests, notifications } = BY_DIALECT[dialect][direction];
        return [...requests, ...notifications];
      }),
    ),
  ),
];

describe('dialectOf', () => {
  it.each([
    [undefined, 'any'],
    ['2024-11-05', 'session'],
    ['2025-11-25', 'session'],
    ['2026-07-27', 'session'],
    ['2026-07-28', 'stateless'],
    ['2031-01-01', 'stateless'],
    ['', undefined],
    ['latest', undefined],
    ['2026-7-28', undefined],
    ['2026-07-28\n', undefined],
    ['x2025-11-25', undefined],
    ['2025-11-25x', undefined],
    ['DRAFT-2026-v1', undefined],
  ])('%j is %s', (version, dialect) => {
    expect(dialectOf(version)).toBe(dialect);
  });
});

describe.each(DIALECTS)('the %s dialect', (dialect) => {
  describe.each(DIRECTIONS)('%s', (direction) => {
    const { requests, notifications } = BY_DIALECT[dialect][direction];

    it.each(everyMethod)('knows %s as what the schema says, and as nothing else', (method) => {
      expect(knowsRequest(dialect, direction, method)).toBe(requests.includes(method));
      expect(knowsNotification(dialect, direction, method)).toBe(notifications.includes(method));
    });
  });
});

describe('where the version is not known', () => {
  it.each(everyMethod)('%s is known where one of the dialects knows it', (method) => {
    for (const direction of DIRECTIONS) {
      for (const knows of [knowsRequest, knowsNotification]) {
        expect(knows('any', direction, method)).toBe(DIALECTS.some((dialect) => knows(dialect, direction, method)));
      }
    }
  });
});

it.each([
  '',
  'tools',
  'tools/',
  'tools/call ',
  'Tools/Call',
  'tools/call:result',
  'constructor',
  '__proto__',
  'toString',
])('nobody knows the method %j', (method) => {
  for (const dialect of [...DIALECTS, 'any'] as const) {
    for (const direction of DIRECTIONS) {
      expect(knowsRequest(dialect, direction, method)).toBe(false);
      expect(knowsNotification(dialect, direction, method)).toBe(false);
    }
  }
});

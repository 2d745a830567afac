import { describe, expect, it } from 'vitest';
import type { Json } from '../model.js';
import { claimAt } from './pointer.js';

/** The examples of RFC 6901 §5, but for the whole of the document. */
const DOCUMENT: Json = {
  foo: ['bar', 'baz'],
  '': 0,
  'a/b': 1,
  'c%d': 2,
  'e^f': 3,
  'g|h': 4,
  'i\\j': 5,
  'k"l': 6,
  ' ': 7,
  'm~n': 8,
  '~1': 9,
};

describe('claimAt', () => {
  it.each<[string, Json | undefined]>([
    ['/foo', ['bar', 'baz']],
    ['/foo/0', 'bar'],
    ['/foo/1', 'baz'],
    ['/foo/01', undefined],
    ['/foo/2', undefined],
    ['/foo/-', undefined],
    ['/foo/length', undefined],
    ['/', 0],
    ['/a~1b', 1],
    ['/c%d', 2],
    ['/e^f', 3],
    ['/g|h', 4],
    ['/i\\j', 5],
    ['/k"l', 6],
    ['/ ', 7],
    ['/m~0n', 8],
    ['/~01', 9],
    ['/foo/0/0', undefined],
    ['/constructor', undefined],
    ['/__proto__', undefined],
  ])('%s is %j', (pointer, value) => {
    expect(claimAt(DOCUMENT, pointer)).toEqual(value);
  });
});

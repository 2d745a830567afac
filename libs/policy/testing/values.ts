import fc from 'fast-check';

/** Among the texts, so that they can be equal. */
export const UUIDS = ['6f1c1f1e-0000-4000-8000-000000000001', 'ffffffff-ffff-4fff-bfff-ffffffffffff'];

/** Texts that are near each other, and that something in between could take for something else. */
const TEXTS = [
  '',
  'a',
  'A',
  'ab',
  'b',
  'ä',
  'a\u0308',
  'ann',
  'bob',
  'emea',
  'apac',
  '%',
  '_',
  'a%b',
  'a_b',
  'a\\b',
  '\\',
  "'",
  "o'k",
  '"',
  '$1',
  '*',
  'a*b',
  'ab\n',
  'a\nb',
  ' ',
  'a ',
  '\uffff',
  '\ue000',
  '😀',
  '😀b',
  'x😀',
  'null',
  '1',
  'true',
  'ß',
  'ss',
  'İ',
  'i',
  ...UUIDS,
];
/** One of those texts, or one made of what is special in patterns. */
export const text = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...TEXTS) },
  {
    weight: 1,
    arbitrary: fc.string({ unit: fc.constantFrom('a', 'b', '%', '_', '\\', '😀', '\uffff', "'"), maxLength: 4 }),
  },
);
const SAFE = Number.MAX_SAFE_INTEGER;
/** Numbers at the edges of what doubles and ints can hold. */
export const number = fc.constantFrom<number>(
  0,
  1,
  2,
  3,
  -1,
  0.1,
  0.5,
  2.5,
  -2.5,
  1e21,
  1e308,
  -1e308,
  5e-324,
  SAFE,
  -SAFE,
  SAFE + 1,
  1e-7,
  0.30000000000000004,
);

import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { findings, placeOf, PLAIN_WORDS, shown } from './wording.js';

const told = (schema: z.ZodType, value: unknown): string[] => {
  const parsed = schema.safeParse(value, PLAIN_WORDS);
  return parsed.success ? [] : findings(parsed.error, value).map(({ path, message }) => `${placeOf(path)}: ${message}`);
};

const subject = z.strictObject({ type: z.string().min(1), id: z.string() });
const choice = z.strictObject({ of: z.union([subject, z.strictObject({ token: z.string() })], 'write {type, id}') });
const plainChoice = z.union([z.string(), z.array(z.string()), z.array(z.int())]);

describe('what a schema finds wrong', () => {
  it.each<[string, z.ZodType, unknown, string[]]>([
    ['a text', z.string(), 7, [': must be a text']],
    ['a number', z.number(), 'x', [': must be a number']],
    ['a whole number', z.int(), 1.5, [': must be a whole number']],
    ['a whole number that is none', z.coerce.number().int(), 'x', [': must be a number']],
    ['true or false', z.boolean(), 'yes', [': must be true or false']],
    ['a list', z.array(z.string()), {}, [': must be a list']],
    ['an object', subject, [], [': must be an object']],
    ['null for an object', subject, null, [': must be an object']],
    ['a map', z.record(z.string(), z.string()), 7, [': must be an object']],
    ['one of several', z.enum(['allow', 'deny', 'ask']), 'maybe', [': is one of allow, deny, ask']],
    ['just one', z.literal('all'), 'some', [': must be all']],
    ['an empty text', z.string().min(1), '', [': must not be empty']],
    ['a text too short', z.string().min(2), 'x', [': has at least 2 characters']],
    ['a text too long', z.string().max(1), 'xx', [': has at most 1 character']],
    ['too few', z.array(z.int()).min(1), [], [': has at least 1 entry']],
    ['too many', z.array(z.int()).max(2), [1, 2, 3], [': has at most 2 entries']],
    ['too little', z.int().min(0), -1, [': must be at least 0']],
    ['too much', z.number().max(500), 501, [': must be at most 500']],
    ['a time', z.iso.datetime(), 'now', [': a time is written as in 2026-12-31T23:59:59Z']],
    ['a form', z.string().regex(/^x$/), 'y', [': is not written as it must be']],
    ['words of the schema', z.string('write it so'), 7, [': write it so']],
    ['nothing at all', subject, undefined, [': there is nothing here']],
    ['members that are missing', subject, {}, ["type: 'type' is missing", "id: 'id' is missing"]],
    [
      'members that nobody knows',
      subject,
      { type: 'a', id: 'b', x: 1, y: 2 },
      ["x: there is no member 'x' here", "y: there is no member 'y' here"],
    ],
    ['a name in a map', z.record(z.string().regex(/^a$/, 'write a'), z.int()), { b: 1 }, ['b: write a']],
    ['a choice, not taken', choice, {}, ["of: 'of' is missing: write {type, id}"]],
    ['a choice, of another type', choice, { of: 'ann' }, ['of: write {type, id}']],
    ['a choice, half taken', choice, { of: { id: 'ann' } }, ["of.type: 'type' is missing"]],
    [
      'a choice with a word too many',
      choice,
      { of: { type: 'user', id: 'ann', x: 1 } },
      ["of.x: there is no member 'x' here"],
    ],
    [
      'the other choice, by what there is of it',
      choice,
      { of: { token: 7, x: 1 } },
      ['of.token: must be a text', "of.x: there is no member 'x' here"],
    ],
    ['the other choice', choice, { of: { token: 7 } }, ['of.token: must be a text']],
    ['a choice of types', plainChoice, 7, [': must be a text, or must be a list']],
    ['a choice of lists', plainChoice, ['a', 'b', 3], ['2: must be a text']],
  ])('%s', (_what, schema, value, expected) => {
    expect(told(schema, value)).toEqual(expected);
  });
});

describe('a piece of what was sent', () => {
  it.each([
    ['plain', 'plain'],
    ['größe 芝麻', 'größe 芝麻'],
    ['a\nb\u001b[2J', 'a\\u{a}b\\u{1b}[2J'],
    ['\u202eevil\u2028', '\\u{202e}evil\\u{2028}'],
    [`${'x'.repeat(39)}😀y`, `${'x'.repeat(39)}\\u{d83d}…`],
    ['x'.repeat(1000), `${'x'.repeat(40)}…`],
  ])('%j is shown as %s', (text, piece) => {
    expect(shown(text)).toBe(piece);
  });
});

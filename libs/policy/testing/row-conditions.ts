import fc from 'fast-check';
import type { Json } from '../model.js';
import { number, text } from './values.js';

const quoted = (value: Json): string => JSON.stringify(value);
const numeral = (value: number): string =>
  Number.isSafeInteger(value) || /[.e]/.test(String(value)) ? String(value) : `${value}.0`;

const TEXT_FIELDS = [
  'resource.properties.region',
  'resource.properties.owner',
  'resource.properties["ref"]',
  'resource.id',
];
const NUMBER_FIELDS = ['resource.properties.level', 'resource.properties.most', 'resource.properties.score'];
const BOOLEAN_FIELDS = ['resource.properties.public', 'resource.properties["we ird\\""]'];
const NAMES = ['region', 'owner', 'level', 'score', 'public', 'tags', 'gone', 'ref'];

const textTerm: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...TEXT_FIELDS) },
  { weight: 3, arbitrary: text.map(quoted) },
  {
    weight: 2,
    arbitrary: fc.constantFrom('subject.id', 'subject.properties.region', 'arguments.owner', 'arguments.n'),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'resource.properties.gone',
      'subject.properties.missing',
      'arguments.owner',
      'arguments.n',
      'resource.properties[subject.properties.field]',
      'resource.properties.tags',
      'resource.type',
    ),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom('region', 'owner', 'gone'), text)
      .map(([name, other]) => `resource.properties.?${name}.orValue(${quoted(other)})`),
  },
);
const numberTerm: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...NUMBER_FIELDS) },
  { weight: 4, arbitrary: number.map(numeral) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'subject.properties.level',
      'arguments.n',
      '1 + 1',
      '2.0',
      '-0.0',
      'resource.properties.?level.orValue(2)',
    ),
  },
);
const anyTerm = fc.oneof(
  { weight: 4, arbitrary: textTerm },
  { weight: 4, arbitrary: numberTerm },
  { weight: 1, arbitrary: fc.constantFrom(...BOOLEAN_FIELDS, 'true', 'null', 'now') },
);
const relation = fc.constantFrom('==', '!=', '<', '<=', '>', '>=');

const simple: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(textTerm, relation, textTerm).map((parts) => parts.join(' ')) },
  { weight: 4, arbitrary: fc.tuple(numberTerm, relation, numberTerm).map((parts) => parts.join(' ')) },
  { weight: 1, arbitrary: fc.tuple(anyTerm, relation, anyTerm).map((parts) => parts.join(' ')) },
  { weight: 2, arbitrary: fc.constantFrom(...BOOLEAN_FIELDS, 'true', 'false') },
  { weight: 2, arbitrary: fc.constantFrom(...NAMES).map((name) => `has(resource.properties.${name})`) },
  { weight: 1, arbitrary: fc.constantFrom(...NAMES).map((name) => `${quoted(name)} in resource.properties`) },
  { weight: 1, arbitrary: fc.constantFrom(...NAMES).map((name) => `resource.properties.?${name}.hasValue()`) },
  { weight: 2, arbitrary: fc.tuple(anyTerm, fc.constantFrom('==', '!=')).map(([term, op]) => `${term} ${op} null`) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(
        textTerm,
        fc.constantFrom('startsWith', 'endsWith', 'contains'),
        textTerm.filter((term) => term.startsWith('"') || term === 'subject.id'),
      )
      .map(([term, name, other]) => `${term}.${name}(${other})`),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(textTerm, fc.constantFrom('startsWith', 'endsWith'), textTerm)
      .map(([term, name, other]) => `${term}.${name}(${other})`),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(
        anyTerm,
        fc.array(fc.oneof({ weight: 3, arbitrary: text.map(quoted) }, { weight: 1, arbitrary: number.map(numeral) }), {
          maxLength: 3,
        }),
      )
      .map(([term, list]) => `${term} in [${list.join(', ')}]`),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(anyTerm, fc.array(number.map(numeral), { maxLength: 3 }))
      .map(([term, list]) => `${term} in [${list.join(', ')}]`),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(textTerm, fc.array(textTerm, { minLength: 1, maxLength: 3 }))
      .map(([term, list]) => `${term} in [${list.join(', ')}]`),
  },
  { weight: 1, arbitrary: textTerm.map((term) => `${term} in subject.properties.regions`) },
  { weight: 1, arbitrary: textTerm.map((term) => `${term} in subject.groups`) },
  { weight: 3, arbitrary: textTerm.map((term) => `${term} in resource.properties.tags`) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom('all', 'exists'), relation, textTerm)
      .map(([name, op, term]) => `subject.properties.regions.${name}(x, x ${op} ${term})`),
  },
);

/** Conditions over rows, most of them such that a filter can say them. */
export const rowCondition: fc.Arbitrary<string> = fc.letrec<{ any: string }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'condition' },
    { weight: 3, arbitrary: simple },
    { weight: 1, arbitrary: tie('any').map((one) => `!(${one})`) },
    { weight: 1, arbitrary: fc.tuple(tie('any'), tie('any')).map(([one, other]) => `(${one}) && (${other})`) },
    { weight: 1, arbitrary: fc.tuple(tie('any'), tie('any')).map(([one, other]) => `(${one}) || (${other})`) },
    {
      weight: 1,
      arbitrary: fc.tuple(tie('any'), tie('any'), tie('any')).map(([one, yes, no]) => `(${one}) ? (${yes}) : (${no})`),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(tie('any'), fc.constantFrom('==', '!='), tie('any'))
        .map(([one, op, other]) => `(${one}) ${op} (${other})`),
    },
  ),
})).any;

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { EXAMPLES } from '../testing/index.js';
import { documentJsonSchema } from './json-schema.js';
import { parseDocuments } from './parse.js';

const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
const validate = ajv.compile(documentJsonSchema());

function problems(document: unknown): string[] {
  validate(document);
  return (validate.errors ?? [])
    .filter(({ keyword }) => keyword !== 'if')
    .map(({ instancePath, keyword, params }) => `${instancePath} ${keyword} ${JSON.stringify(params)}`);
}

const FILES = readdirSync('examples', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.yaml'));

describe('the JSON Schema of documents', () => {
  it.each(EXAMPLES)('takes the example of a $kind', (example) => {
    expect(problems(example)).toEqual([]);
  });

  it.each(FILES)('takes the documents of examples/%s', (name) => {
    const text = readFileSync(join('examples', name), 'utf8');
    const documents = parseAllDocuments(text).map((document) => document.toJS() as unknown);
    expect(documents.length).toBeGreaterThan(0);
    expect(documents.flatMap(problems)).toEqual([]);
  });

  it.each<[unknown, string]>([
    [{ kind: 'Role' }, ' required {"missingProperty":"name"}'],
    [{ kind: 'Role', name: 'a', inherit: [] }, ' additionalProperties {"additionalProperty":"inherit"}'],
    [{ kind: 'Role', name: 'a b' }, '/name pattern'],
    [{ kind: 'Binding', name: 'a', subjects: [], roles: ['r'] }, '/subjects minItems'],
    [{ kind: 'Tenant', name: 'a', defaults: { effect: 'allow' } }, '/defaults/effect enum'],
    [
      {
        kind: 'Policy',
        name: 'p',
        target: { actions: ['a'], resources: ['*'] },
        rules: [{ name: 'r', effect: 'permit', to: ['any'] }],
      },
      '/rules/0/effect enum',
    ],
    [{ kind: 'Roll', name: 'a' }, '/kind enum'],
    [{ kind: 'Suspension', of: 'Server', name: 'files' }, '/kind enum'],
    [{ name: 'a' }, ' required {"missingProperty":"kind"}'],
    [[], ' type'],
  ])('refuses %j', (document, problem) => {
    expect(problems(document)).toEqual([expect.stringContaining(problem)]);
  });

  it('refuses nothing that is taken when it is saved, and needs no member that may be left out', () => {
    const least = [
      'kind: Subject\nid: ann',
      'kind: Server\nname: s',
      'kind: Host\nname: h',
      'kind: Tenant\nname: default\ndefaults: { effect: deny }',
      'kind: Scope\nhost: h',
      'kind: Resource\ntype: note\nid: a',
    ];
    for (const text of least) {
      expect(parseDocuments({ text }).problems).toEqual([]);
      expect(parseAllDocuments(text).flatMap((document) => problems(document.toJS()))).toEqual([]);
    }
  });
});

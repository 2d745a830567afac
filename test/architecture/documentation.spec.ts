import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SETTING_NAMES } from '#config';
import { REASON_TEXT } from '#decision';
import { PROBLEM_CODES } from '#http';
import { DESTRUCTIVE_OPERATIONS, KINDS, LINT_CODES, STEPS } from '#policy';
import { MENDS } from '../../apps/server/src/sign-in/test/steps.js';

const read = (path: string): string => readFileSync(path, 'utf8');

function markdown(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    if (['node_modules', 'dist', '.git', '.placet'].includes(entry.name)) return [];
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return markdown(path);
    return entry.name.endsWith('.md') ? [path] : [];
  });
}

/** How the headings of a page are linked to. */
const anchors = (path: string): string[] =>
  [
    ...read(path)
      .replaceAll(/^```.*?^```/gms, '')
      .matchAll(/^#+ (.*)$/gm),
  ].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\-_ ]/gu, '')
      .replaceAll(' ', '-'),
  );

describe('the documentation', () => {
  it.each(SETTING_NAMES)('explains the setting %s', (name) => {
    expect(read('docs/configuration.md')).toContain(`\`${name}\``);
  });

  it.each(PROBLEM_CODES)('explains the error %s', (code) => {
    expect(read('docs/errors.md')).toContain(`\`${code}\``);
  });

  it.each(Object.keys(REASON_TEXT))('explains the reason %s', (reason) => {
    expect(read('docs/semantics.md')).toContain(`\`${reason}\``);
  });

  it.each(STEPS)('explains the step %s', (step) => {
    expect(read('docs/explain.md')).toContain(`\`${step}\``);
  });

  it.each(Object.keys(MENDS))('explains the step %s of a test of a sign-in', (step) => {
    expect(read('docs/identity.md').split('## When a sign-in fails')[1]).toContain(`\`${step}\``);
  });

  it.each(KINDS)('explains documents of kind %s', (kind) => {
    expect(read('docs/policy.md')).toContain(`\`${kind}\``);
  });

  it.each([...LINT_CODES, ...DESTRUCTIVE_OPERATIONS])('explains %s, which lint knows', (word) => {
    expect(read('docs/policy.md').split('## Lint')[1]).toContain(`\`${word}\``);
  });

  it.each(markdown('.'))('links from %s to files and headings that are there', (path) => {
    for (const [, target = '', heading] of read(path).matchAll(/\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)/g)) {
      const file = target === '' ? path : join(dirname(path), target);
      expect(existsSync(file), `${path} links to ${target}`).toBe(true);
      if (heading !== undefined) expect(anchors(file), `${path} links to ${target}#${heading}`).toContain(heading);
    }
  });

  it('names every script of package.json in README or CONTRIBUTING', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const text = read('README.md') + read('CONTRIBUTING.md');
    for (const script of Object.keys(scripts)) expect(text).toMatch(new RegExp(`npm (run )?${script}\\b`));
  });
});

describe('the lock file', () => {
  it('names no registry', () => {
    expect(read('package-lock.json')).not.toMatch(/"resolved"/);
  });
});

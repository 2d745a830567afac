import { Api } from '../api.js';
import type { Commands } from '../command.js';
import { apply, validate } from '../commands/apply.js';
import { get } from '../commands/documents.js';
import { approveDraft, deleteDraft, listDrafts, publish, saveDraft, showDraft } from '../commands/drafts.js';
import { lint } from '../commands/lint.js';
import { diff, history, rollback } from '../commands/revisions.js';
import { resume, suspend } from '../commands/suspensions.js';
import { test } from '../commands/test.js';

/** Documents, drafts and what has become of them; suspensions. */
export const DOCUMENT_COMMANDS: Commands = {
  apply: {
    takes: ['DIR'],
    options: ['prune', 'dry-run', 'message'],
    run: ([directory], { prune, 'dry-run': dryRun, message }, output) =>
      apply(new Api(), output, directory!, { prune, dryRun, message }),
  },
  validate: { takes: ['DIR'], options: [], run: ([directory], _, output) => validate(new Api(), output, directory!) },
  lint: { takes: ['DIR'], options: [], run: ([directory], _, output) => lint(output, directory!) },
  test: {
    takes: ['DIR|FILE...'],
    many: true,
    options: ['json'],
    run: (paths, { json }, output) => test(output, paths, json),
  },
  get: {
    takes: ['KIND', 'NAME'],
    needs: 0,
    options: ['json'],
    run: ([kind, name], { json }, output) => get(new Api(), output, kind, name, json),
  },
  'draft save': {
    takes: ['NAME', 'DIR'],
    needs: 1,
    options: ['prune', 'delete', 'description', 'base', 'rollback-to'],
    run: ([name, directory], { prune, delete: deletions, description, base, 'rollback-to': rollbackTo }, output) =>
      saveDraft(new Api(), output, name!, directory, { prune, deletions, description, base, rollbackTo }),
  },
  'draft show': {
    takes: ['NAME'],
    options: [],
    run: async ([name], _, output) => void (await showDraft(new Api(), output, name!)),
  },
  'draft approve': {
    takes: ['NAME'],
    options: ['version'],
    run: ([name], { version }, output) => approveDraft(new Api(), output, name!, version),
  },
  'draft list': { takes: [], options: [], run: (_, __, output) => listDrafts(new Api(), output) },
  'draft delete': { takes: ['NAME'], options: [], run: ([name], _, output) => deleteDraft(new Api(), output, name!) },
  publish: {
    takes: ['NAME'],
    options: ['message', 'version'],
    run: ([name], { message, version }, output) => publish(new Api(), output, name!, message, version),
  },
  history: { takes: [], options: ['all'], run: (_, { all }, output) => history(new Api(), output, all) },
  diff: {
    takes: ['FROM', 'TO'],
    needs: 0,
    options: [],
    run: ([from, to], _, output) => diff(new Api(), output, from, to),
  },
  rollback: {
    takes: ['REVISION'],
    options: ['message'],
    run: ([revision], { message }, output) => rollback(new Api(), output, revision!, message),
  },
  suspend: {
    takes: ['OF', 'NAME'],
    options: ['reason'],
    run: ([of, name], { reason }, output) => suspend(new Api(), output, of!, name!, reason),
  },
  resume: { takes: ['OF', 'NAME'], options: [], run: ([of, name], _, output) => resume(new Api(), output, of!, name!) },
};

import { Api } from '../api.js';
import type { Commands } from '../command.js';
import { reviewAccess } from '../commands/access-review.js';
import { whatCan, whoCan } from '../commands/access.js';
import { decide, decisionRequest } from '../commands/decide.js';

/** What is decided, and who can do what. */
export const DECISION_COMMANDS: Commands = {
  decide: {
    takes: [],
    options: ['subject', 'server', 'tool', 'arguments', 'file', 'explain'],
    run: (_, { subject, server, tool, arguments: given, file, explain }, output) => {
      const request = decisionRequest({ subject, server, tool, arguments: given, file });
      return decide(new Api(), output, request, explain);
    },
  },
  'who-can': {
    takes: [],
    options: ['server', 'tool', 'resource', 'action', 'arguments', 'host', 'json'],
    run: (_, { server, tool, resource, action, arguments: given, host, json }, output) =>
      whoCan(new Api(), output, { server, tool, resource, action, arguments: given, host }, json),
  },
  'what-can': {
    takes: [],
    options: ['subject', 'host', 'server', 'json'],
    run: (_, { subject, host, server, json }, output) => whatCan(new Api(), output, { subject, host, server }, json),
  },
  'access review': {
    takes: ['FILE'],
    options: ['json'],
    run: ([file], { json }, output) => reviewAccess(new Api(), output, file!, json),
  },
};

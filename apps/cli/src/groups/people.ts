import { Api } from '../api.js';
import type { Commands } from '../command.js';
import { listConsents, revokeConsents } from '../commands/consents.js';
import { testIssuer } from '../commands/idp-test.js';
import { printIssuerOf } from '../commands/idp.js';
import { login, logout } from '../commands/login.js';
import { tryMapping } from '../commands/mappings.js';
import { listPeople, listSessions, signOut } from '../commands/people.js';
import { verifyReceipt } from '../commands/receipts.js';
import { UsageError } from '../usage.js';

/** People: how they sign in, who has, and what they have agreed to. */
export const PEOPLE_COMMANDS: Commands = {
  'people list': { takes: [], options: [], run: (_, __, output) => listPeople(new Api(), output) },
  'people sessions': {
    takes: ['PERSON'],
    options: [],
    run: ([person], _, output) => listSessions(new Api(), output, person!),
  },
  'people sign-out': {
    takes: ['PERSON'],
    options: [],
    run: ([person], _, output) => signOut(new Api(), output, person!),
  },
  'consent list': {
    takes: [],
    options: ['subject', 'agent', 'server', 'live'],
    run: (_, { subject, agent, server, live }, output) =>
      listConsents(new Api(), output, { subject, agent, server }, live),
  },
  'consent revoke': {
    takes: ['ID'],
    needs: 0,
    options: ['subject', 'agent', 'server', 'reason'],
    run: ([id], { subject, agent, server, reason }, output) =>
      revokeConsents(new Api(), output, id, { subject, agent, server }, reason),
  },
  'receipt verify': {
    takes: ['FILE'],
    options: ['keys'],
    run: ([file], { keys }, output) => {
      if (keys === undefined) throw new UsageError("'receipt verify' needs --keys FILE or --keys URL");
      return verifyReceipt(output, file!, keys);
    },
  },
  'mapping try': {
    takes: [],
    options: ['token-file', 'claims', 'issuer', 'json'],
    run: (_, { 'token-file': tokenFile, claims, issuer, json }, output) =>
      tryMapping(new Api(), output, { tokenFile, claims, issuer }, json),
  },
  'idp metadata': {
    takes: ['FILE|URL'],
    options: ['name', 'entity', 'certificate'],
    run: ([source], { name, entity, certificate }, output) => {
      if (name === undefined) throw new UsageError("'idp metadata' needs --name NAME, of the Issuer that is to be");
      return printIssuerOf(output, source!, { name, entity, certificates: certificate });
    },
  },
  'idp test': {
    takes: ['ISSUER'],
    options: ['sign-in', 'no-browser', 'wait', 'json'],
    run: ([issuer], { 'sign-in': signIn, 'no-browser': noBrowser, wait, json }, output) =>
      testIssuer(new Api(), output, issuer!, { signIn, browser: !noBrowser, wait, json }),
  },
  login: {
    takes: [],
    options: ['tenant', 'no-browser'],
    run: (_, { tenant, 'no-browser': noBrowser }, output) => login(output, tenant, !noBrowser),
  },
  logout: { takes: [], options: [], run: (_, __, output) => logout(output) },
};

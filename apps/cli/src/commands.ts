import type { Commands } from './command.js';
import { CREDENTIAL_COMMANDS } from './groups/credentials.js';
import { DECISION_COMMANDS } from './groups/decisions.js';
import { DOCUMENT_COMMANDS } from './groups/documents.js';
import { PEOPLE_COMMANDS } from './groups/people.js';
import { TENANT_COMMANDS } from './groups/tenants.js';

/** Every command by its name, of one word or two. */
export const COMMANDS: Commands = {
  ...DOCUMENT_COMMANDS,
  ...PEOPLE_COMMANDS,
  ...CREDENTIAL_COMMANDS,
  ...DECISION_COMMANDS,
  ...TENANT_COMMANDS,
};

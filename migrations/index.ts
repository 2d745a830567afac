import { Tenants0001 } from './0001-tenants.js';
import { Documents0002 } from './0002-documents.js';
import { Credentials0003 } from './0003-credentials.js';
import { Ledger0004 } from './0004-ledger.js';
import { Publishing0005 } from './0005-publishing.js';
import { UntestedChanges0006 } from './0006-untested-changes.js';
import { CredentialsOfSeveralKinds0007 } from './0007-credentials-of-several-kinds.js';
import { People0008 } from './0008-people.js';
import { OAuth0009 } from './0009-oauth.js';
import { ChangesInParts0010 } from './0010-changes-in-parts.js';
import { TenantsOnDemand0011 } from './0011-tenants-on-demand.js';
import { RolesOfKeys0013 } from './0013-roles-of-keys.js';
import { FurtherOwnerKeys0014 } from './0014-further-owner-keys.js';
import { BoundedState0015 } from './0015-bounded-state.js';
import { ReadsInOneCall0016 } from './0016-reads-in-one-call.js';
import { Consents0020 } from './0020-consents.js';
import { OwnConsents0022 } from './0022-own-consents.js';
import { Notifications0023 } from './0023-notifications.js';
import { EndedForGood0024 } from './0024-ended-for-good.js';
import { LiveConsents0026 } from './0026-live-consents.js';
import { KeptPlans0027 } from './0027-kept-plans.js';
import { AnswersTakenBack0028 } from './0028-answers-taken-back.js';
import { Directories0031 } from './0031-directories.js';
import { Guardrails0034 } from './0034-guardrails.js';
import { Provisioning0036 } from './0036-provisioning.js';
import { SignInTests0037 } from './0037-sign-in-tests.js';
import { OvertakenReadings0038 } from './0038-overtaken-readings.js';
import { ProvisioningPlannedOn0039 } from './0039-provisioning-planned-on.js';
import { FourEyes0040 } from './0040-four-eyes.js';
import { OvertakenSignIns0041 } from './0041-overtaken-sign-ins.js';
import { KeysOfPeople0042 } from './0042-keys-of-people.js';

/** Every migration, in the order in which they run. Listed and not globbed: what runs is what was reviewed. */
export const migrations = [
  Tenants0001,
  Documents0002,
  Credentials0003,
  Ledger0004,
  Publishing0005,
  UntestedChanges0006,
  CredentialsOfSeveralKinds0007,
  People0008,
  OAuth0009,
  ChangesInParts0010,
  TenantsOnDemand0011,
  RolesOfKeys0013,
  FurtherOwnerKeys0014,
  BoundedState0015,
  ReadsInOneCall0016,
  Consents0020,
  OwnConsents0022,
  Notifications0023,
  EndedForGood0024,
  LiveConsents0026,
  KeptPlans0027,
  AnswersTakenBack0028,
  Directories0031,
  Guardrails0034,
  Provisioning0036,
  SignInTests0037,
  OvertakenReadings0038,
  ProvisioningPlannedOn0039,
  FourEyes0040,
  OvertakenSignIns0041,
  KeysOfPeople0042,
];

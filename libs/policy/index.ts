export type { Effect, Json, JsonObject, Obligation, ReasonCode } from './model.js';
export { canonicalJson, digest, isJsonObject, layer, own } from './json.js';
export { losesPrecision } from './documents/numbers.js';
export {
  AUTHORED_KINDS,
  documentName,
  KINDS,
  SUSPENDABLE,
  type AdministratorRoleDocument,
  type AnyDocument,
  type ConsentBlock,
  type IssuerDocument,
  type Kind,
  type PolicyDocument,
  type SuspensionDocument,
} from './documents/schema.js';
export type { LdapSignIn } from './documents/ldap-schema.js';
export {
  ADMINISTRATION_ACTIONS,
  ADMINISTRATION_OBJECTS,
  BUILT_IN_ADMINISTRATION,
  isBuiltInAdministration,
  type AdministrationAction,
  type AdministrationObject,
  type BuiltInAdministration,
} from './documents/administration.js';
export {
  duplicateNames,
  parseDocuments,
  parseValues,
  type DocumentProblem,
  type Source,
  type SourceDocument,
} from './documents/parse.js';
export { hasFourEyes, wantsFourEyes } from './documents/four-eyes.js';
export { CONSENT_BUDGETS } from './documents/tenant-members.js';
export { documentJsonSchema } from './documents/json-schema.js';
export { documentText } from './documents/text.js';
export { findings, placeOf, PLAIN_WORDS, type Finding } from './documents/wording.js';
export { isSubjectType, NAME, parsePrincipal, subjectKey } from './documents/names.js';
export { DocumentSet, type DocumentChange, type StoredDocument } from './documents/set.js';
export { checkChange } from './documents/check.js';
export { DESTRUCTIVE_OPERATIONS, lint, LINT_CODES, type LintFinding } from './lint/index.js';
export { keyOfIssuer, keyOfIssuerText, touchedKeys, type TouchKey } from './documents/touches.js';
export { crowds, MAX_CANDIDATES, type Crowd } from './compile/crowd.js';
export { PolicySet } from './compile/policy-set.js';
export type { ServerReference } from './compile/registry.js';
export type { ProvisionedRow } from './compile/provisioned.js';
export { BY_TOOL, MCP_RESOURCE_TYPES, THE_SERVER, type DecisionInput } from './decide/request.js';
export {
  groupsClaim,
  groupsOfPerson,
  identityClaim,
  identityOf,
  mapClaims,
  unmetRequirement,
  type Mapped,
  type MappedRole,
  type TokenGroups,
} from './mapping/index.js';
export { compileGlob } from './paths/glob.js';
export { OBLIGATIONS } from './decide/obligations.js';
export { knownResources, knownSubjects, namedActions, type Candidate } from './search/candidates.js';
export { accessOf, withinBoundaries, type AccessRule } from './search/access.js';
export { furtherRules, type FurtherRule } from './search/further.js';
export { knownThings, subjectsOfRules, type Thing } from './search/things.js';
export type { Reach } from './search/reach.js';
export { decide, decideListing, type Decision } from './decide/decide.js';
export { combine, type Outcomes } from './decide/combine.js';
export type { Consent, Requirement } from './decide/requirements.js';
export {
  choicesOf,
  entitlementOf,
  mayStandIn,
  namesOf,
  ONCE_MS,
  personAt,
  reachOf,
  standingConsents,
  weighAgreements,
  type Agreed,
  type Concerned,
  type ConsentChoice,
  type Entitlement,
  type KnownPerson,
  type SignedInPerson,
  type StoredConsent,
} from './consent/index.js';
export {
  describeAnswer,
  describeExpected,
  forkForTests,
  hasTests,
  runTests,
  testSteps,
  type Coverage,
  type TestFailure,
  type TestReport,
} from './tests/index.js';
export { explain } from './explain/explain.js';
export { stepOf, STEPS, type Explanation, type Step } from './explain/explanation.js';
export { filterOf, type Filter } from './residual/filter.js';
export { COMPARISONS, TEXT_TESTS, type Formula } from './residual/formula.js';
export type { NoFilter } from './residual/weighing.js';
export { COLUMN_TYPES, SQL_NAME, type Columns } from './residual/columns.js';

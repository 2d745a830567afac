export { agreeing, compare } from './agreement.js';
export {
  call,
  callArguments,
  consentBlock,
  documents,
  NOW,
  policyNamed,
  scopeNamed,
  suspension,
  verified,
} from './arbitraries.js';
export { EXAMPLES } from './examples.js';
export { assertedRow, COLUMNS, filterDocuments, filterQuestion, rowId, tableRow, type TableRow } from './filters.js';
export { referenceDecide } from './reference.js';
export { referenceFilter } from './reference-filter.js';

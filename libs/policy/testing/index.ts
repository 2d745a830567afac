export { agreeing, compare } from './agreement.js';
export { consentBlock, documents, guardrailNamed, NOW, policyNamed, scopeNamed, suspension } from './arbitraries.js';
export { call, callArguments, verified } from './calls.js';
export { EXAMPLES } from './examples.js';
export { filterDocuments, filterQuestion } from './filters.js';
export { referenceDecide } from './reference.js';
export { referenceFilter } from './reference-filter.js';
export { assertedRow, COLUMNS, rowId, tableRow, type TableRow } from './rows.js';

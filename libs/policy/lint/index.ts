export { LINT_CODES, type LintFinding } from './finding.js';
export { lint } from './lint.js';
export { DESTRUCTIVE_OPERATIONS } from './grants.js';

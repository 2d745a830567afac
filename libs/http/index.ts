export { AbuseLimits, DEFAULT_ATTEMPT_LIMITS, type AttemptClass, type AttemptLimits } from './abuse-limits.js';
export { BODY_LIMIT, checkContentType, readBody } from './body.js';
export { parseJson } from './json-door.js';
export { PROBLEM_CODES, Refusal, tenantSuspended, toProblem, type Problem, type ProblemCode } from './problem.js';
export { requestIdOf, traceOf } from './request-id.js';

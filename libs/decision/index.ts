export { AccessQuestions } from './access.js';
export type { AccessRow } from './access-rows.js';
export { actionsOn } from './actions.js';
export { cutsOff, Decisions, type Answer, type DecisionMetrics } from './decisions.js';
export type { Call, Question, Semantic } from './question.js';
export { explainRecord, type RecordedExplanation } from './recorded.js';
export { REASON_TEXT } from './reasons.js';
export { pace } from './pages.js';
export { MAX_PAGE, type Search } from './search.js';

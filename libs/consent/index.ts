export { ConsentAnswers, type AnswerableRequest, type Answering } from './answers.js';
export { askedOf, contentOf, type AskedRequirement, type RequestContent } from './content.js';
export type { AnsweredEvent, ConsentEvents } from './events.js';
export { isRequestId } from './ids.js';
export type { OperationOf } from './exemption.js';
export { suggestionsOf, type Suggestion } from './suggestions.js';
export { ConsentRequests, type Asking, type RequestStanding } from './requests.js';
export { digestOfShown, shownOf, type Shown } from './shown.js';

export { type AnswerableRequest } from './answerable.js';
export { ConsentAnswers, type Answering } from './answers.js';
export { askedOf, contentOf, type AskedRequirement, type RequestContent } from './content.js';
export { isRequestId } from './ids.js';
export { ConsentLinks, linkRefused, type LinkTo, type UsableLink } from './links.js';
export { ConsentRequests, type Asking, type RequestStanding } from './requests.js';
export { digestOfShown, shownOf, type Shown } from './shown.js';
export type { ShownValue } from './shown-values.js';

export { ConsentAnswers, type AnswerableRequest, type Answering } from './answers.js';
export { askedOf, contentOf, type AskedRequirement, type RequestContent } from './content.js';
export { Delegations } from './delegations.js';
export { isRequestId, newReceiptId } from './ids.js';
export { Consents } from './own.js';
export { faultOfReceipt, RECEIPT_TYPE, receiptOf } from './receipt.js';
export { ConsentSettlement } from './settlement.js';
export { ConsentRequests, type Asking, type RequestStanding } from './requests.js';
export { digestOfShown, shownOf, type Shown } from './shown.js';

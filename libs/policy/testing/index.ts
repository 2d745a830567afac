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
} from './arbitraries.js';
export { EXAMPLES } from './examples.js';

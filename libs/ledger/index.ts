export {
  DecisionLedger,
  type CommitPort,
  type LedgerMetrics,
  type Proposal,
  type Proposed,
  type Refresh,
} from './decision-ledger.js';
export type { LedgerErrorCode } from './errors.js';
export { placeOfEvaluation, recordContent, subjectDigest } from './record.js';

export { compareChargeLines } from './compare-charge-lines.ts'
export { compareLink, compareMethods, compareStranger } from './compare-customers.ts'
export { compareInvoice } from './compare-invoices.ts'
export { compareCreditNote, compareRefund, compareStuckMoneyBack } from './compare-money-back.ts'
export {
  catalogDifference,
  compareCheckout,
  compareCommand,
  compareSnapshot,
  counterDifference,
  deadWebhook,
} from './compare-own.ts'
export { compareCount, compareSubscription } from './compare-subscriptions.ts'
export type { Difference, FindingRecord, PhaseProgress, RunRecord } from './finding.ts'
export { settle } from './settle.ts'
export {
  addSuspects,
  countSuspects,
  findFinding,
  findingFigures,
  findRun,
  findRunUnderWay,
  forgetWorkings,
  insertRun,
  leaveRun,
  listFindings,
  listRuns,
  lockFinding,
  lockStandingFindings,
  markSeen,
  nextSuspects,
  removeSuspects,
  runsToContinue,
  type SeenKind,
  type Suspect,
  saveCounts,
  saveFinding,
  saveRun,
  stopRun,
  suspectOpenFindings,
  takeRun,
  unseen,
} from './store.ts'

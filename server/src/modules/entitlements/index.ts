export { approvalNeeded, policyBreach } from './approval.ts'
export type { Carried, LeftOver } from './carry-over.ts'
export { compareSnapshots } from './compare.ts'
export { counterNow, countingWindow, levelNow } from './counter-now.ts'
export { counterfactual } from './counterfactual.ts'
export { type Counting, countingOf, type Metered } from './counting.ts'
export { decide, decideMetered, meterState, thresholdsCrossed } from './decide.ts'
export {
  addCheckDecisions,
  type CheckDecision,
  findCheckDecision,
  forgetCheckDecisions,
  listCheckDecisions,
} from './decisions/store.ts'
export { effectiveFromOf } from './effective-from.ts'
export { explain } from './explain.ts'
export { carriedIn, inWindow } from './in-window.ts'
export { counterName, createLiveCustomers, type LiveCustomer, type LiveCustomers } from './live.ts'
export { type DecisionFacts, entitlementOf, replay } from './replay.ts'
export {
  type OverrideInForce,
  overridesAt,
  type ResolvedEntitlement,
  resolve,
  type SnapshotContent,
  type SpendCap,
  type StageInForce,
  usagePeriodOf,
} from './resolve.ts'
export {
  addCheckRefusals,
  findOverrideById,
  findOverrides,
  findSnapshots,
  insertOverride,
  insertSnapshot,
  lateRequests,
  listOverrides,
  newestSnapshot,
  newestSnapshots,
  type OverrideRecord,
  type StoredSnapshot,
  saveDecision,
  snapshotAt,
  waitingRequests,
  windowsInForce,
  withdrawOverride,
} from './store.ts'
export { type LiveWindow, rememberWindow, usagePeriodInForce, windowAt } from './window.ts'

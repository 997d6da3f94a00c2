export { compareSnapshots } from './compare.ts'
export { decide, decideMetered, meterState, thresholdsCrossed } from './decide.ts'
export { explain } from './explain.ts'
export { counterName, createLiveCustomers, type LiveCustomer, type LiveCustomers } from './live.ts'
export { type ResolvedEntitlement, resolve, type SnapshotContent } from './resolve.ts'
export {
  addCheckRefusals,
  findOverrideById,
  findOverrides,
  insertOverride,
  insertSnapshot,
  newestSnapshot,
  newestSnapshots,
  type OverrideRecord,
  type StoredSnapshot,
  snapshotAt,
  tenantsWithLapsedSnapshot,
  withdrawOverride,
} from './store.ts'
export { windowAt } from './window.ts'

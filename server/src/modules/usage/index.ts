export { findCounterDifferences, rebuildCounter } from './compare/store.ts'
export {
  type BatchItem,
  type CounterState,
  decideBatch,
  type LimitRule,
  type RecordDecision,
} from './decide-batch.ts'
export { hourAt } from './hour.ts'
export { lifetime } from './lifetime.ts'
export { isLevel, meterRules } from './meter-rules.ts'
export { isProblem, type PreparedRecord, prepareRecord } from './record.ts'
export {
  type CounterRef,
  type CounterRow,
  countRefusals,
  currentCounters,
  findEarlier,
  insertRecords,
  insertRefusals,
  lockCounters,
  type NewRecord,
  type NewRefusal,
  nameOf,
  readCounter,
  takeUnannounced,
  tenantsRefused,
  tenantsToAnnounce,
} from './store.ts'

export { type BatchItem, type CounterState, decideBatch, type LimitRule, type RecordDecision } from './decide-batch.ts'
export { lifetime } from './lifetime.ts'
export { isProblem, type PreparedRecord, prepareRecord } from './record.ts'
export {
  type CounterRef,
  type CounterRow,
  countRefusals,
  currentCounters,
  findCounterDifferences,
  findEarlier,
  insertRecords,
  insertRefusals,
  lockCounters,
  type NewRecord,
  type NewRefusal,
  readCounter,
  rebuildCounter,
  takeUnannounced,
  tenantsRefused,
  tenantsToAnnounce,
} from './store.ts'

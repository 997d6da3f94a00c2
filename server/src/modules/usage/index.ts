export {
  type ArchiveRow,
  archivedUntil,
  archiveRecords,
  listArchives,
  readArchive,
  type UsageWindow,
  windowsToArchive,
} from './archive/store.ts'
export { findCounterDifferences, rebuildCounter } from './compare/store.ts'
export {
  type BatchItem,
  type CapRule,
  type CounterState,
  decideBatch,
  type RecordDecision,
  type Target,
} from './decide-batch.ts'
export {
  type CorrectionRefusal,
  decideCorrection,
} from './decide-correction.ts'
export {
  type DecisionFilter,
  type DecisionPlace,
  findReservedDecision,
  findUsageDecision,
  listReservedDecisions,
  listUsageDecisions,
  type ReservedDecision,
  type UsageDecision,
  usedAsOf,
} from './decisions/store.ts'
export { anomalySince, findAnomalies, type Joined, joinHours, stepsBetween } from './draw-history.ts'
export {
  dropOldHours,
  firstHour,
  type Hour,
  lastHourBefore,
  readGroupedHours,
  readHours,
  readPaces,
} from './history/store.ts'
export { hourAt } from './hour.ts'
export { lifetime } from './lifetime.ts'
export {
  type EffectiveRecord,
  measureRecords,
  readCorrected,
  readPeriodCounters,
  readRecords,
  readUsedHours,
  type Stretch,
} from './measure/store.ts'
export { type Effect, isLevel, type MeterRules, meterRules } from './meter-rules.ts'
export { paceHours, paceOf, projectUsage } from './project-usage.ts'
export { isProblem, type PreparedRecord, prepareRecord, prepareReport } from './record.ts'
export {
  type CorrectedCounter,
  findCorrections,
  findLineage,
  insertCorrection,
  isKeyTaken,
  type KeptCorrection,
  type KeptRecord,
  listRecords,
  lockCountersOf,
} from './records/store.ts'
export { createRemembered, type Remembered } from './remembered.ts'
export {
  addReserved,
  findReservation,
  findReservationByKey,
  type ItemDecision,
  insertReservation,
  listReservations,
  lockReservation,
  lockReserved,
  type ReservationRecord,
  reservationsToExpire,
  roomOf,
  settleReservation,
} from './reservations/store.ts'
export { hourNumber, peakAt, type Sliding, setHour } from './sliding.ts'
export {
  type CounterRef,
  type CounterRow,
  countRefusals,
  currentCounters,
  findEarlier,
  findSeen,
  hasMoves,
  hourCounters,
  insertRecords,
  insertRefusals,
  insertSeen,
  lockCounters,
  type NewRecord,
  type NewRefusal,
  nameOf,
  type RaisedCounter,
  readCounter,
  readPeriods,
  readWindows,
  takeMoves,
  tenantsRefused,
} from './store.ts'

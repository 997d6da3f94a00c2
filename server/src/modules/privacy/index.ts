export { nextRetentionStep, type RetentionRecord, reminderDays } from './retention.ts'
export {
  countDownload,
  type ExportRecord,
  findExport,
  findRetention,
  insertExport,
  listExports,
  retentionsToFollow,
  saveRetention,
} from './store.ts'

export { openSpool, type Report, type Spool, type SpoolEvent, type SpoolOptions } from './spool.ts'
export type { Consumption, DeadEntry, SpoolEntry } from './store.ts'

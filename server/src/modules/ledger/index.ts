export { creditBreach, creditNeedsSecondPerson } from './approval.ts'
export { type Burns, burnChanges, burnPosting, type PeriodBurn } from './burn.ts'
export {
  expiryPosting,
  type GrantBalance,
  type GrantRecord,
  grantPosting,
  hasEnded,
  refundableOf,
  refundPosting,
  stateOfGrant,
  voidPosting,
} from './grant.ts'
export type { Posting } from './posting.ts'
export {
  accountBalances,
  burntByPeriods,
  countMovements,
  type EntryRow,
  findGrantById,
  findGrants,
  grantsToExpire,
  grantsToTell,
  grantsWithBalance,
  insertGrant,
  lateGrantRequests,
  listEntries,
  listGrants,
  markToldExpiring,
  post,
  saveGrant,
  takenByRefunds,
  unbalancedTenants,
  waitingGrants,
} from './store.ts'
export { shareOfRefund, takeBackPosting } from './take-back.ts'

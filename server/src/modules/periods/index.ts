export { followPeriods } from './follow-periods.ts'
export { beginWith, type Left, leave } from './leave.ts'
export { type Billed, creditLines, linesOf, restLines } from './lines-of.ts'
export { ratingInput, ratingOf, type Subject } from './rating-of.ts'
export { splitBack } from './split-back.ts'
export {
  billedOnInvoice,
  findBilled,
  findCreditedLines,
  findFailures,
  findLeftBefore,
  findLines,
  findLinesOf,
  findOpenPeriods,
  findPeriodStarts,
  findPeriods,
  findPeriodsToRate,
  findPlacedLines,
  findPlacing,
  findTerms,
  insertLines,
  insertPeriods,
  insertPlacings,
  insertTerms,
  isCloseDue,
  isWaiting,
  joinPlacings,
  leaveCreditNote,
  leavePlacing,
  markCredited,
  markLinesPlaced,
  markPlaced,
  movePeriod,
  type NewLine,
  type RatedPeriod,
  ratedUntil,
  readCloseFigures,
  removePeriod,
  savePlacing,
  saveRated,
  sumWaiting,
  takeDuePlacings,
  tenantsToClose,
  unsettledSince,
} from './store.ts'
export { areNewTerms, termsIn } from './terms-in.ts'
export type { ChargeLine, Placing, UsagePeriod } from './usage-period.ts'
export { wordsOf } from './words-of.ts'

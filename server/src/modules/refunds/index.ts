export { boundsOf } from './bounds.ts'
export { creditableBy } from './creditable-by.ts'
export { decideMoneyBack, type MoneyBackWish } from './decide.ts'
export { followCreditNote, followRefund, moneyBackDifferences, moneyBackNews } from './follow-fact.ts'
export { isOver, type MoneyBackRecord } from './money-back.ts'
export {
  findMoneyBack,
  findMoneyBackByProviderIds,
  findMoneyBackOfFact,
  findMoneyBackOfInvoice,
  findStuckMoneyBack,
  findWaitingMoneyBack,
  isAboveWhatIsThere,
  lateMoneyBackRequests,
  listMoneyBack,
  refundedOfPayments,
  saveMoneyBack,
  touchMoneyBack,
} from './store.ts'
export { termsOf } from './terms.ts'

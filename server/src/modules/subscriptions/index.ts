export { changedFields } from './compare.ts'
export { lastEnd, readOnlyUntil } from './ended.ts'
export {
  countWithoutSubscription,
  findSubscriptionById,
  findSubscriptions,
  findSubscriptionsByProviderIds,
  groupLiveSubscriptions,
  saveSubscription,
} from './store.ts'
export { accessLevelOf, isTerminal, leadingSubscription, type SubscriptionRecord } from './subscription.ts'
export {
  commandAllowed,
  type SubscriptionCommand,
  transitionOf,
} from './transition.ts'

export { changedFields } from './compare.ts'
export { countLiveByPlanVersion, findSubscriptionById, findSubscriptions, saveSubscription } from './store.ts'
export { accessLevelOf, isTerminal, leadingSubscription, type SubscriptionRecord } from './subscription.ts'

export { changedFields } from './compare.ts'
export { effectiveTimeOf } from './effective-time.ts'
export { lastEnd, readOnlyUntil } from './ended.ts'
export { reminderOf } from './reminders.ts'
export {
  countWithoutSubscription,
  findSubscriptionById,
  findSubscriptions,
  findSubscriptionsByProviderIds,
  groupLiveSubscriptions,
  saveReminder,
  saveSubscription,
  tenantsToRemind,
} from './store.ts'
export { accessLevelOf, isTerminal, leadingSubscription, type SubscriptionRecord } from './subscription.ts'
export {
  commandAllowed,
  type SubscriptionCommand,
  transitionOf,
} from './transition.ts'

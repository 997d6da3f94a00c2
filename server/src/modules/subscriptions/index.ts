export { changedFields } from './compare.ts'
export { effectiveTimeOf } from './effective-time.ts'
export { lastEnd, readOnlyUntil } from './ended.ts'
export { reminderOf } from './reminders.ts'
export { renewsAt } from './renews-at.ts'
export {
  countLiveSubscriptions,
  countWithoutSubscription,
  findSubscriptionById,
  findSubscriptions,
  findSubscriptionsByProviderIds,
  findSubscriptionsOf,
  groupLiveSubscriptions,
  pageLiveSubscriptions,
  saveReminder,
  saveSubscription,
  tenantsToRemind,
} from './store.ts'
export { accessLevelOf, isTerminal, leadingSubscription, type SubscriptionRecord } from './subscription.ts'
export {
  commandAllowed,
  reportedStates,
  type StatusBefore,
  type SubscriptionCommand,
  statusesBefore,
  subscriptionCommands,
  transitionOf,
} from './transition.ts'

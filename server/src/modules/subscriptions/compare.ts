import { canonicalJson } from '../../core/canonical.ts'
import type { SubscriptionRecord } from './subscription.ts'

const compared = [
  'plan',
  'planVersion',
  'price',
  'currency',
  'interval',
  'seats',
  'addOns',
  'status',
  'period',
  'anchor',
  'trialEndsAt',
  'endsAt',
  'endedAt',
  'pendingChange',
  'standing',
] as const

/** The names of what differs between two states of a subscription; empty when a fact brings nothing new. */
export const changedFields = (before: SubscriptionRecord, after: SubscriptionRecord): string[] =>
  compared.filter((field) => canonicalJson(before[field]) !== canonicalJson(after[field]))

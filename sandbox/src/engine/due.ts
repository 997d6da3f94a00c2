import type {
  CheckoutSession,
  Invoice,
  PaymentIntent,
  Refund,
  Stored,
  Subscription,
  SubscriptionSchedule,
} from '../objects/types.ts'

export const day = 86_400
export const incompleteLifetime = 23 * 3600
export const trialNotice = 3 * day
export const upcomingNotice = 7 * day
const scheduleNotice = 7 * day

/** When the engine must look at an object again. Schedules change prices before the renewal of the same second bills them. */
export function dueOf(object: Stored): { due: number | null; rank: number } {
  switch (object.object) {
    case 'subscription_schedule':
      return { due: scheduleDue(object as SubscriptionSchedule), rank: 0 }
    case 'subscription':
      return { due: subscriptionDue(object as Subscription), rank: 1 }
    case 'invoice':
      return { due: invoiceDue(object as Invoice), rank: 2 }
    case 'checkout.session':
      return { due: object.status === 'open' ? (object as CheckoutSession).expires_at : null, rank: 3 }
    case 'payment_intent':
      return { due: object.status === 'processing' ? ((object as PaymentIntent)._.settlesAt ?? null) : null, rank: 4 }
    case 'refund':
      return { due: (object as Refund)._?.settlesAt ?? null, rank: 5 }
    default:
      return { due: null, rank: 9 }
  }
}

function scheduleDue(schedule: SubscriptionSchedule): number | null {
  if (schedule.status === 'not_started') return schedule.phases[0]!.start_date
  if (schedule.status !== 'active' || !schedule.current_phase) return null
  const end = schedule.phases.at(-1)!.end_date
  const notice = end - scheduleNotice
  // Short schedules end without a notice: it would come the moment they begin.
  const gives =
    schedule._?.expiringNoticeFor !== end &&
    notice > schedule.current_phase.start_date &&
    notice < schedule.current_phase.end_date
  return gives ? notice : schedule.current_phase.end_date
}

function subscriptionDue(subscription: Subscription): number | null {
  const { status, trial_end: trialEnd, pause_collection: pause, cancel_at: cancelAt, _: own } = subscription
  if (status === 'canceled' || status === 'incomplete_expired') return null
  if (status === 'incomplete') return subscription.created + incompleteLifetime
  const times: number[] = []
  if (own.resumption) times.push(own.resumption.expiresAt)
  if (cancelAt !== null) times.push(cancelAt)
  if (status !== 'paused') {
    times.push(own.nextPeriodEnd)
    if (status === 'trialing' && trialEnd !== null && own.trialNoticeFor !== trialEnd)
      times.push(trialEnd - trialNotice)
    if (noticesRenewal(subscription)) times.push(own.nextPeriodEnd - upcomingNotice)
  }
  if (pause?.resumes_at) times.push(pause.resumes_at)
  if (subscription.pending_update) times.push(subscription.pending_update.expires_at)
  return times.length === 0 ? null : Math.min(...times)
}

export function noticesRenewal(subscription: Subscription): boolean {
  const own = subscription._
  return (
    subscription.status === 'active' &&
    subscription.collection_method === 'charge_automatically' &&
    own.upcomingNoticeFor !== own.nextPeriodEnd &&
    !subscription.cancel_at_period_end &&
    subscription.cancel_at === null
  )
}

function invoiceDue(invoice: Invoice): number | null {
  if (invoice.status === 'draft') return invoice.auto_advance ? invoice.automatically_finalizes_at : null
  return invoice.status === 'open' ? invoice.next_payment_attempt : null
}

import type { BillingStatus, MeterUsage, NextAction } from '@turnpike/contract'
import { formatDay, formatInstant } from '../format/dates.ts'
import type { Tone } from '../format/words.ts'
import { accessSentences } from '../format/words.ts'

export type Attention = {
  id: string
  tone: Tone
  title: string
  text: string
  /** The next actions of the server that this one stands for. */
  says: NextAction['action'][]
  action?: { label: string; does: 'portal' | 'plans' | 'usage' | 'address' | 'return'; address?: string }
}

const threeDays = 3 * 86_400_000

/** What the customer should know first, the most severe first. The page shows one as a banner and the others below it. */
export function attentionOf(status: BillingStatus, meters: MeterUsage[], now: number): Attention[] {
  return [
    ...paymentProblem(status),
    ...restriction(status),
    ...waiting(status),
    ...reachedLimits(meters),
    ...trialEnding(status, now),
    ...ending(status),
    ...openCheckout(status),
  ]
}

function paymentProblem({ paymentProblem, accessLevel }: BillingStatus): Attention[] {
  if (!paymentProblem) return []
  const since = formatDay(paymentProblem.since)
  const invoice = paymentProblem.invoiceUrl
  const consequence = accessSentences[accessLevel] ?? ''
  if (paymentProblem.kind === 'action_required') {
    return [
      {
        id: 'action_required',
        says: ['pay_invoice'],
        tone: 'danger',
        title: 'Your bank asks you to confirm a payment',
        text: `The payment of ${since} waits for your confirmation. ${consequence}`,
        action: invoice
          ? { label: 'Confirm payment', does: 'address', address: invoice }
          : { label: 'Open payment details', does: 'portal' },
      },
    ]
  }
  return [
    {
      id: 'payment_failed',
      says: ['update_payment_method'],
      tone: 'danger',
      title: 'A payment did not go through',
      text: `It was tried on ${since}. ${consequence}`,
      action: { label: 'Update payment method', does: 'portal' },
    },
  ]
}

function restriction({ accessLevel, status, paymentProblem }: BillingStatus): Attention[] {
  if (paymentProblem || accessLevel === 'full' || status === 'no_subscription') return []
  const titles: Record<string, string> = {
    grace: 'You are in a grace period',
    restricted: 'Some features are switched off',
    read_only: 'Your account is read-only',
    none: 'Your plan is switched off',
  }
  return [
    {
      id: 'access',
      says: [],
      tone: accessLevel === 'none' ? 'danger' : 'warning',
      title: titles[accessLevel] ?? 'Access is limited',
      text: accessSentences[accessLevel] ?? '',
      action: { label: 'See plans', does: 'plans' },
    },
  ]
}

function waiting({ pendingSync }: BillingStatus): Attention[] {
  if (!pendingSync) return []
  return [
    {
      id: 'pending_sync',
      says: ['wait_for_provider'],
      tone: 'info',
      title: 'Waiting for the payment provider to confirm',
      text: `Since ${formatInstant(pendingSync.since)}. This page looks again by itself; you need not pay twice.`,
      action: { label: 'See how it goes', does: 'return', address: pendingSync.checkoutId },
    },
  ]
}

function reachedLimits(meters: MeterUsage[]): Attention[] {
  const reached = meters.filter((meter) => meter.state === 'blocked' || meter.state === 'upgrade_available')
  const limited = reached.filter((meter) => meter.limit !== 0)
  if (limited.length === 0) return []
  const names = new Intl.ListFormat('en').format(limited.map((meter) => meter.name))
  const upgrade = limited.some((meter) => meter.upgradePlan !== null)
  return [
    {
      id: 'limit',
      says: ['upgrade_plan'],
      tone: 'danger',
      title: limited.length === 1 ? `${names}: limit reached` : `Limits reached: ${names}`,
      text: upgrade ? 'A larger plan has room at once.' : 'More is refused until the count starts again.',
      action: upgrade ? { label: 'Compare plans', does: 'plans' } : { label: 'See usage', does: 'usage' },
    },
  ]
}

function trialEnding({ status, trialEndsAt, endsAt }: BillingStatus, now: number): Attention[] {
  if (status !== 'trialing' || !trialEndsAt || endsAt || Date.parse(trialEndsAt) - now > threeDays) return []
  return [
    {
      id: 'trial',
      says: ['update_payment_method'],
      tone: 'warning',
      title: `Your trial ends on ${formatInstant(trialEndsAt)}`,
      text: 'The plan goes on as a paid one if a payment method is on file.',
      action: { label: 'Check payment method', does: 'portal' },
    },
  ]
}

function ending({ status, endsAt, plan }: BillingStatus): Attention[] {
  if (!endsAt || status === 'canceled') return []
  return [
    {
      id: 'ending',
      says: ['undo_cancellation'],
      tone: 'warning',
      title: `${plan.name} ends on ${formatInstant(endsAt)}`,
      text: 'Until then everything works. You can undo the cancellation.',
      action: { label: 'Keep the plan', does: 'portal' },
    },
  ]
}

function openCheckout({ openCheckout, pendingSync }: BillingStatus): Attention[] {
  if (!openCheckout || pendingSync || !openCheckout.sessionUrl) return []
  const until = openCheckout.expiresAt ? ` It stays open until ${formatInstant(openCheckout.expiresAt)}.` : ''
  return [
    {
      id: 'checkout',
      says: ['finish_checkout'],
      tone: 'info',
      title: 'A checkout is not finished',
      text: `Nothing was charged yet.${until}`,
      action: { label: 'Go on with it', does: 'address', address: openCheckout.sessionUrl },
    },
  ]
}

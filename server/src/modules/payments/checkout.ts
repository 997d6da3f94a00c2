import type { Checkout, NextAction } from '@turnpike/contract'

export type CheckoutState = Checkout['state']

/** Credit that a product gives. Amounts are digits, so that they are stored as they are. */
type GivenCredit = {
  amountMinor: string
  expiresAfterDays: number | null
  priority: number
  charges: string[] | null
}

/** An intent to pay. */
export type CheckoutRecord = {
  tenantId: string
  checkoutId: string
  kind: 'checkout' | 'plan_change' | 'purchase'
  state: CheckoutState
  plan: string | null
  planVersion: number | null
  price: string | null
  product: string | null
  currency: string
  seats: number | null
  addOns: { addOn: string; quantity: number }[]
  /** The credit that comes with a product, as it was offered when the page was opened. */
  gives: GivenCredit | null
  coupon: string | null
  selectionHash: string
  returnUrl: string
  cancelUrl: string
  provider: string
  providerSessionId: string | null
  sessionUrl: string | null
  openedBy: string
  openedAt: Temporal.Instant
  returnedAt: Temporal.Instant | null
  completedAt: Temporal.Instant | null
  expiresAt: Temporal.Instant | null
  failure: string | null
}

export const isUnderWay = (state: CheckoutState): boolean =>
  state === 'opening' || state === 'open' || state === 'pending_sync'

/** A hosted page that could still be paid: even one that the customer left. */
export const canStillBePaid = (checkout: CheckoutRecord, at: Temporal.Instant): boolean =>
  (isUnderWay(checkout.state) || checkout.state === 'canceled') &&
  (checkout.expiresAt === null || Temporal.Instant.compare(at, checkout.expiresAt) < 0)

/**
 * Where a checkout goes. A completed one stays completed; one that the customer left may still be completed, because only
 * the provider knows whether it was paid (PAY-2).
 */
export const nextCheckoutState = (
  state: CheckoutState,
  trigger: 'opened' | 'returned' | 'left' | 'paid' | 'expired' | 'failed' | 'reopened',
): CheckoutState => {
  if (state === 'completed') return state
  switch (trigger) {
    case 'paid':
      return 'completed'
    case 'opened':
      return state === 'opening' ? 'open' : state
    case 'returned':
      return isUnderWay(state) || state === 'canceled' ? 'pending_sync' : state
    case 'left':
      return isUnderWay(state) ? 'canceled' : state
    case 'expired':
      return isUnderWay(state) || state === 'canceled' ? 'expired' : state
    case 'failed':
      return state === 'opening' ? 'failed' : state
    case 'reopened':
      return state === 'canceled' ? 'open' : state
  }
}

/** What the customer can do about a checkout. */
export const checkoutActions = (
  checkout: Pick<CheckoutRecord, 'state' | 'sessionUrl'>,
  alive: boolean,
): NextAction[] => {
  switch (checkout.state) {
    case 'open':
      return [
        {
          action: 'finish_checkout',
          sentence: 'Finish the checkout on the page of the payment provider.',
          url: checkout.sessionUrl,
        },
      ]
    case 'opening':
    case 'pending_sync':
      return [
        {
          action: 'wait_for_provider',
          sentence: 'Waiting for confirmation from the payment provider. Nothing needs to be done.',
          url: null,
        },
      ]
    case 'canceled':
      return [
        ...(alive
          ? [
              {
                action: 'finish_checkout' as const,
                sentence: 'Nothing was charged. Go on where you left.',
                url: checkout.sessionUrl,
              },
            ]
          : []),
        { action: 'choose_plan', sentence: 'Choose a plan.', url: null },
      ]
    case 'failed':
    case 'expired':
      return [{ action: 'choose_plan', sentence: 'Nothing was charged. Start again.', url: null }]
    case 'completed':
      return []
  }
}

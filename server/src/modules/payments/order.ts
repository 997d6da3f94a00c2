import type { Period } from '../../core/period.ts'

/**
 * What is asked of the provider about a subscription, in our words. Plain JSON: it is saved before it is asked, and read
 * again by whoever finishes it. A change names all items that it leaves behind.
 */
export type Order =
  | { kind: 'create'; lines: PriceLine[]; trialEndsAt: string | null; planVersion: number }
  | { kind: 'change_now'; lines: PriceLine[]; proration: Proration; prorationAt: string }
  | { kind: 'change_at_period_end'; lines: PriceLine[] }
  | { kind: 'cancel_now'; creditUnused: boolean; prorationAt: string }
  | { kind: 'cancel_at_period_end' }
  | { kind: 'keep' }
  | { kind: 'pause' }
  | { kind: 'resume' }
  /** Takes back a change that is scheduled or waits for its payment. */
  | { kind: 'drop_change' }
  | { kind: 'end_trial' }

export type PriceLine = { lookupKey: string; quantity: number }
type Proration = 'always_invoice' | 'create_prorations' | 'none'

/** What an item is for: `plan`, `seat`, `add_on:<name>`. Null for prices that are not ours: those are left alone. */
export type RoleOf = (lookupKey: string) => string | null

export type OrderRequest = {
  tenantId: string
  providerCustomerId: string
  /** Null for an order that makes one. */
  providerSubscriptionId: string | null
  order: Order
  roleOf: RoleOf
}

/**
 * How the provider answered. `refused`: it has understood and does not do it; nothing happened. No answer is a failure,
 * and then only a look can tell.
 */
export type OrderOutcome =
  | { kind: 'done' }
  | { kind: 'payment_failed'; actionRequired: boolean; invoiceUrl: string | null }
  | { kind: 'payment_method_required' }
  | { kind: 'refused'; reason: string }

/** An invoice that would be made. Amounts are minor units of `currency`. */
export type InvoicePreview = {
  currency: string
  lines: { description: string; amount: bigint; quantity: number | null; period: Period; proration: boolean }[]
  subtotal: bigint
  tax: bigint | null
  total: bigint
  amountDue: bigint
}

/** `discount`: what coupons take off. */
export type RenewalPreview = InvoicePreview & { discount: bigint }

export type OrderPreview = {
  /** What is charged at once; null when nothing is. */
  now: InvoicePreview | null
  renewal: { at: Temporal.Instant; invoice: InvoicePreview } | null
}

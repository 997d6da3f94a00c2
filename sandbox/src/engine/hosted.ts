// The only door through which the hosted pages reach the billing engine. Amounts are minor units, times unix seconds.

export type CardInput = { number: string; expMonth: number; expYear: number; cvc: string }

export type Recurrence = { interval: 'day' | 'week' | 'month' | 'year'; count: number; metered: boolean }

export type CheckoutLine = {
  id: string
  productName: string
  productDescription: string | null
  imageUrl: string | null
  quantity: number
  /** Null for tiered and metered prices, whose amount depends on the quantity. */
  unitAmount: number | null
  /** What this line adds to the amount due today (0 during a trial). */
  amount: number
  /** What one full period costs, the same as `amount` for one-off prices. */
  periodAmount: number
  recurrence: Recurrence | null
  adjustableQuantity: { minimum: number; maximum: number } | null
}

/** Where a payment link leads. */
export type FollowedLink =
  | { kind: 'open'; url: string }
  | { kind: 'inactive'; message: string | null }
  | { kind: 'not_found' }

export type SavedCard = {
  id: string
  brand: string
  last4: string
  expMonth: number
  expYear: number
  isDefault: boolean
}

export type CheckoutView =
  | {
      state: 'open'
      id: string
      mode: 'subscription' | 'payment' | 'setup'
      merchantName: string
      expiresAt: number
      cancelUrl: string | null
      currency: string
      email: string | null
      /** False when the session belongs to a customer with an email: the field is shown, not edited. */
      emailEditable: boolean
      name: string | null
      lines: CheckoutLine[]
      subtotal: number
      discount: { label: string; amount: number } | null
      /** Due today. */
      total: number
      trial: { days: number; endsAt: number } | null
      /** What every following period costs; null for one-off payments and setup. */
      recurring: { amount: number; recurrence: Recurrence } | null
      allowPromotionCodes: boolean
      /** False when nothing is due and the session says payment_method_collection=if_required. */
      cardRequired: boolean
      termsRequired: boolean
      submitMessage: string | null
      /** Why the bank's page led back here: shown until the next attempt. */
      lastError: string | null
    }
  | { state: 'complete'; id: string; redirectUrl: string | null }
  | { state: 'expired'; id: string; cancelUrl: string | null }
  | { state: 'not_found' }

export type SubmitResult =
  | { kind: 'complete'; redirectUrl: string }
  /** `code` is a decline code (insufficient_funds …) or a validation code (incorrect_number, invalid_promotion_code …). */
  | { kind: 'declined'; code: string; message: string }
  /** Show the bank's page at /3ds/<authenticationId>. */
  | { kind: 'requires_action'; authenticationId: string }

export type AuthenticationView =
  | { state: 'pending'; merchantName: string; amount: number; currency: string; cardLast4: string }
  | { state: 'done'; redirectUrl: string }
  | { state: 'not_found' }

export type PortalPlan = {
  priceId: string
  productName: string
  productDescription: string | null
  /** Null for tiered prices. */
  unitAmount: number | null
  currency: string
  recurrence: Recurrence
  adjustableQuantity: { minimum: number; maximum: number } | null
}

export type PortalSubscription = {
  id: string
  status: string
  items: {
    id: string
    priceId: string
    productName: string
    quantity: number | null
    unitAmount: number | null
    periodAmount: number
    currency: string
    recurrence: Recurrence
  }[]
  currentPeriodEnd: number
  trialEnd: number | null
  /** When it will end, or null while it renews. */
  endsAt: number | null
  endedAt: number | null
  /** A plan change already scheduled for the period end. */
  scheduledChange: { priceId: string; productName: string; at: number } | null
  card: SavedCard | null
  canCancel: boolean
  canUndoCancel: boolean
  canChangePlan: boolean
  /** Plans that the configuration offers, the present one included. */
  plans: PortalPlan[]
}

export type PortalInvoice = {
  id: string
  number: string | null
  status: string
  createdAt: number
  total: number
  amountDue: number
  currency: string
  description: string
  /** Path on this server; null for drafts. */
  hostedUrl: string | null
  pdfUrl: string | null
}

export type PortalPreview = {
  subscriptionId: string
  priceId: string
  quantity: number
  current: { productName: string; unitAmount: number | null; quantity: number; recurrence: Recurrence }
  next: { productName: string; unitAmount: number | null; quantity: number; recurrence: Recurrence }
  currency: string
  when: 'now' | 'period_end'
  effectiveAt: number
  /** Proration lines, credits negative; empty at the period end. */
  lines: { description: string; amount: number }[]
  /** Charged at once (always_invoice), never below zero. */
  dueNow: number
  nextInvoice: { amount: number; at: number }
}

export type PortalFlow =
  | { type: 'payment_method_update' }
  | { type: 'customer_update' }
  | { type: 'subscription_cancel'; subscriptionId: string }
  | { type: 'subscription_update'; subscriptionId: string }
  | { type: 'subscription_update_confirm'; subscriptionId: string; preview: PortalPreview }

export type PortalView =
  | {
      state: 'open'
      merchantName: string
      headline: string | null
      returnUrl: string | null
      customer: { id: string; email: string | null; name: string | null }
      /** Live ones first; ended ones of the last 90 days after them. */
      subscriptions: PortalSubscription[]
      cards: SavedCard[]
      invoices: PortalInvoice[]
      features: {
        paymentMethodUpdate: boolean
        subscriptionCancel: { enabled: boolean; mode: 'at_period_end' | 'immediately'; reasons: string[] }
        subscriptionUpdate: boolean
        invoiceHistory: boolean
        customerUpdate: boolean
      }
      flow: PortalFlow | null
    }
  | { state: 'expired' }
  | { state: 'not_found' }

/** `redirectUrl` is set when the session's flow redirects after completion; `message` when it confirms on our page. */
export type PortalResult =
  | { kind: 'done'; redirectUrl: string | null; message: string | null }
  | { kind: 'declined'; code: string; message: string }
  | { kind: 'requires_action'; authenticationId: string }

export type HostedInvoiceView =
  | {
      state: 'found'
      id: string
      number: string | null
      status: 'draft' | 'open' | 'paid' | 'void' | 'uncollectible'
      merchantName: string
      customer: { name: string | null; email: string | null }
      createdAt: number
      dueAt: number | null
      paidAt: number | null
      lines: {
        description: string
        quantity: number | null
        amount: number
        period: { start: number; end: number } | null
      }[]
      subtotal: number
      discount: number
      tax: number
      total: number
      amountPaid: number
      amountDue: number
      amountRemaining: number
      currency: string
      savedCard: SavedCard | null
      lastError: string | null
    }
  | { state: 'not_found' }

export { completeAuthentication, viewAuthentication } from './hostedAuthentication.ts'
export { followPaymentLink, previewCheckout, submitCheckout, viewCheckout } from './hostedCheckout.ts'
export { payHostedInvoice, viewHostedInvoice } from './hostedInvoice.ts'
export {
  portalCancel,
  portalChangePlan,
  portalPreviewChange,
  portalUndoCancel,
  portalUpdateCard,
  portalUpdateCustomer,
  viewPortal,
} from './hostedPortal.ts'

import { applyTypedCode, recomputeSession, sessionCoupon, sessionItems, trialDays } from '../objects/checkoutSession.ts'
import { couponLabel } from '../objects/discount.ts'
import { openPaymentLink } from '../objects/paymentLink.ts'
import { createPaymentMethod } from '../objects/paymentMethod.ts'
import { amountFor, productOf } from '../objects/price.ts'
import type {
  Authentication,
  CheckoutItem,
  CheckoutSession,
  Customer,
  EventObject,
  PaymentLink,
  Price,
} from '../objects/types.ts'
import { find, listOf, load, rehearse, save, type Tx, transact } from '../store/transact.ts'
import { StripeError } from '../wire/errors.ts'
import type { World } from '../world.ts'
import { type Completion, completeCheckout, type Submission } from './checkout.ts'
import { merchantName } from './draftInvoice.ts'
import type { CardInput, CheckoutLine, CheckoutView, FollowedLink, Recurrence, SubmitResult } from './hosted.ts'
import { moneyText } from './money.ts'

const unauthenticated =
  'We are unable to authenticate your payment method. Please choose a different payment method and try again.'

/** How long the return to the shop waits for its webhook to be answered, as Stripe's does. */
const acknowledgementMs = 10_000

export function viewCheckout(world: World, sessionId: string): CheckoutView {
  return transact(world, null, (tx) => viewOf(tx, find<CheckoutSession>(tx, sessionId)))
}

/** Whoever follows a payment link gets to a payment page of their own. */
export function followPaymentLink(world: World, code: string): FollowedLink {
  return transact(world, null, (tx): FollowedLink => {
    const link = listOf<PaymentLink>(tx, 'payment_link').find((each) => each._.code === code)
    if (!link) return { kind: 'not_found' }
    if (!link.active) return { kind: 'inactive', message: link.inactive_message as string | null }
    return { kind: 'open', url: openPaymentLink(tx, link).url! }
  })
}

/** What the amounts become with another quantity or with a promotion code, without storing anything. */
export function previewCheckout(
  world: World,
  sessionId: string,
  choice: { quantities?: Record<string, number>; promotionCode?: string },
): CheckoutView | { state: 'invalid_promotion_code'; message: string } {
  return transact(world, null, (tx) =>
    rehearse(tx, () => {
      const session = find<CheckoutSession>(tx, sessionId)
      if (session?.object !== 'checkout.session' || session.status !== 'open') return viewOf(tx, session)
      const refused = choose(tx, session, choice)
      return refused ? { state: 'invalid_promotion_code' as const, message: refused } : viewOf(tx, session)
    }),
  )
}

/** Resolves when the outcome is stored and, on success, the webhook was acknowledged (at most ten seconds). */
export async function submitCheckout(
  world: World,
  sessionId: string,
  input: {
    email: string
    name: string
    card: CardInput | null
    promotionCode?: string
    quantities?: Record<string, number>
  },
): Promise<SubmitResult> {
  const result = transact(world, null, (tx): Completion => {
    const session = find<CheckoutSession>(tx, sessionId)
    if (session?.object !== 'checkout.session') return declined('resource_missing', 'This payment page does not exist.')
    if (session.status === 'complete') return { kind: 'complete' }
    if (session.status === 'expired') return declined('session_expired', 'This payment page has expired.')
    session._.lastError = null
    save(tx, session)
    const refused = choose(tx, session, input)
    if (refused) return declined('invalid_promotion_code', refused)
    const method = input.card ? cardMethod(tx, input.card) : null
    if (method && 'kind' in method) return method
    if (!method && cardRequired(session)) return declined('incomplete_number', 'Your card number is incomplete.')
    return completeCheckout(tx, session, { email: input.email, name: input.name, method: method?.id ?? null })
  })
  return finish(world, sessionId, result)
}

/** The bank answered for a checkout: the same submission again, this time with its word. */
export async function resumeCheckout(
  world: World,
  authentication: Authentication,
  answer: 'approved' | 'failed',
): Promise<{ redirectUrl: string }> {
  const sessionId = authentication.session!
  const { submission } = authentication._ as { submission: Submission }
  const result = transact(world, null, (tx): Completion => {
    const session = load<CheckoutSession>(tx, sessionId)
    if (session.status !== 'open') return { kind: 'complete' }
    session._.lastError = answer === 'failed' ? unauthenticated : null
    save(tx, session)
    const completion = completeCheckout(tx, session, { ...submission, authentication: answer })
    if (completion.kind === 'declined' && answer === 'approved') {
      // What was tried is undone in the store, so it is the stored session that gets the note.
      const kept = load<CheckoutSession>(tx, sessionId)
      kept._.lastError = completion.message
      save(tx, kept)
    }
    return completion
  })
  const finished = await finish(world, sessionId, result)
  if (finished.kind === 'complete') return { redirectUrl: finished.redirectUrl }
  return { redirectUrl: `${world.url}/c/pay/${sessionId}` }
}

/** A card that somebody typed, or why it cannot be one. */
export function cardMethod(tx: Tx, card: CardInput): { id: string } | Extract<Completion, { kind: 'declined' }> {
  try {
    return createPaymentMethod(tx, {
      type: 'card',
      card: { number: card.number, exp_month: card.expMonth, exp_year: card.expYear, cvc: card.cvc },
    })
  } catch (error) {
    if (!(error instanceof StripeError)) throw error
    return declined(error.body.code ?? 'card_declined', error.message)
  }
}

export function recurrenceOf(price: Price): Recurrence | null {
  const { recurring } = price
  if (!recurring) return null
  return { interval: recurring.interval, count: recurring.interval_count, metered: recurring.usage_type === 'metered' }
}

async function finish(world: World, sessionId: string, result: Completion): Promise<SubmitResult> {
  if (result.kind !== 'complete') return result
  const { session, event } = transact(world, null, (tx) => ({
    session: load<CheckoutSession>(tx, sessionId),
    event: completedEvent(world, sessionId),
  }))
  if (event) await world.delivering.acknowledged(event, acknowledgementMs)
  return {
    kind: 'complete',
    redirectUrl: withSession(session.success_url, sessionId) ?? `${world.url}/c/pay/${sessionId}`,
  }
}

// The event is among the newest: the work that made it has only just been committed.
function completedEvent(world: World, sessionId: string): string | null {
  let seen = 0
  for (const body of world.store.scan('event', 'desc')) {
    const event = JSON.parse(body) as EventObject
    const shown = event.data.object as { id?: string }
    if (event.type === 'checkout.session.completed' && shown.id === sessionId) return event.id
    if (++seen > 200) return null
  }
  return null
}

/** Applies quantities and a typed code; the reason when the code is not good. */
function choose(
  tx: Tx,
  session: CheckoutSession,
  choice: { quantities?: Record<string, number>; promotionCode?: string },
): string | null {
  for (const item of sessionItems(tx, session)) {
    const wanted = choice.quantities?.[item.id]
    if (wanted === undefined || !item.adjustable_quantity?.enabled) continue
    const { minimum, maximum } = item.adjustable_quantity
    item.quantity = Math.max(minimum ?? 0, Math.min(maximum ?? 99, Math.floor(wanted)))
    save(tx, item)
  }
  if (choice.promotionCode && session.allow_promotion_codes) {
    try {
      if (!applyTypedCode(tx, session, choice.promotionCode)) return 'This code is invalid.'
    } catch (error) {
      if (error instanceof StripeError) return error.message
      throw error
    }
  }
  recomputeSession(tx, session)
  return null
}

function viewOf(tx: Tx, session: CheckoutSession | undefined): CheckoutView {
  if (session?.object !== 'checkout.session') return { state: 'not_found' }
  const { id } = session
  if (session.status === 'complete') return { state: 'complete', id, redirectUrl: withSession(session.success_url, id) }
  if (session.status === 'expired') return { state: 'expired', id, cancelUrl: withSession(session.cancel_url, id) }
  const customer = session.customer ? load<Customer>(tx, session.customer) : null
  const items = sessionItems(tx, session)
  const coupon = sessionCoupon(tx, session)
  const days = trialDays(tx, session)
  const email = customer?.email ?? session.customer_email
  const data = session._.subscriptionData as { trial_end?: number }
  const discount = items.reduce((sum, item) => sum + item.amount_discount, 0)
  const first = items.map((item) => load<Price>(tx, item.price)).find((price) => price.recurring)
  return {
    state: 'open',
    id,
    mode: session.mode,
    merchantName,
    expiresAt: session.expires_at,
    cancelUrl: withSession(session.cancel_url, id),
    currency: session.currency ?? 'usd',
    email,
    emailEditable: email === null,
    name: customer?.name ?? null,
    lines: items.map((item) => lineOf(tx, item)),
    subtotal: session.amount_subtotal ?? 0,
    discount: coupon ? { label: couponLabel(coupon, moneyText), amount: discount } : null,
    total: session.amount_total ?? 0,
    trial: days === null ? null : { days, endsAt: data.trial_end ?? tx.now + days * 86_400 },
    recurring: first
      ? {
          amount: items.reduce(
            (sum, item) => sum + (load<Price>(tx, item.price).recurring ? periodAmount(tx, item) : 0),
            0,
          ),
          recurrence: recurrenceOf(first)!,
        }
      : null,
    allowPromotionCodes: session.allow_promotion_codes === true,
    cardRequired: cardRequired(session),
    termsRequired:
      (session.consent_collection as { terms_of_service?: string } | null)?.terms_of_service === 'required',
    submitMessage: (session.custom_text as { submit?: { message?: string } | null }).submit?.message ?? null,
    lastError: session._.lastError,
  }
}

function lineOf(tx: Tx, item: CheckoutItem): CheckoutLine {
  const price = load<Price>(tx, item.price)
  const product = productOf(tx, price)
  return {
    id: item.id,
    productName: product.name,
    productDescription: product.description,
    imageUrl: product.images[0] ?? null,
    quantity: item.quantity,
    unitAmount:
      price.billing_scheme === 'tiered' || price.recurring?.usage_type === 'metered' ? null : price.unit_amount,
    amount: item.amount_subtotal,
    periodAmount: periodAmount(tx, item),
    recurrence: recurrenceOf(price),
    adjustableQuantity: item.adjustable_quantity?.enabled
      ? { minimum: item.adjustable_quantity.minimum ?? 0, maximum: item.adjustable_quantity.maximum ?? 99 }
      : null,
  }
}

function periodAmount(tx: Tx, item: CheckoutItem): number {
  const price = load<Price>(tx, item.price)
  return price.recurring?.usage_type === 'metered' ? 0 : amountFor(price, item.quantity)
}

function cardRequired(session: CheckoutSession): boolean {
  return session.mode === 'setup' || (session.amount_total ?? 0) > 0 || session.payment_method_collection === 'always'
}

function withSession(url: string | null, sessionId: string): string | null {
  return url === null ? null : url.replaceAll('{CHECKOUT_SESSION_ID}', sessionId)
}

function declined(code: string, message: string): Extract<Completion, { kind: 'declined' }> {
  return { kind: 'declined', code, message }
}

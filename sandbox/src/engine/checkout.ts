import type Stripe from 'stripe'
import { emit } from '../events/emit.ts'
import { detailsOf, recomputeSession, sessionItems, trialDays } from '../objects/checkoutSession.ts'
import { createCustomer } from '../objects/customer.ts'
import { createIntent } from '../objects/paymentIntent.ts'
import { attachPaymentMethod } from '../objects/paymentMethod.ts'
import type { Authentication, CheckoutSession, Customer, PaymentMethod, Price, SetupIntent } from '../objects/types.ts'
import { newId } from '../store/ids.ts'
import { load, save, type Tx } from '../store/transact.ts'
import { StripeError } from '../wire/errors.ts'
import { confirmIntent, confirmSetup, type Outcome } from './payment.ts'
import { subscribe } from './subscribe.ts'
import { declineMessage } from './testCards.ts'

export type Submission = {
  email: string
  name: string | null
  /** Null when nothing is due and no card is asked for. */
  method: string | null
  authentication?: 'approved' | 'failed'
}

export type Completion =
  | { kind: 'complete' }
  | { kind: 'declined'; code: string; message: string }
  | { kind: 'requires_action'; authenticationId: string }

/** The customer pressed the button. Either everything comes into being, or nothing does and the session stays open. */
export function completeCheckout(tx: Tx, session: CheckoutSession, submission: Submission): Completion {
  const events = tx.events.length
  const point = tx.world.store.savepoint()
  const undo = () => {
    tx.world.store.rollbackTo(point)
    tx.events.length = events
  }
  let outcome: Outcome | null
  try {
    outcome = fulfil(tx, session, submission)
  } catch (error) {
    undo()
    if (error instanceof StripeError && error.status < 500)
      return {
        kind: 'declined',
        code:
          error.body.decline_code === undefined
            ? (error.body.code ?? 'invalid_request')
            : String(error.body.decline_code),
        message: error.message,
      }
    throw error
  }
  if (outcome === null || accepted(outcome)) {
    tx.world.store.release(point)
    return { kind: 'complete' }
  }
  undo()
  if (outcome.kind === 'declined')
    return { kind: 'declined', code: outcome.declineCode ?? outcome.code, message: outcome.message }
  const authentication: Authentication = save(tx, {
    id: newId('payatt'),
    object: 'authentication',
    intent: session.id,
    state: 'pending',
    returnUrl: null,
    failureUrl: null,
    session: session.id,
    _: { submission },
  } as Authentication)
  return { kind: 'requires_action', authenticationId: authentication.id }
}

function fulfil(tx: Tx, session: CheckoutSession, submission: Submission): Outcome | null {
  recomputeSession(tx, session)
  const customer = customerFor(tx, session, submission)
  const method = submission.method ? load<PaymentMethod>(tx, submission.method) : null
  if (method) {
    method.billing_details = { ...method.billing_details, email: submission.email, name: submission.name }
    save(tx, method)
  }
  const outcome =
    session.mode === 'subscription'
      ? fulfilSubscription(tx, session, customer!, method, submission)
      : session.mode === 'setup'
        ? fulfilSetup(tx, session, customer, method!, submission)
        : fulfilPayment(tx, session, customer, method, submission)
  if (outcome && !accepted(outcome)) return outcome
  session.status = 'complete'
  session.url = null
  session.customer = customer?.id ?? null
  session.customer_details = detailsOf(submission.email, submission.name)
  session.payment_status =
    session.mode === 'setup' || session.amount_total === 0
      ? 'no_payment_required'
      : outcome?.kind === 'requires_capture' || outcome?.kind === 'processing'
        ? 'unpaid'
        : 'paid'
  save(tx, session)
  // Late facts follow the completion, as they do at Stripe.
  const late = tx.events.filter((event) => event.type === 'invoice_payment.paid')
  tx.events = tx.events.filter((event) => event.type !== 'invoice_payment.paid')
  emit(tx, 'checkout.session.completed', session)
  tx.events.push(...late)
  return outcome
}

function accepted(outcome: Outcome): outcome is Exclude<Outcome, { kind: 'declined' | 'requires_action' }> {
  return outcome.kind !== 'declined' && outcome.kind !== 'requires_action'
}

function customerFor(tx: Tx, session: CheckoutSession, submission: Submission): Customer | null {
  if (session.customer) return load<Customer>(tx, session.customer)
  if (session.mode === 'payment' && session.customer_creation !== 'always') return null
  return createCustomer(tx, { email: submission.email, ...(submission.name ? { name: submission.name } : {}) })
}

function fulfilSubscription(
  tx: Tx,
  session: CheckoutSession,
  customer: Customer,
  method: PaymentMethod | null,
  submission: Submission,
): Outcome | null {
  if (method && method.customer === null) {
    const { behavior } = method._
    // A card that asks its bank passes once the customer approved; attaching asks nobody.
    if (behavior.kind === 'declines') {
      const error = { kind: 'declined', code: behavior.code, declineCode: behavior.declineCode } as const
      return { ...error, message: declineMessage(error.code, error.declineCode), charge: null }
    }
    attachPaymentMethod(tx, method.id, customer.id)
  }
  const items = sessionItems(tx, session)
  const recurring = items.filter((item) => load<Price>(tx, item.price).recurring)
  const once = items.filter((item) => !load<Price>(tx, item.price).recurring)
  const data = session._.subscriptionData as Stripe.Checkout.SessionCreateParams.SubscriptionData
  for (const item of items) {
    const price = load<Price>(tx, item.price)
    // Inline prices are not on offer, yet this session may sell its own.
    if (!price.active) save(tx, { ...price, active: true })
  }
  const { subscription, invoice, outcome } = subscribe(
    tx,
    {
      customer: customer.id,
      items: recurring.map((item) => ({
        price: item.price,
        ...(load<Price>(tx, item.price).recurring?.usage_type === 'metered' ? {} : { quantity: item.quantity }),
      })),
      ...(once.length > 0
        ? { add_invoice_items: once.map((item) => ({ price: item.price, quantity: item.quantity })) }
        : {}),
      ...(method ? { default_payment_method: method.id } : {}),
      ...(session.discounts?.length
        ? {
            discounts: session.discounts.map((each) =>
              each.promotion_code ? { promotion_code: each.promotion_code } : { coupon: each.coupon! },
            ),
          }
        : {}),
      ...(data.metadata ? { metadata: data.metadata } : {}),
      ...(data.description ? { description: data.description } : {}),
      ...(data.trial_end ? { trial_end: data.trial_end } : {}),
      ...(data.trial_period_days ? { trial_period_days: data.trial_period_days } : {}),
      ...(data.trial_settings
        ? { trial_settings: data.trial_settings as Stripe.SubscriptionCreateParams.TrialSettings }
        : {}),
      ...(data.billing_cycle_anchor ? { billing_cycle_anchor: data.billing_cycle_anchor } : {}),
      ...(data.proration_behavior ? { proration_behavior: data.proration_behavior } : {}),
    },
    {
      onSession: true,
      session: session.id,
      ...(submission.authentication ? { authentication: submission.authentication } : {}),
    },
  )
  session.subscription = subscription.id
  session.invoice = invoice?.id ?? null
  if (outcome === null && method?._.behavior.kind === 'authenticates' && trialDays(tx, session) !== null) {
    // Nothing is charged now, so the card is set up for the charges to come.
    if (submission.authentication === 'failed')
      return {
        kind: 'declined',
        code: 'setup_intent_authentication_failure',
        declineCode: null,
        message: 'Authentication failed.',
        charge: null,
      }
    if (submission.authentication !== 'approved') return { kind: 'requires_action', authenticationId: '' }
    save(tx, { ...load<PaymentMethod>(tx, method.id), _: { ...method._, setUp: true } })
  }
  return outcome
}

function fulfilPayment(
  tx: Tx,
  session: CheckoutSession,
  customer: Customer | null,
  method: PaymentMethod | null,
  submission: Submission,
): Outcome | null {
  const data = session._.paymentIntentData as Stripe.Checkout.SessionCreateParams.PaymentIntentData
  if ((session.amount_total ?? 0) === 0 || !method) return null
  const intent = createIntent(tx, {
    amount: session.amount_total!,
    currency: session.currency!,
    customer: customer?.id ?? null,
    description: data.description ?? null,
    metadata: data.metadata,
    capture_method: data.capture_method ?? 'automatic',
    setup_future_usage: data.setup_future_usage ?? null,
    payment_method_types: session.payment_method_types as string[],
    receipt_email: data.receipt_email ?? null,
  })
  const outcome = confirmIntent(tx, intent, {
    method,
    offSession: false,
    session: session.id,
    ...(submission.authentication ? { authentication: submission.authentication } : {}),
  })
  if (accepted(outcome) && customer && data.setup_future_usage) attachPaymentMethod(tx, method.id, customer.id)
  session.payment_intent = intent.id
  return outcome
}

function fulfilSetup(
  tx: Tx,
  session: CheckoutSession,
  customer: Customer | null,
  method: PaymentMethod,
  submission: Submission,
): Outcome {
  const intent = load<SetupIntent>(tx, session.setup_intent!)
  if (customer) intent.customer = customer.id
  return confirmSetup(tx, intent, {
    method,
    offSession: false,
    session: session.id,
    ...(submission.authentication ? { authentication: submission.authentication } : {}),
  })
}

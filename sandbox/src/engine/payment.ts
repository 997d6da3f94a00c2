import { emit, emitUpdate, snapshot } from '../events/emit.ts'
import { createCharge } from '../objects/charge.ts'
import { disputeIfCardSays } from '../objects/dispute.ts'
import { cardRefused } from '../objects/paymentMethod.ts'
import { renderObject } from '../objects/render.ts'
import type { Authentication, PaymentIntent, PaymentMethod, SetupIntent, Stored } from '../objects/types.ts'
import { newId } from '../store/ids.ts'
import { load, save, type Tx } from '../store/transact.ts'
import type { StripeError } from '../wire/errors.ts'
import { clockNow } from '../world.ts'
import { declineMessage } from './testCards.ts'

export type Outcome =
  | { kind: 'succeeded' }
  | { kind: 'requires_capture' }
  /** A bank debit is under way, or a transfer is awaited. */
  | { kind: 'processing' }
  | { kind: 'requires_action'; authenticationId: string }
  | { kind: 'declined'; code: string; declineCode: string | null; message: string; charge: string | null }

type Confirming = {
  method: PaymentMethod
  /** Nobody is there to answer the bank. */
  offSession: boolean
  /** Null for the first try; the bank's answer afterwards. */
  authentication?: 'approved' | 'failed'
  returnUrl?: string | null
  /** For a browser whose bank said no. */
  failureUrl?: string | null
  session?: string | null
  /** A failure is followed by the next attempt of dunning. */
  scheduled?: boolean
}

/** What the card does when it is asked for money. Pure. */
function decidePayment(method: PaymentMethod, asked: Pick<Confirming, 'offSession' | 'authentication'>) {
  const { behavior, setUp } = method._
  if (asked.authentication === 'failed')
    return { kind: 'declined', code: 'payment_intent_authentication_failure', declineCode: null } as const
  if (behavior.kind === 'ok') return { kind: 'succeeded' } as const
  if (behavior.kind === 'delayed' || behavior.kind === 'transfers') return { kind: behavior.kind } as const
  if (behavior.kind !== 'authenticates')
    return { kind: 'declined', code: behavior.code, declineCode: behavior.declineCode } as const
  const passes = asked.authentication === 'approved' || (asked.offSession && setUp && !behavior.always)
  if (!passes) return { kind: 'requires_action' } as const
  if (behavior.thenDeclines)
    return { kind: 'declined', code: 'card_declined', declineCode: behavior.thenDeclines } as const
  return { kind: 'succeeded' } as const
}

/** Tries to take the money of an intent; stores charge, intent and events. The caller tells the invoice, if there is one. */
export function confirmIntent(tx: Tx, intent: PaymentIntent, asked: Confirming): Outcome {
  const { method } = asked
  const before = snapshot(tx, intent)
  intent.payment_method = method.id
  intent.next_action = null
  const decision = decidePayment(method, asked)
  if (decision.kind === 'requires_action') {
    const authentication = startAuthentication(tx, intent, asked)
    intent.status = 'requires_action'
    intent._.authentication = authentication.id
    intent.next_action = nextAction(tx, authentication)
    save(tx, intent)
    emit(tx, 'payment_intent.requires_action', intent)
    return { kind: 'requires_action', authenticationId: authentication.id }
  }
  if (decision.kind === 'declined') {
    const message =
      decision.code === 'payment_intent_authentication_failure'
        ? 'The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new PaymentMethod to attempt to fulfill this PaymentIntent again.'
        : declineMessage(decision.code, decision.declineCode)
    const charge =
      decision.code === 'payment_intent_authentication_failure'
        ? null
        : createCharge(tx, intent, method, {
            status: 'failed',
            code: decision.code,
            declineCode: decision.declineCode,
            message,
          })
    const { code, declineCode } = decision
    return failIntent(tx, intent, method, { kind: 'declined', code, declineCode, message, charge: charge?.id ?? null })
  }
  if (decision.kind === 'delayed') return startDebit(tx, intent, asked)
  if (decision.kind === 'transfers') return awaitTransfer(tx, intent)
  if (method.customer !== null || intent.setup_future_usage !== null) method._.setUp = true
  if (method.customer === null) method._.used = true
  save(tx, method)
  const manual = intent.capture_method === 'manual'
  const charge = createCharge(tx, intent, method, { status: 'succeeded', captured: !manual })
  intent.latest_charge = charge.id
  intent.last_payment_error = null
  if (manual) {
    intent.status = 'requires_capture'
    intent.amount_capturable = intent.amount
    save(tx, intent)
    emit(tx, 'payment_intent.amount_capturable_updated', intent, { status: before.status })
    return { kind: 'requires_capture' }
  }
  intent.status = 'succeeded'
  intent.amount_received = intent.amount
  save(tx, intent)
  emit(tx, 'payment_intent.succeeded', intent)
  disputeIfCardSays(tx, charge, method)
  return { kind: 'succeeded' }
}

/** Gives an intent back to be tried with another method. */
export function failIntent(
  tx: Tx,
  intent: PaymentIntent,
  method: PaymentMethod,
  declined: Extract<Outcome, { kind: 'declined' }>,
): Outcome {
  const { code, declineCode, message, charge } = declined
  intent.status = 'requires_payment_method'
  intent.latest_charge = charge ?? intent.latest_charge
  intent.payment_method = null
  intent.last_payment_error = {
    ...(charge ? { charge } : {}),
    code,
    ...(declineCode ? { decline_code: declineCode } : {}),
    doc_url: `https://stripe.com/docs/error-codes/${code.replaceAll('_', '-')}`,
    message,
    payment_method: renderObject(tx, method),
    type: charge ? 'card_error' : 'invalid_request_error',
  }
  save(tx, intent)
  emit(tx, 'payment_intent.payment_failed', intent)
  return declined
}

function startDebit(tx: Tx, intent: PaymentIntent, { method, session, scheduled }: Confirming): Outcome {
  const { behavior } = method._
  method._.setUp = true
  save(tx, method)
  intent.status = 'processing'
  intent.last_payment_error = null
  intent._ = {
    ...intent._,
    // The debit runs on the sandbox's own clock, whatever clock its customer lives on.
    settlesAt: clockNow(tx.world) + (behavior.kind === 'delayed' ? behavior.seconds : 0),
    session: session ?? null,
    scheduled: scheduled ?? false,
  }
  intent.latest_charge = createCharge(tx, intent, method, { status: 'pending', captured: true }).id
  save(tx, intent)
  emit(tx, 'payment_intent.processing', intent)
  return { kind: 'processing' }
}

/** All that a payment waited for has arrived. */
export function captureTransfer(tx: Tx, intent: PaymentIntent): Outcome {
  const method = load<PaymentMethod>(tx, intent.payment_method!)
  intent.next_action = null
  intent.latest_charge = createCharge(tx, intent, method, { status: 'succeeded', captured: true }).id
  intent.status = 'succeeded'
  intent.amount_received = intent.amount
  save(tx, intent)
  emit(tx, 'payment_intent.succeeded', intent)
  return { kind: 'succeeded' }
}

function awaitTransfer(tx: Tx, intent: PaymentIntent): Outcome {
  intent.status = 'requires_action'
  intent.next_action = {
    display_bank_transfer_instructions: {
      amount_remaining: intent.amount,
      currency: intent.currency,
      financial_addresses: [],
      hosted_instructions_url: null,
      reference: intent.id.slice(-12).toUpperCase(),
      type: `${intent.currency.slice(0, 2)}_bank_transfer`,
    },
    type: 'display_bank_transfer_instructions',
  }
  save(tx, intent)
  emit(tx, 'payment_intent.requires_action', intent)
  return { kind: 'processing' }
}

/** Saves a card for later without charging it. */
export function confirmSetup(tx: Tx, intent: SetupIntent, asked: Confirming): Outcome {
  const { method } = asked
  intent.payment_method = method.id
  intent.next_action = null
  const { behavior } = method._
  const refused = behavior.kind === 'declines' || asked.authentication === 'failed'
  if (refused) {
    const code = behavior.kind === 'declines' ? behavior.code : 'setup_intent_authentication_failure'
    const declineCode = behavior.kind === 'declines' ? behavior.declineCode : null
    const message =
      behavior.kind === 'declines'
        ? declineMessage(code, declineCode)
        : 'The latest attempt to set up the payment method has failed because authentication failed.'
    intent.status = 'requires_payment_method'
    intent.payment_method = null
    intent.last_setup_error = {
      code,
      ...(declineCode ? { decline_code: declineCode } : {}),
      message,
      payment_method: renderObject(tx, method),
      type: behavior.kind === 'declines' ? 'card_error' : 'invalid_request_error',
    }
    save(tx, intent)
    emit(tx, 'setup_intent.setup_failed', intent)
    return { kind: 'declined', code, declineCode, message, charge: null }
  }
  if (behavior.kind === 'authenticates' && asked.authentication !== 'approved' && !asked.offSession) {
    const authentication = startAuthentication(tx, intent, asked)
    intent.status = 'requires_action'
    intent._.authentication = authentication.id
    intent.next_action = nextAction(tx, authentication)
    save(tx, intent)
    emit(tx, 'setup_intent.requires_action', intent)
    return { kind: 'requires_action', authenticationId: authentication.id }
  }
  method._.setUp = true
  if (intent.customer && method.customer === null) {
    method.customer = intent.customer
    save(tx, method)
    emit(tx, 'payment_method.attached', method)
  } else save(tx, method)
  intent.status = 'succeeded'
  intent.last_setup_error = null
  save(tx, intent)
  emit(tx, 'setup_intent.succeeded', intent)
  return { kind: 'succeeded' }
}

/** A decline as the API refuses it, with the failed attempt kept. */
export function declinedError(
  tx: Tx,
  outcome: Extract<Outcome, { kind: 'declined' }>,
  intent: PaymentIntent | SetupIntent,
): StripeError {
  const error = cardRefused(outcome.code, outcome.declineCode, outcome.message, {
    ...(outcome.charge ? { charge: outcome.charge } : {}),
    [intent.object]: renderObject(tx, intent),
  })
  return Object.assign(error, { keep: true })
}

export function cancelIntent(tx: Tx, intent: PaymentIntent, reason: string | null): PaymentIntent {
  if (intent.status === 'canceled' || intent.status === 'succeeded') return intent
  intent.status = 'canceled'
  intent.canceled_at = tx.now
  intent.cancellation_reason = reason
  intent.amount_capturable = 0
  intent.next_action = null
  save(tx, intent)
  emit(tx, 'payment_intent.canceled', intent)
  return intent
}

export function captureIntent(tx: Tx, intent: PaymentIntent, amount: number): PaymentIntent {
  const charge = load<Stored>(tx, intent.latest_charge!)
  const before = snapshot(tx, charge)
  charge.captured = true
  charge.amount_captured = amount
  save(tx, charge)
  intent.status = 'succeeded'
  intent.amount_capturable = 0
  intent.amount_received = amount
  save(tx, intent)
  emitUpdate(tx, 'charge.captured', charge, before)
  emit(tx, 'payment_intent.succeeded', intent)
  return intent
}

function startAuthentication(tx: Tx, intent: PaymentIntent | SetupIntent, asked: Confirming): Authentication {
  const authentication: Authentication = {
    id: newId('payatt'),
    object: 'authentication',
    intent: intent.id,
    state: 'pending',
    returnUrl: asked.returnUrl ?? intent._.returnUrl,
    failureUrl: asked.failureUrl ?? null,
    session: asked.session ?? null,
  }
  return save(tx, authentication)
}

function nextAction(tx: Tx, authentication: Authentication): Record<string, unknown> {
  const url = `${tx.world.url}/3ds/${authentication.id}`
  if (authentication.returnUrl)
    return { redirect_to_url: { return_url: authentication.returnUrl, url }, type: 'redirect_to_url' }
  return {
    type: 'use_stripe_sdk',
    use_stripe_sdk: { three_d_secure_redirect: { source: authentication.id, stripe_js: url } },
  }
}

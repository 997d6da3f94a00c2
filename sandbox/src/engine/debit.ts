import { emit, emitUpdate, snapshot } from '../events/emit.ts'
import type { Charge, CheckoutSession, PaymentIntent, PaymentMethod } from '../objects/types.ts'
import { find, load, save, type Tx } from '../store/transact.ts'
import { settleIntent } from './collect.ts'
import { failIntent, type Outcome } from './payment.ts'
import { declineMessage } from './testCards.ts'

/** The bank's word on a debit: the charge, the intent, its invoice and the checkout session that waits learn of it. */
export function settleDebit(tx: Tx, intent: PaymentIntent): void {
  const method = load<PaymentMethod>(tx, intent.payment_method!)
  const charge = load<Charge>(tx, intent.latest_charge!)
  const { behavior } = method._
  const code = behavior.kind === 'delayed' ? behavior.fails : null
  const outcome = code === null ? succeed(tx, intent, charge) : fail(tx, intent, charge, method, code)
  settleIntent(tx, intent, outcome, intent._.scheduled)
  const session = intent._.session ? find<CheckoutSession>(tx, intent._.session) : undefined
  if (!session) return
  if (outcome.kind === 'succeeded') session.payment_status = 'paid'
  save(tx, session)
  const word = outcome.kind === 'succeeded' ? 'succeeded' : 'failed'
  emit(tx, `checkout.session.async_payment_${word}`, session)
}

function succeed(tx: Tx, intent: PaymentIntent, charge: Charge): Outcome {
  const before = snapshot(tx, charge)
  charge.status = 'succeeded'
  charge.paid = true
  save(tx, charge)
  emitUpdate(tx, 'charge.succeeded', charge, before)
  intent.status = 'succeeded'
  intent.amount_received = intent.amount
  save(tx, intent)
  emit(tx, 'payment_intent.succeeded', intent)
  return { kind: 'succeeded' }
}

function fail(tx: Tx, intent: PaymentIntent, charge: Charge, method: PaymentMethod, code: string): Outcome {
  const message = declineMessage(code, null)
  const before = snapshot(tx, charge)
  Object.assign(charge, { status: 'failed', failure_code: code, failure_message: message, captured: false })
  save(tx, charge)
  emitUpdate(tx, 'charge.failed', charge, before)
  return failIntent(tx, intent, method, { kind: 'declined', code, declineCode: null, message, charge: charge.id })
}

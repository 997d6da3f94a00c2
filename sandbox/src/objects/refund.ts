import type Stripe from 'stripe'
import { emit, emitUpdate, snapshot } from '../events/emit.ts'
import { newId } from '../store/ids.ts'
import { listOf, save, type Tx } from '../store/transact.ts'
import { invalid } from '../wire/errors.ts'
import { addToBalance } from './balance.ts'
import { mergeMetadata, need } from './common.ts'
import type { Charge, PaymentIntent, Refund, Stored } from './types.ts'

// Stripe's test cards whose refunds come back later, or are made only later.
const failingCard = '5126'
const pendingCard = '7726'

export function createRefund(tx: Tx, params: Stripe.RefundCreateParams): Refund {
  const intent = params.payment_intent
    ? need<PaymentIntent>(tx, 'payment_intent', params.payment_intent, 'payment_intent')
    : null
  const id = params.charge ?? intent?.latest_charge
  if (!id) {
    if (intent)
      throw invalid(`This PaymentIntent (${intent.id}) does not have a successful charge to refund.`, 'payment_intent')
    throw invalid(
      'One of the following params should be provided for this request: payment_intent or charge.',
      undefined,
      'parameter_missing',
    )
  }
  const charge = need<Charge>(tx, 'charge', id, 'charge')
  if (charge.status !== 'succeeded')
    throw invalid(`The charge you are trying to refund (${charge.id}) was not successful.`, 'charge')
  const disputes = listOf<Stored>(tx, 'dispute', { parent: charge.id })
  if (disputes.some((dispute) => !dispute.is_charge_refundable && dispute.status !== 'won'))
    throw invalid(`Charge ${charge.id} has been charged back; cannot issue a refund.`, undefined, 'charge_disputed')
  const left = charge.amount - charge.amount_refunded
  if (left === 0) throw invalid(`Charge ${charge.id} has already been refunded.`, undefined, 'charge_already_refunded')
  const amount = params.amount ?? left
  if (amount <= 0)
    throw invalid('This value must be greater than or equal to 1.', 'amount', 'parameter_invalid_integer')
  if (amount > left)
    throw invalid(`Refund amount (${amount}) is greater than unrefunded amount on charge (${left})`, 'amount')
  const before = snapshot(tx, charge)
  charge.amount_refunded += amount
  charge.refunded = charge.amount_refunded === charge.amount
  save(tx, charge)
  const details = charge.payment_method_details as { card?: { last4: string } }
  const last4 = details.card?.last4
  const refund: Refund = {
    id: newId('re'),
    object: 'refund',
    amount,
    balance_transaction: addToBalance(tx, charge, 'refund', -amount, 'REFUND FOR CHARGE'),
    charge: charge.id,
    created: tx.now,
    currency: charge.currency,
    customer: charge.customer,
    customer_account: null,
    destination_details: {
      card: { reference_status: 'pending', reference_type: 'acquirer_reference_number', type: 'refund' },
      type: 'card',
    },
    metadata: mergeMetadata({}, params.metadata),
    payment_intent: charge.payment_intent,
    payment_method: charge.payment_method,
    reason: params.reason ?? null,
    receipt_number: null,
    source_transfer_reversal: null,
    status: last4 === pendingCard ? 'pending' : 'succeeded',
    transfer_reversal: null,
    _: { settlesAt: last4 === failingCard || last4 === pendingCard ? tx.now : null, fails: last4 === failingCard },
  }
  save(tx, refund)
  emit(tx, 'refund.created', refund)
  emitUpdate(tx, 'charge.refunded', charge, before)
  return refund
}

/** The later fate of a refund; one that failed leaves the charge as it was. */
export function settleRefund(tx: Tx, refund: Refund): void {
  const before = snapshot(tx, refund)
  const { fails } = refund._!
  refund._ = { settlesAt: null, fails }
  refund.status = fails ? 'failed' : 'succeeded'
  if (fails) {
    const charge = need<Charge>(tx, 'charge', refund.charge)
    charge.amount_refunded -= refund.amount
    charge.refunded = false
    save(tx, charge)
    refund.failure_reason = 'expired_or_canceled_card'
    refund.failure_balance_transaction = addToBalance(tx, charge, 'refund', refund.amount, 'REFUND FAILURE')
  }
  save(tx, refund)
  emitUpdate(tx, 'refund.updated', refund, before)
  emitUpdate(tx, 'charge.refund.updated', refund, before)
  if (fails) emit(tx, 'refund.failed', refund)
}

export function updateRefund(tx: Tx, id: string, params: Stripe.RefundUpdateParams): Refund {
  const refund = need<Refund>(tx, 'refund', id)
  const before = snapshot(tx, refund)
  refund.metadata = mergeMetadata(refund.metadata ?? {}, params.metadata)
  save(tx, refund)
  // The older name of the same fact is still sent.
  if (emitUpdate(tx, 'refund.updated', refund, before)) emitUpdate(tx, 'charge.refund.updated', refund, before)
  return refund
}

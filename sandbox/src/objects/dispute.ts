import { emit, emitUpdate, snapshot } from '../events/emit.ts'
import { newId } from '../store/ids.ts'
import { load, save, type Tx } from '../store/transact.ts'
import { invalid } from '../wire/errors.ts'
import { addToBalance } from './balance.ts'
import { mergeMetadata, need } from './common.ts'
import type { Charge, PaymentMethod, Stored } from './types.ts'

const parts = [
  'access_activity_log',
  'billing_address',
  'cancellation_policy',
  'cancellation_policy_disclosure',
  'cancellation_rebuttal',
  'customer_communication',
  'customer_email_address',
  'customer_name',
  'customer_purchase_ip',
  'customer_signature',
  'duplicate_charge_documentation',
  'duplicate_charge_explanation',
  'duplicate_charge_id',
  'product_description',
  'receipt',
  'refund_policy',
  'refund_policy_disclosure',
  'refund_refusal_explanation',
  'service_date',
  'service_documentation',
  'shipping_address',
  'shipping_carrier',
  'shipping_date',
  'shipping_documentation',
  'shipping_tracking_number',
  'uncategorized_file',
  'uncategorized_text',
]

/** Cards that dispute what they paid, by their last digits. */
const disputing: Record<string, { reason: string; status: string }> = {
  '0259': { reason: 'fraudulent', status: 'needs_response' },
  '2685': { reason: 'product_not_received', status: 'needs_response' },
  '1976': { reason: 'fraudulent', status: 'warning_needs_response' },
}

/** The bank takes the money back when the card is one of those that dispute; the subscription is left alone. */
export function disputeIfCardSays(tx: Tx, charge: Charge, method: PaymentMethod): void {
  const kind = disputing[method.card?.last4 ?? '']
  if (!kind) return
  const dispute: Stored = {
    id: newId('dp'),
    object: 'dispute',
    amount: charge.amount,
    balance_transactions: [],
    charge: charge.id,
    created: tx.now,
    currency: charge.currency,
    enhanced_eligibility_types: [],
    evidence: { ...Object.fromEntries(parts.map((part) => [part, null])), enhanced_evidence: {} },
    evidence_details: {
      due_by: tx.now + 7 * 86_400,
      enhanced_eligibility: {},
      has_evidence: false,
      past_due: false,
      submission_count: 0,
      submission_method: null,
    },
    intended_submission_method: null,
    is_charge_refundable: kind.status.startsWith('warning'),
    livemode: false,
    metadata: {},
    payment_intent: charge.payment_intent,
    payment_method_details: {
      card: {
        brand: method.card!.brand,
        case_type: 'chargeback',
        network: method.card!.brand,
        network_reason_code: '10.4',
      },
      type: 'card',
    },
    reason: kind.reason,
    status: kind.status,
  }
  const inquiry = kind.status.startsWith('warning')
  if (!inquiry) dispute.balance_transactions = [entryOf(tx, dispute, -charge.amount, disputeFee)]
  save(tx, dispute)
  const before = snapshot(tx, charge)
  charge.disputed = true
  save(tx, charge)
  emit(tx, 'charge.dispute.created', dispute)
  if (!inquiry) emit(tx, 'charge.dispute.funds_withdrawn', dispute)
  emitUpdate(tx, 'charge.updated', charge, before)
}

const disputeFee = 1_500

/** The money that a dispute takes, or that a won one brings back, on the balance of the account. */
function entryOf(tx: Tx, dispute: Stored, amount: number, fee: number): Stored {
  const what = amount < 0 ? 'Chargeback withdrawal' : 'Chargeback reversal'
  const charge = { id: dispute.charge as string, currency: dispute.currency as string }
  return load<Stored>(
    tx,
    addToBalance(tx, charge, 'adjustment', amount, `${what} for ${charge.id}`, { fee, source: dispute.id }),
  )
}

/** Evidence decides: `winning_evidence` and `losing_evidence` are Stripe's words for tests. */
export function updateDispute(
  tx: Tx,
  id: string,
  params: { evidence?: Record<string, unknown>; metadata?: unknown; submit?: boolean },
): Stored {
  const dispute = need<Stored>(tx, 'dispute', id)
  const before = snapshot(tx, dispute)
  if (params.evidence) {
    dispute.evidence = { ...(dispute.evidence as object), ...params.evidence }
    const details = dispute.evidence_details as Record<string, unknown>
    dispute.evidence_details = { ...details, has_evidence: true, submission_count: params.submit === false ? 0 : 1 }
  }
  dispute.metadata = mergeMetadata(dispute.metadata ?? {}, params.metadata)
  const text = params.evidence?.uncategorized_text
  const inquiry = String(dispute.status).startsWith('warning')
  if (params.evidence && params.submit !== false) dispute.status = inquiry ? 'warning_under_review' : 'under_review'
  save(tx, dispute)
  emitUpdate(tx, 'charge.dispute.updated', dispute, before)
  if (text === 'winning_evidence' || text === 'losing_evidence') {
    // An inquiry never took money: it is closed, neither won nor lost.
    dispute.status = inquiry ? 'warning_closed' : text === 'winning_evidence' ? 'won' : 'lost'
    if (dispute.status === 'won')
      dispute.balance_transactions = [
        ...(dispute.balance_transactions as Stored[]),
        entryOf(tx, dispute, dispute.amount as number, 0),
      ]
    save(tx, dispute)
    if (dispute.status === 'won') emit(tx, 'charge.dispute.funds_reinstated', dispute)
    emit(tx, 'charge.dispute.closed', dispute)
  }
  return dispute
}

/** Closing accepts the loss. */
export function closeDispute(tx: Tx, id: string): Stored {
  const dispute = need<Stored>(tx, 'dispute', id)
  if (['won', 'lost', 'warning_closed'].includes(String(dispute.status)))
    throw invalid('This dispute is already closed.')
  dispute.status = 'lost'
  save(tx, dispute)
  emit(tx, 'charge.dispute.closed', dispute)
  return dispute
}

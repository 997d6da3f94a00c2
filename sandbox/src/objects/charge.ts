import { emit } from '../events/emit.ts'
import { newId, randomText } from '../store/ids.ts'
import { save, type Tx } from '../store/transact.ts'
import { addToBalance, emitBalance } from './balance.ts'
import type { Charge, PaymentIntent, PaymentMethod } from './types.ts'

type Result =
  | { status: 'succeeded' | 'pending'; captured: boolean }
  | { status: 'failed'; code: string; declineCode: string | null; message: string }

/** One attempt to take money, successful or not. */
export function createCharge(tx: Tx, intent: PaymentIntent, method: PaymentMethod, result: Result): Charge {
  const ok = result.status !== 'failed'
  const captured = ok && result.captured
  const charge: Charge = {
    id: newId('ch'),
    object: 'charge',
    amount: intent.amount,
    amount_captured: captured ? intent.amount : 0,
    amount_refunded: 0,
    application: null,
    application_fee: null,
    application_fee_amount: null,
    balance_transaction: null,
    billing_details: method.billing_details,
    calculated_statement_descriptor: 'SANDBOX',
    captured,
    created: tx.now,
    currency: intent.currency,
    customer: intent.customer,
    description: intent.description,
    disputed: false,
    failure_balance_transaction: null,
    failure_code: ok ? null : result.code,
    failure_message: ok ? null : result.message,
    fraud_details: {},
    livemode: false,
    // The intent's metadata is copied once, at this moment.
    metadata: { ...intent.metadata },
    on_behalf_of: null,
    outcome: ok
      ? {
          advice_code: null,
          network_advice_code: null,
          network_decline_code: null,
          network_status: 'approved_by_network',
          reason: null,
          risk_level: 'normal',
          risk_score: 34,
          seller_message: 'Payment complete.',
          type: 'authorized',
        }
      : {
          advice_code: 'try_again_later',
          network_advice_code: null,
          network_decline_code: '01',
          network_status: 'declined_by_network',
          reason: result.declineCode ?? result.code,
          risk_level: 'normal',
          risk_score: 34,
          seller_message: 'The bank did not return any further details with this decline.',
          type: 'issuer_declined',
        },
    paid: result.status === 'succeeded',
    payment_intent: intent.id,
    payment_method: method.id,
    payment_method_details: detailsOf(intent, method),
    radar_options: {},
    receipt_email: intent.receipt_email,
    receipt_number: null,
    receipt_url: ok ? `${tx.world.url}/receipts/${randomText(24)}` : null,
    refunded: false,
    review: null,
    shipping: intent.shipping,
    source: null,
    source_transfer: null,
    statement_descriptor: null,
    statement_descriptor_suffix: null,
    status: result.status,
    transfer_data: null,
    transfer_group: null,
  }
  if (captured)
    charge.balance_transaction = addToBalance(tx, charge, 'charge', intent.amount, intent.description, {
      available: skipsPending(method),
    })
  save(tx, charge)
  emit(tx, `charge.${result.status}`, charge)
  if (captured && skipsPending(method)) emitBalance(tx)
  return charge
}

// Stripe's test card whose money is at one's disposal at once.
function skipsPending(method: PaymentMethod): boolean {
  return method.card?.last4 === '0077'
}

function detailsOf(intent: PaymentIntent, method: PaymentMethod): Record<string, unknown> {
  if (method.type === 'sepa_debit') {
    const { generated_from: _, ...debit } = method.sepa_debit as Record<string, unknown>
    return { sepa_debit: { ...debit, mandate: null }, type: 'sepa_debit' }
  }
  if (method.type === 'us_bank_account') {
    const { account_holder_type, account_type, bank_name, fingerprint, last4, routing_number } =
      method.us_bank_account as Record<string, unknown>
    const account = { account_holder_type, account_type, bank_name, fingerprint, last4, routing_number }
    return { type: 'us_bank_account', us_bank_account: { ...account, payment_reference: null } }
  }
  if (!method.card) return { [method.type]: method[method.type] ?? {}, type: method.type }
  const { brand, checks, country, exp_month, exp_year, fingerprint, funding, last4 } = method.card
  return {
    card: {
      amount_authorized: intent.amount,
      authorization_code: '231390',
      brand,
      checks,
      country,
      electronic_commerce_indicator: null,
      exp_month,
      exp_year,
      extended_authorization: { status: 'disabled' },
      fingerprint,
      funding,
      incremental_authorization: { status: 'unavailable' },
      installments: null,
      last4,
      mandate: null,
      multicapture: { status: 'unavailable' },
      network: brand,
      network_token: { used: false },
      network_transaction_id: '119528868122817',
      overcapture: { maximum_amount_capturable: intent.amount, status: 'unavailable' },
      regulated_status: 'unregulated',
      three_d_secure: null,
      transaction_link_id: null,
      wallet: null,
    },
    type: 'card',
  }
}

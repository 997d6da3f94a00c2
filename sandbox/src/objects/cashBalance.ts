import { settleIntent } from '../engine/collect.ts'
import { captureTransfer } from '../engine/payment.ts'
import { emit, emitUpdate, snapshot } from '../events/emit.ts'
import { newId } from '../store/ids.ts'
import { listOf, save, type Tx } from '../store/transact.ts'
import { need } from './common.ts'
import type { Customer, PaymentIntent, Stored } from './types.ts'

type Cash = Record<string, number>
type Instructions = { amount_remaining: number; [field: string]: unknown }

/** What customers sent to their account and nothing has claimed yet. */
export function cashBalance(tx: Tx, customerId: string): Record<string, unknown> {
  const available = cashOf(need<Customer>(tx, 'customer', customerId))
  return {
    object: 'cash_balance',
    available: Object.keys(available).length === 0 ? null : available,
    customer: customerId,
    customer_account: null,
    livemode: false,
    settings: { reconciliation_mode: 'automatic', using_merchant_default: true },
  }
}

/** Money arrives: the oldest payments that wait for it are served first, and what is left stays on the balance. */
export function fundCashBalance(
  tx: Tx,
  customerId: string,
  params: { amount: number | string; currency: string; reference?: string },
): Stored {
  const amount = Number(params.amount)
  const currency = params.currency.toLowerCase()
  const funded = book(tx, customerId, currency, amount, {
    funded: { bank_transfer: { reference: params.reference ?? null, type: `${currency.slice(0, 2)}_bank_transfer` } },
    type: 'funded',
  })
  let left = amount
  const waiting = listOf<PaymentIntent>(tx, 'payment_intent', { customer: customerId })
    .reverse()
    .filter((intent) => intent.currency === currency && intent.next_action?.type === waitsFor)
  for (const intent of waiting) left -= apply(tx, intent, left)
  if (left > 0)
    tx.events.push({ type: 'cash_balance.funds_available', object: cashBalance(tx, customerId), at: tx.now })
  return funded
}

const waitsFor = 'display_bank_transfer_instructions'

function apply(tx: Tx, intent: PaymentIntent, left: number): number {
  const instructions = intent.next_action![waitsFor] as Instructions
  const taken = Math.min(left, instructions.amount_remaining)
  if (taken <= 0) return 0
  book(tx, intent.customer!, intent.currency, -taken, {
    applied_to_payment: { payment_intent: intent.id },
    type: 'applied_to_payment',
  })
  const before = snapshot(tx, intent)
  instructions.amount_remaining -= taken
  if (instructions.amount_remaining === 0) settleIntent(tx, intent, captureTransfer(tx, intent))
  else {
    save(tx, intent)
    emitUpdate(tx, 'payment_intent.partially_funded', intent, before)
  }
  return taken
}

function book(tx: Tx, customerId: string, currency: string, net: number, reason: Record<string, unknown>): Stored {
  const customer = need<Customer>(tx, 'customer', customerId)
  const cash = cashOf(customer)
  cash[currency] = (cash[currency] ?? 0) + net
  save(tx, { ...customer, _: { ...customer._, cash } })
  const entry: Stored = {
    id: newId('ccsbtxn'),
    object: 'customer_cash_balance_transaction',
    created: tx.now,
    currency,
    customer: customerId,
    customer_account: null,
    ending_balance: cash[currency],
    livemode: false,
    net_amount: net,
    ...reason,
  }
  save(tx, entry)
  emit(tx, 'customer_cash_balance_transaction.created', entry)
  return entry
}

function cashOf(customer: Customer): Cash {
  return { ...(customer._?.cash as Cash | undefined) }
}

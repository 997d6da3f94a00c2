import { createHash } from 'node:crypto'
import { declineMessage, type TestCard, testCardByName, testCardByNumber } from '../engine/testCards.ts'
import { emit, emitUpdate, snapshot } from '../events/emit.ts'
import { newId } from '../store/ids.ts'
import { find, listOf, save, type Tx } from '../store/transact.ts'
import { docUrl, invalid, missing, StripeError } from '../wire/errors.ts'
import { emptyAddress, mergeMetadata, need, textOrNull } from './common.ts'
import type { CardBehavior, Customer, PaymentMethod, Subscription } from './types.ts'

type Billing = {
  email?: string | null
  name?: string | null
  phone?: string | null
  address?: unknown
  tax_id?: string | null
}
type CardParams = { number?: string; exp_month?: number; exp_year?: number; cvc?: string; token?: string }
type CreateParams = {
  type?: string
  card?: CardParams
  billing_details?: Billing
  allow_redisplay?: string
  metadata?: unknown
  customer?: string
  [details: string]: unknown
}

export function createPaymentMethod(tx: Tx, params: CreateParams): PaymentMethod {
  const type = params.type ?? 'card'
  if (type !== 'card')
    return blankMethod(tx, params, type, { [type]: detailsOf(type, params[type]) }, debitBehavior(type, params[type]))
  const { card } = params
  if (!card) throw invalid('Missing required param: card.', 'card', 'parameter_missing')
  const known = card.token ? testCardByName(card.token) : testCardByNumber(card.number ?? '')
  if (!known) throw invalid(`No such token: '${card.token}'`, 'card[token]', 'resource_missing')
  if (known === 'incorrect_number') throw cardRefused('incorrect_number', null)
  const year = card.exp_year ?? new Date(tx.now * 1000).getUTCFullYear() + 1
  const month = card.exp_month ?? 12
  if (month < 1 || month > 12)
    throw cardRefused('invalid_expiry_month', null, "Your card's expiration month is invalid.")
  const fullYear = year < 100 ? 2000 + year : year
  if (Date.UTC(fullYear, month, 1) / 1000 <= tx.now)
    throw cardRefused('invalid_expiry_year', null, "Your card's expiration year is invalid.")
  return blankMethod(tx, params, 'card', { card: cardDetails(known, month, fullYear) }, known.behavior)
}

/** `pm_card_visa` and its kin stand for a new card at each use; a real id stands for itself. */
export function ownCopy(tx: Tx, id: string, param = 'payment_method'): PaymentMethod {
  const known = testCardByName(id)
  if (known) {
    const year = new Date(tx.now * 1000).getUTCFullYear() + 1
    const month = new Date(tx.now * 1000).getUTCMonth() + 1
    return blankMethod(tx, {}, 'card', { card: cardDetails(known, month, year) }, known.behavior)
  }
  const token = find(tx, id)
  if (token?.object === 'token') return need<PaymentMethod>(tx, 'payment_method', token.payment_method, param)
  return need<PaymentMethod>(tx, 'payment_method', id, param)
}

export function attachPaymentMethod(tx: Tx, id: string, customerId: string): PaymentMethod {
  const method =
    find<PaymentMethod>(tx, id)?.object === 'payment_method' ? find<PaymentMethod>(tx, id)! : ownCopyOr404(tx, id)
  const customer = need<Customer>(tx, 'customer', customerId, 'customer')
  if (method.customer === customer.id) return method
  if (method.customer !== null)
    throw invalid(
      'This PaymentMethod has already been attached to a customer.',
      'payment_method',
      'payment_method_unexpected_state',
    )
  if (method._.used)
    throw invalid(
      'This PaymentMethod was previously used without being attached to a Customer or was detached from a Customer, and may not be used again.',
      'payment_method',
    )
  const { behavior } = method._
  if (behavior.kind === 'declines') throw cardRefused(behavior.code, behavior.declineCode)
  method.customer = customer.id
  save(tx, method)
  emit(tx, 'payment_method.attached', method)
  return method
}

export function detachPaymentMethod(tx: Tx, id: string): PaymentMethod {
  const method = need<PaymentMethod>(tx, 'payment_method', id, 'payment_method', 404)
  if (method.customer === null)
    throw invalid(
      'The payment method you provided is not attached to a customer so detachment is impossible.',
      'payment_method',
    )
  const before = snapshot(tx, method)
  const owner = need<Customer>(tx, 'customer', method.customer, 'customer')
  method.customer = null
  method._.used = true
  save(tx, method)
  if (owner.invoice_settings.default_payment_method === id) {
    const ownerBefore = snapshot(tx, owner)
    owner.invoice_settings.default_payment_method = null
    save(tx, owner)
    emitUpdate(tx, 'customer.updated', owner, ownerBefore)
  }
  for (const subscription of listOf<Subscription>(tx, 'subscription', { customer: owner.id })) {
    if (subscription.default_payment_method !== id) continue
    const subscriptionBefore = snapshot(tx, subscription)
    subscription.default_payment_method = null
    save(tx, subscription)
    emitUpdate(tx, 'customer.subscription.updated', subscription, subscriptionBefore)
  }
  emitUpdate(tx, 'payment_method.detached', method, before)
  return method
}

export function updatePaymentMethod(
  tx: Tx,
  id: string,
  params: {
    billing_details?: Billing
    card?: { exp_month?: number; exp_year?: number }
    metadata?: unknown
    allow_redisplay?: string
  },
): PaymentMethod {
  const method = need<PaymentMethod>(tx, 'payment_method', id, 'payment_method', 404)
  const before = snapshot(tx, method)
  if (params.billing_details)
    method.billing_details = { ...method.billing_details, ...billingOf(params.billing_details, method.billing_details) }
  if (params.card && method.card) {
    if (params.card.exp_month !== undefined) method.card.exp_month = params.card.exp_month
    if (params.card.exp_year !== undefined) method.card.exp_year = params.card.exp_year
  }
  if (params.allow_redisplay !== undefined) method.allow_redisplay = params.allow_redisplay
  method.metadata = mergeMetadata(method.metadata ?? {}, params.metadata)
  save(tx, method)
  emitUpdate(tx, 'payment_method.updated', method, before)
  return method
}

export function cardRefused(
  code: string,
  declineCode: string | null,
  message?: string,
  extra: Record<string, unknown> = {},
): StripeError {
  return new StripeError(
    402,
    {
      type: 'card_error',
      code,
      ...docUrl(code),
      message: message ?? declineMessage(code, declineCode),
      param: '',
      ...(declineCode ? { decline_code: declineCode, advice_code: 'try_again_later', network_decline_code: '01' } : {}),
      ...extra,
    },
    { headers: { 'stripe-should-retry': 'false' } },
  )
}

function ownCopyOr404(tx: Tx, id: string): PaymentMethod {
  if (!testCardByName(id)) throw missing('PaymentMethod', id, 'payment_method', 404)
  return ownCopy(tx, id)
}

function blankMethod(
  tx: Tx,
  params: CreateParams,
  type: string,
  details: Record<string, unknown>,
  behavior: CardBehavior,
): PaymentMethod {
  const method: PaymentMethod = {
    id: newId('pm'),
    object: 'payment_method',
    allow_redisplay: params.allow_redisplay ?? 'unspecified',
    billing_details: billingOf(params.billing_details ?? {}),
    created: tx.now,
    customer: null,
    customer_account: null,
    livemode: false,
    metadata: mergeMetadata({}, params.metadata),
    type,
    ...details,
    _: { behavior, setUp: behavior.kind === 'ok', used: false },
  }
  return save(tx, method)
}

function billingOf(given: Billing, old?: Billing): PaymentMethod['billing_details'] {
  return {
    address: given.address ? { ...emptyAddress(), ...(given.address as object) } : (old?.address ?? emptyAddress()),
    email: given.email === undefined ? (old?.email ?? null) : textOrNull(given.email),
    name: given.name === undefined ? (old?.name ?? null) : textOrNull(given.name),
    phone: given.phone === undefined ? (old?.phone ?? null) : textOrNull(given.phone),
    tax_id: null,
  }
}

function cardDetails(card: TestCard, month: number, year: number) {
  return {
    brand: card.brand,
    checks: { address_line1_check: null, address_postal_code_check: null, cvc_check: 'pass' },
    country: card.country,
    display_brand: card.brand === 'amex' ? 'american_express' : card.brand,
    exp_month: month,
    exp_year: year,
    fingerprint: createHash('sha256').update(card.number).digest('base64url').replaceAll(/[-_]/g, 'x').slice(0, 16),
    funding: card.funding,
    generated_from: null,
    last4: card.number.slice(-4),
    networks: { available: [card.brand], preferred: null },
    regulated_status: 'unregulated',
    three_d_secure_usage: { supported: true },
    wallet: null,
  }
}

// Test accounts by what becomes of a debit; any other one pays within moments.
const failing: Record<string, string> = {
  AT861904300235473202: 'debit_not_authorized',
  DE62370400440532013001: 'debit_not_authorized',
  FR8420041010050500013M02607: 'debit_not_authorized',
  IT60X0542811101000000123456: 'debit_not_authorized',
  '000111111113': 'account_closed',
  '000111111116': 'account_closed',
  '000222222227': 'insufficient_funds',
  '000333333335': 'debit_not_authorized',
}
const slow = new Set(['AT321904300235473204', 'DE08370400440532013003', 'FR3020041010050500013M02609'])

function debitBehavior(type: string, given: unknown): CardBehavior {
  if (type === 'customer_balance') return { kind: 'transfers' }
  if (type !== 'sepa_debit' && type !== 'us_bank_account') return { kind: 'ok' }
  const { iban, account_number } = (given ?? {}) as { iban?: string; account_number?: string }
  const account = String(iban ?? account_number ?? '').replaceAll(' ', '')
  return { kind: 'delayed', seconds: slow.has(account) ? 180 : 0, fails: failing[account] ?? null }
}

function detailsOf(type: string, given: unknown): Record<string, unknown> {
  const sent = typeof given === 'object' && given !== null ? (given as Record<string, unknown>) : {}
  if (type === 'sepa_debit') {
    const iban = String(sent.iban ?? '')
    return {
      bank_code: iban.slice(4, 12),
      branch_code: '',
      country: iban.slice(0, 2),
      fingerprint: 'sandbox',
      generated_from: { charge: null, setup_attempt: null },
      last4: iban.slice(-4),
    }
  }
  if (type === 'us_bank_account')
    return {
      account_holder_type: sent.account_holder_type ?? 'individual',
      account_type: sent.account_type ?? 'checking',
      bank_name: 'STRIPE TEST BANK',
      financial_connections_account: null,
      fingerprint: 'sandbox',
      last4: String(sent.account_number ?? '6789').slice(-4),
      networks: { preferred: 'ach', supported: ['ach'] },
      routing_number: sent.routing_number ?? '110000000',
      status_details: {},
    }
  if (type === 'fpx') return { bank: sent.bank ?? null }
  return {}
}

import type Stripe from 'stripe'
import { cancelNow } from '../engine/cancel.ts'
import { testCardByName } from '../engine/testCards.ts'
import { emit, emitUpdate, snapshot } from '../events/emit.ts'
import { newId, randomText } from '../store/ids.ts'
import { find, listOf, save, type Tx } from '../store/transact.ts'
import { missing } from '../wire/errors.ts'
import { assignSent, mergeMetadata, need, textOrNull, wholeAddress, wholeShipping } from './common.ts'
import { grantDiscount } from './discount.ts'
import { attachPaymentMethod, ownCopy } from './paymentMethod.ts'
import type { Customer, Discount, PaymentMethod, Subscription, TestClock } from './types.ts'

/** Names that older API versions had, which the Stripe CLI's scripts still send. */
type Older = { coupon?: string; source?: string; promotion_code?: string }

export function createCustomer(tx: Tx, params: Stripe.CustomerCreateParams & Older): Customer {
  if (params.test_clock)
    tx.now = need<TestClock>(tx, 'test_helpers.test_clock', params.test_clock, 'test_clock').frozen_time
  const customer: Customer = {
    id: newId('cus', 14),
    object: 'customer',
    address: wholeAddress(params.address),
    balance: params.balance ?? 0,
    created: tx.now,
    currency: null,
    customer_account: null,
    default_source: null,
    delinquent: false,
    description: textOrNull(params.description),
    discount: null,
    email: textOrNull(params.email),
    invoice_prefix: params.invoice_prefix ?? randomText(8).toUpperCase(),
    invoice_settings: {
      custom_fields: null,
      default_payment_method: null,
      footer: null,
      rendering_options: null,
    },
    livemode: false,
    metadata: mergeMetadata({}, params.metadata),
    name: textOrNull(params.name),
    next_invoice_sequence: params.next_invoice_sequence ?? 1,
    phone: textOrNull(params.phone),
    preferred_locales: params.preferred_locales ?? [],
    shipping: wholeShipping(params.shipping),
    tax_exempt: params.tax_exempt || 'none',
    test_clock: params.test_clock ?? null,
  }
  save(tx, customer)
  if (params.coupon || params.promotion_code)
    customer.discount = grantDiscount(
      tx,
      { coupon: params.coupon, promotion_code: params.promotion_code },
      { customer: customer.id },
    ).id
  const method = params.payment_method ?? params.source
  if (method) {
    const attached = attachPaymentMethod(tx, ownCopy(tx, method, 'payment_method').id, customer.id)
    if (params.source) customer.invoice_settings.default_payment_method = attached.id
  }
  if (params.invoice_settings) applyInvoiceSettings(tx, customer, params.invoice_settings)
  save(tx, customer)
  emit(tx, 'customer.created', customer)
  if (customer.discount) emit(tx, 'customer.discount.created', need<Discount>(tx, 'discount', customer.discount))
  return customer
}

export function updateCustomer(tx: Tx, id: string, params: Stripe.CustomerUpdateParams & Older): Customer {
  const customer = need<Customer>(tx, 'customer', id)
  const before = snapshot(tx, customer)
  assignSent(customer, params, [
    'balance',
    'description',
    'email',
    'invoice_prefix',
    'name',
    'next_invoice_sequence',
    'phone',
    'preferred_locales',
  ])
  if (params.address !== undefined) customer.address = wholeAddress(params.address)
  if (params.shipping !== undefined) customer.shipping = wholeShipping(params.shipping)
  if (params.tax_exempt !== undefined) customer.tax_exempt = params.tax_exempt || 'none'
  if (params.source) {
    const attached = attachPaymentMethod(tx, ownCopy(tx, params.source, 'source').id, id)
    customer.invoice_settings.default_payment_method = attached.id
  }
  const replaced = customer.discount
  if (params.coupon) customer.discount = grantDiscount(tx, { coupon: params.coupon }, { customer: id }).id
  if (params.coupon === '') customer.discount = null
  if (params.invoice_settings) applyInvoiceSettings(tx, customer, params.invoice_settings)
  customer.metadata = mergeMetadata(customer.metadata ?? {}, params.metadata)
  save(tx, customer)
  if (params.coupon)
    emit(tx, `customer.discount.${replaced ? 'updated' : 'created'}`, need<Discount>(tx, 'discount', customer.discount))
  if (params.coupon === '' && replaced) emit(tx, 'customer.discount.deleted', need<Discount>(tx, 'discount', replaced))
  emitUpdate(tx, 'customer.updated', customer, before)
  return customer
}

export function deleteCustomer(tx: Tx, id: string) {
  const customer = need<Customer>(tx, 'customer', id)
  for (const subscription of listOf<Subscription>(tx, 'subscription', { customer: id })) {
    if (subscription.status !== 'canceled' && subscription.status !== 'incomplete_expired')
      cancelNow(tx, subscription, {})
  }
  emit(tx, 'customer.deleted', customer)
  save(tx, { ...customer, _: { deleted: true } })
  return { id, object: 'customer', deleted: true }
}

/** A deleted customer still answers, with 200 and nothing but its id. */
export function retrieveCustomer(tx: Tx, id: string): Customer | { id: string; object: string; deleted: true } {
  const customer = find<Customer>(tx, id)
  if (customer?.object !== 'customer') throw missing('customer', id)
  return customer._?.deleted ? { id, object: 'customer', deleted: true } : customer
}

// A test name stands for the card of that kind that the customer has, or for a new one.
function named(tx: Tx, customer: Customer, id: string | undefined): string | undefined {
  if (!id || !testCardByName(id)) return id
  const last4 = testCardByName(id)!.number.slice(-4)
  const present = listOf<PaymentMethod>(tx, 'payment_method', { customer: customer.id }).find(
    (method) => method.card?.last4 === last4,
  )
  return present?.id ?? attachPaymentMethod(tx, id, customer.id).id
}

function applyInvoiceSettings(tx: Tx, customer: Customer, settings: Stripe.CustomerUpdateParams.InvoiceSettings): void {
  const method = named(tx, customer, settings.default_payment_method)
  if (method) {
    const attached = need<PaymentMethod>(tx, 'payment_method', method, 'invoice_settings[default_payment_method]')
    if (attached.customer !== customer.id)
      throw missing('PaymentMethod', method, 'invoice_settings[default_payment_method]')
  }
  if (method !== undefined) customer.invoice_settings.default_payment_method = textOrNull(method)
  if (settings.footer !== undefined) customer.invoice_settings.footer = textOrNull(settings.footer)
  if (settings.custom_fields !== undefined) customer.invoice_settings.custom_fields = settings.custom_fields || null
  if (settings.rendering_options !== undefined)
    customer.invoice_settings.rendering_options = settings.rendering_options || null
}

import { find, type Tx } from '../store/transact.ts'
import { missing } from '../wire/errors.ts'
import type { Metadata, Stored } from './types.ts'

/** Merges as Stripe does: an empty value removes its key, an empty string for the whole clears it. */
export function mergeMetadata(current: Metadata, change: unknown): Metadata {
  if (change === undefined) return current
  if (change === '' || change === null) return {}
  const merged = { ...current }
  for (const [key, value] of Object.entries(change as Record<string, string | null>)) {
    if (value === '' || value === null) delete merged[key]
    else merged[key] = String(value)
  }
  return merged
}

/** Empty text unsets. */
export function textOrNull(value: unknown): string | null {
  return value === undefined || value === null || value === '' ? null : String(value)
}

/** Copies the named parameters that were sent onto the object; the empty string becomes null. */
export function assignSent(object: Stored, params: object, names: string[]): void {
  for (const name of names) {
    const value = (params as Record<string, unknown>)[name]
    if (value !== undefined) object[name] = value === '' ? null : value
  }
}

const kinds: Record<string, string> = {
  customer: 'customer',
  product: 'product',
  price: 'price',
  coupon: 'coupon',
  promotion_code: 'promotion code',
  subscription: 'subscription',
  subscription_item: 'subscription_item',
  subscription_schedule: 'subscription schedule',
  invoice: 'invoice',
  invoiceitem: 'invoiceitem',
  invoice_payment: 'invoice_payment',
  payment_intent: 'payment_intent',
  setup_intent: 'setup_intent',
  payment_method: 'PaymentMethod',
  charge: 'charge',
  refund: 'refund',
  credit_note: 'credit_note',
  event: 'event',
  dispute: 'dispute',
  tax_rate: 'tax rate',
  webhook_endpoint: 'webhook endpoint',
  payment_link: 'payment_link',
  quote: 'quote',
  tax_id: 'tax_id',
  'billing.meter': 'meter',
  'checkout.session': 'checkout.session',
  'billing_portal.configuration': 'configuration',
  'billing_portal.session': 'session',
  'test_helpers.test_clock': 'test clock',
}

/** The stored object, or Stripe's "No such …": 404 when it was addressed (`param` is id), 400 when a parameter named it. */
export function need<T extends Stored>(tx: Tx, type: T['object'], id: unknown, param = 'id', status?: number): T {
  const object = typeof id === 'string' ? find<T>(tx, id) : undefined
  if (!object || object.object !== type || object._?.deleted)
    throw missing(kinds[type] ?? type, String(id), param, status)
  return object
}

export function emptyAddress() {
  return { city: null, country: null, line1: null, line2: null, postal_code: null, state: null }
}

/** An address with every part, null where nothing was given. */
export function wholeAddress(given: unknown): ReturnType<typeof emptyAddress> | null {
  return given ? { ...emptyAddress(), ...(given as object) } : null
}

/** Shipping details with a whole address. */
export function wholeShipping(given: unknown): object | null {
  if (!given) return null
  const { address } = given as { address?: unknown }
  return { ...(given as object), ...(address ? { address: wholeAddress(address) } : {}) }
}

/** `created[gte]`-like filters, or one exact value. */
export function within(value: number | null, filter: unknown): boolean {
  if (filter === undefined) return true
  if (value === null) return false
  if (typeof filter === 'number') return value === filter
  const { gt, gte, lt, lte } = filter as { gt?: number; gte?: number; lt?: number; lte?: number }
  return (
    (gt === undefined || value > gt) &&
    (gte === undefined || value >= gte) &&
    (lt === undefined || value < lt) &&
    (lte === undefined || value <= lte)
  )
}

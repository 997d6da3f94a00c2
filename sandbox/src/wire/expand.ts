import { includable, renderObject } from '../objects/render.ts'
import type { Stored } from '../objects/types.ts'
import { find, type Tx } from '../store/transact.ts'
import { invalid } from './errors.ts'

/** Fields that hold an id and may be shown as the whole object, by the object that has them. */
const expandable: Record<string, string[]> = {
  charge: [
    'balance_transaction',
    'customer',
    'failure_balance_transaction',
    'payment_intent',
    'on_behalf_of',
    'application',
    'review',
  ],
  'checkout.session': [
    'customer',
    'invoice',
    'payment_intent',
    'payment_link',
    'setup_intent',
    'subscription',
    'discounts.coupon',
    'discounts.promotion_code',
  ],
  'billing_portal.session': ['configuration'],
  credit_note: ['customer', 'customer_balance_transaction', 'discount_amounts.discount', 'invoice', 'refunds.refund'],
  credit_note_line_item: ['discount_amounts.discount'],
  customer: ['default_source', 'invoice_settings.default_payment_method', 'test_clock'],
  discount: ['customer', 'promotion_code', 'source.coupon'],
  invoice: [
    'account_tax_ids',
    'customer',
    'default_payment_method',
    'default_source',
    'discounts',
    'latest_revision',
    'on_behalf_of',
    'parent.subscription_details.subscription',
    'test_clock',
    'total_discount_amounts.discount',
    'total_pretax_credit_amounts.discount',
  ],
  invoice_payment: ['invoice', 'payment.charge', 'payment.payment_intent'],
  invoiceitem: ['customer', 'discounts', 'invoice', 'pricing.price_details.price', 'test_clock'],
  line_item: ['discount_amounts.discount', 'discounts', 'pricing.price_details.price', 'subscription'],
  payment_intent: ['customer', 'latest_charge', 'payment_method', 'application', 'on_behalf_of', 'review', 'source'],
  payment_method: ['customer'],
  plan: ['product'],
  price: ['product'],
  product: ['default_price', 'tax_code'],
  promotion_code: ['customer', 'promotion.coupon'],
  refund: [
    'balance_transaction',
    'charge',
    'customer',
    'payment_intent',
    'payment_method',
    'failure_balance_transaction',
  ],
  balance_transaction: ['source'],
  quote: [
    'customer',
    'default_tax_rates',
    'discounts',
    'invoice',
    'subscription',
    'subscription_schedule',
    'test_clock',
  ],
  setup_intent: ['customer', 'latest_attempt', 'mandate', 'payment_method', 'application', 'on_behalf_of'],
  subscription: [
    'customer',
    'default_payment_method',
    'default_source',
    'discounts',
    'latest_invoice',
    'pending_setup_intent',
    'schedule',
    'test_clock',
    'application',
    'on_behalf_of',
  ],
  subscription_item: ['discounts'],
  tax_id: ['customer', 'owner.customer'],
  subscription_schedule: [
    'customer',
    'default_settings.default_payment_method',
    'phases.items.price',
    'phases.items.plan',
    'phases.default_payment_method',
    'subscription',
    'test_clock',
    'application',
  ],
}

// Included by Stripe only when asked for, and always the same here.
const plain = new Set(['total_details.breakdown'])

type Shown = Record<string, unknown>

/** Replaces ids by objects and adds includable fields along each path, up to four levels deep. */
export function expand(tx: Tx, rendered: Shown, stored: Stored | null, paths: string[]): Shown {
  for (const path of paths) {
    const keys = path.split('.')
    if (keys.filter((key) => key !== 'data').length > 4)
      throw invalid(`You cannot expand more than 4 levels of a property (${path}).`, 'expand')
    expandPath(tx, rendered, stored, keys, path, '')
  }
  return rendered
}

function expandPath(tx: Tx, node: Shown, stored: Stored | null, keys: string[], path: string, within: string): void {
  const [key, ...rest] = keys
  if (key === undefined) return
  const type = typeof node.object === 'string' && node.object !== 'list' ? node.object : null
  // `within` is the way from the nearest object to this inner part of it.
  const owner = type ?? (within.includes(':') ? within.slice(0, within.indexOf(':')) : '')
  const field = type ? key : `${within.slice(within.indexOf(':') + 1)}.${key}`
  const known = expandable[owner]?.some((each) => each === field || each.startsWith(`${field}.`)) ?? false
  const include = type ? includable[`${type}.${key}`] : undefined
  const bare = plain.has(field)
  if (node[key] === undefined && include) {
    const original =
      stored && stored.id === node.id ? stored : typeof node.id === 'string' ? find<Stored>(tx, node.id) : undefined
    if (original) node[key] = include(tx, original)
    if (node[key] === undefined) delete node[key]
  }
  if (bare && node[key] === undefined) {
    node[key] = { discounts: [], taxes: [] }
    return
  }
  const value = node[key]
  const inner = typeof value === 'object' && value !== null
  if (!known && !include && !bare && !(inner && rest.length > 0) && !(node.object === 'list' && key === 'data'))
    throw invalid(`This property cannot be expanded (${path}).`, 'expand')
  if (Array.isArray(value)) {
    node[key] = value.map((item) => expandValue(tx, item, rest, path, `${owner}:${field}`))
    return
  }
  if (value === undefined || value === null) return
  node[key] = expandValue(tx, value, rest, path, `${owner}:${field}`)
}

function expandValue(tx: Tx, value: unknown, rest: string[], path: string, within: string): unknown {
  let shown = value
  let stored: Stored | null = null
  if (typeof value === 'string') {
    stored = find<Stored>(tx, value) ?? null
    if (!stored) return value
    shown = stored._?.deleted ? { id: stored.id, object: stored.object, deleted: true } : renderObject(tx, stored)
    if (stored._?.deleted) return shown
  }
  if (rest.length > 0 && typeof shown === 'object' && shown !== null)
    expandPath(tx, shown as Shown, stored, rest, path, within)
  return shown
}

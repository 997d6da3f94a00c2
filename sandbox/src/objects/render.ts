import { listOf, load, type Tx } from '../store/transact.ts'
import { planOf } from './price.ts'
import type {
  Customer,
  Discount,
  Invoice,
  InvoiceLine,
  Price,
  Refund,
  Stored,
  Subscription,
  SubscriptionItem,
} from './types.ts'

export type Rendered = Record<string, unknown>

/** The object as the API shows it: without the engine's own notes, with the inner lists that Stripe always includes. */
export function renderObject(tx: Tx, object: Stored): Rendered {
  const { _, ...shown } = object
  switch (object.object) {
    case 'customer': {
      const discount = (object as Customer).discount
      return { ...shown, discount: discount ? renderObject(tx, load<Discount>(tx, discount)) : null }
    }
    case 'subscription':
      return renderSubscription(tx, object as Subscription, shown)
    case 'subscription_item':
      return renderItem(tx, object as SubscriptionItem, shown)
    case 'invoice':
      // A preview brings its lines: nothing of it is stored any more.
      if ('lines' in object) return shown
      return {
        ...shown,
        lines: listObject(
          `/v1/invoices/${object.id}/lines`,
          linesOf(tx, object as Invoice).map((line) => renderObject(tx, line)),
          10,
        ),
      }
    case 'item':
      return { ...shown, price: renderObject(tx, load<Price>(tx, object.price as string)) }
    default:
      return shown
  }
}

/** Fields that Stripe leaves out unless they are asked for, by object and name. */
export const includable: Record<string, (tx: Tx, object: Stored) => unknown> = {
  'charge.refunds': (tx, object) =>
    listObject(
      `/v1/charges/${object.id}/refunds`,
      listOf<Refund>(tx, 'refund', { parent: object.id }).map((refund) => renderObject(tx, refund)),
    ),
  'checkout.session.line_items': (tx, object) => lineItemList(tx, `/v1/checkout/sessions/${object.id}`, object),
  'payment_link.line_items': (tx, object) => lineItemList(tx, `/v1/payment_links/${object.id}`, object),
  'quote.line_items': (tx, object) => lineItemList(tx, `/v1/quotes/${object.id}`, object),
  'coupon.applies_to': (_tx, object) => (object._?.products ? { products: object._.products } : undefined),
  'coupon.currency_options': (_tx, object) =>
    object.currency ? { [object.currency as string]: { amount_off: object.amount_off } } : {},
  'customer.subscriptions': (tx, object) =>
    listObject(
      `/v1/customers/${object.id}/subscriptions`,
      listOf<Subscription>(tx, 'subscription', { customer: object.id })
        .filter((subscription) => subscription.status !== 'canceled')
        .map((subscription) => renderObject(tx, subscription)),
    ),
  'customer.sources': (_tx, object) => listObject(`/v1/customers/${object.id}/sources`, []),
  'customer.tax_ids': (tx, object) =>
    listObject(
      `/v1/customers/${object.id}/tax_ids`,
      listOf(tx, 'tax_id', { customer: object.id }).map((each) => renderObject(tx, each)),
    ),
  'customer.tax': () => ({
    automatic_tax: 'unrecognized_location',
    ip_address: null,
    location: null,
    provider: 'stripe',
  }),
  'customer.invoice_credit_balance': (_tx, object) => {
    const customer = object as Customer
    return customer.currency && customer.balance !== 0 ? { [customer.currency]: -customer.balance } : {}
  },
  'invoice.payments': (tx, object) =>
    listObject(
      '/v1/invoices/payments',
      listOf(tx, 'invoice_payment', { parent: object.id }).map((payment) => renderObject(tx, payment)),
    ),
  'invoice.confirmation_secret': (tx, object) => {
    const intent = object._?.intent
    if (typeof intent !== 'string') return null
    return { client_secret: load(tx, intent).client_secret, type: 'payment_intent' }
  },
  'price.tiers': (_tx, object) => (object as Price)._.tiers ?? undefined,
  'price.currency_options': (_tx, object) => {
    const price = object as Price
    const own = {
      custom_unit_amount: null,
      tax_behavior: price.tax_behavior,
      unit_amount: price.unit_amount,
      unit_amount_decimal: price.unit_amount_decimal,
    }
    return { [price.currency]: own, ...price._.currency_options }
  },
}

export function listObject(url: string, data: Rendered[], limit = 100): Rendered {
  return { object: 'list', data: data.slice(0, limit), has_more: data.length > limit, total_count: data.length, url }
}

function lineItemList(tx: Tx, url: string, owner: Stored): Rendered {
  const items = listOf(tx, 'item', { parent: owner.id }).reverse()
  return listObject(
    `${url}/line_items`,
    items.map((item) => renderObject(tx, item)),
  )
}

export function itemsOf(tx: Tx, subscription: string): SubscriptionItem[] {
  return listOf<SubscriptionItem>(tx, 'subscription_item', { parent: subscription }).reverse()
}

export function linesOf(tx: Tx, invoice: Invoice): InvoiceLine[] {
  return listOf<InvoiceLine>(tx, 'line_item', { parent: invoice.id }).reverse()
}

function renderItem(tx: Tx, item: SubscriptionItem, shown: Rendered): Rendered {
  const price = load<Price>(tx, item.price)
  return { ...shown, plan: planOf(price), price: renderObject(tx, price) }
}

function renderSubscription(tx: Tx, subscription: Subscription, shown: Rendered): Rendered {
  const items = itemsOf(tx, subscription.id).map((item) => renderObject(tx, item))
  const only = items.length === 1 ? items[0] : undefined
  return {
    ...shown,
    items: listObject(`/v1/subscription_items?subscription=${subscription.id}`, items),
    // Undeclared, yet real answers still carry them for subscriptions with one item.
    plan: only ? only.plan : null,
    ...(only && only.quantity !== undefined ? { quantity: only.quantity } : {}),
  }
}

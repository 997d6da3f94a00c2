import { emit } from '../events/emit.ts'
import { couponOf, discountFor } from '../objects/discount.ts'
import { linesOf } from '../objects/render.ts'
import type {
  Coupon,
  Customer,
  Discount,
  Invoice,
  InvoiceItem,
  InvoiceLine,
  Metadata,
  Price,
} from '../objects/types.ts'
import { newId, randomText } from '../store/ids.ts'
import { find, load, save, type Tx } from '../store/transact.ts'

export type LineDraft = {
  amount: number
  description: string | null
  discountable: boolean
  period: { start: number; end: number }
  price: Price | null
  unitAmountDecimal: string | null
  quantity: number | null
  subscription: string | null
  /** Subscription item that the line bills. */
  item: string | null
  invoiceItem: string | null
  proration: boolean
  creditedItems: { invoice: string; invoice_line_items: string[] } | null
  metadata: Metadata
  discounts: string[]
}

export type InvoiceDraft = {
  customer: Customer
  subscription: { id: string; metadata: Metadata; prorationDate?: number } | null
  reason: string
  currency: string
  collectionMethod: 'charge_automatically' | 'send_invoice'
  daysUntilDue: number | null
  autoAdvance: boolean
  finalizesAt: number | null
  period: { start: number; end: number }
  lines: LineDraft[]
  discounts: string[]
  defaultPaymentMethod?: string | null
  description?: string | null
  metadata?: Metadata
  footer?: string | null
  dueDate?: number | null
}

/** Stores a draft with its lines. `silent` leaves out invoice.created, for previews. */
export function draftInvoice(tx: Tx, draft: InvoiceDraft, silent = false): Invoice {
  const { customer, subscription } = draft
  const invoice: Invoice = {
    id: newId('in'),
    object: 'invoice',
    account_country: 'US',
    account_name: merchantName,
    account_tax_ids: null,
    amount_due: 0,
    amount_overpaid: 0,
    amount_paid: 0,
    amount_remaining: 0,
    amount_shipping: 0,
    application: null,
    attempt_count: 0,
    attempted: false,
    auto_advance: draft.autoAdvance,
    automatic_tax: { disabled_reason: null, enabled: false, liability: null, provider: null, status: null },
    automatically_finalizes_at: draft.autoAdvance ? draft.finalizesAt : null,
    billing_reason: draft.reason,
    collection_method: draft.collectionMethod,
    created: tx.now,
    currency: draft.currency,
    custom_fields: customer.invoice_settings.custom_fields ?? null,
    customer: customer.id,
    customer_account: null,
    customer_address: customer.address,
    customer_email: customer.email,
    customer_name: customer.name,
    customer_phone: customer.phone,
    customer_shipping: customer.shipping,
    customer_tax_exempt: customer.tax_exempt,
    customer_tax_ids: [],
    default_payment_method: draft.defaultPaymentMethod ?? null,
    default_source: null,
    default_tax_rates: [],
    description: draft.description ?? null,
    discounts: draft.discounts,
    due_date:
      draft.dueDate ??
      (draft.collectionMethod === 'send_invoice' ? tx.now + (draft.daysUntilDue ?? 30) * 86_400 : null),
    effective_at: null,
    ending_balance: null,
    footer: draft.footer ?? customer.invoice_settings.footer ?? null,
    from_invoice: null,
    hosted_invoice_url: null,
    invoice_pdf: null,
    issuer: { type: 'self' },
    last_finalization_error: null,
    latest_revision: null,
    livemode: false,
    metadata: draft.metadata ?? {},
    next_payment_attempt:
      draft.autoAdvance && draft.collectionMethod === 'charge_automatically' ? draft.finalizesAt : null,
    number: null,
    on_behalf_of: null,
    parent: subscription
      ? {
          quote_details: null,
          subscription_details: {
            metadata: { ...subscription.metadata },
            subscription: subscription.id,
            ...(subscription.prorationDate ? { subscription_proration_date: subscription.prorationDate } : {}),
          },
          type: 'subscription_details',
        }
      : null,
    payment_settings: { default_mandate: null, payment_method_options: null, payment_method_types: null },
    period_end: draft.period.end,
    period_start: draft.period.start,
    post_payment_credit_notes_amount: 0,
    pre_payment_credit_notes_amount: 0,
    receipt_number: null,
    rendering: null,
    shipping_cost: null,
    shipping_details: null,
    starting_balance: customer.balance,
    statement_descriptor: null,
    status: 'draft',
    status_transitions: { finalized_at: null, marked_uncollectible_at: null, paid_at: null, voided_at: null },
    subtotal: 0,
    subtotal_excluding_tax: 0,
    test_clock: customer.test_clock,
    total: 0,
    total_discount_amounts: [],
    total_excluding_tax: 0,
    total_pretax_credit_amounts: [],
    total_taxes: [],
    webhooks_delivered_at: null,
    _: { subscription: subscription?.id ?? null, token: randomText(32), intent: null },
  }
  save(tx, invoice)
  save(tx, { id: invoice._.token, object: 'token.invoice', invoice: invoice.id })
  draft.lines.forEach((line, position) => void addLine(tx, invoice, line, position))
  recomputeTotals(tx, invoice)
  if (!silent) emit(tx, 'invoice.created', invoice)
  return invoice
}

export const merchantName = 'Sandbox merchant'

export function addLine(tx: Tx, invoice: Invoice, line: LineDraft, position = 0): InvoiceLine {
  const details = {
    invoice_item: line.invoiceItem,
    proration: line.proration,
    proration_details: { credited_items: line.creditedItems },
    subscription: line.subscription,
  }
  const stored: InvoiceLine = {
    id: newId('il'),
    object: 'line_item',
    amount: line.amount,
    currency: invoice.currency,
    description: line.description,
    discount_amounts: [],
    discountable: line.discountable,
    discounts: line.discounts,
    invoice: invoice.id,
    livemode: false,
    metadata: line.metadata,
    parent: line.item
      ? {
          invoice_item_details: null,
          subscription_item_details: { ...details, subscription_item: line.item },
          type: 'subscription_item_details',
        }
      : { invoice_item_details: details, subscription_item_details: null, type: 'invoice_item_details' },
    period: line.period,
    pretax_credit_amounts: [],
    pricing: line.price
      ? {
          price_details: { price: line.price.id, product: line.price.product },
          type: 'price_details',
          unit_amount_decimal: line.unitAmountDecimal,
        }
      : null,
    quantity: line.quantity,
    quantity_decimal: line.quantity === null ? null : String(line.quantity),
    subscription: line.subscription,
    subtotal: line.amount,
    taxes: [],
    _: { item: line.item, invoiceItem: line.invoiceItem, proration: line.proration, position },
  }
  return save(tx, stored)
}

/** A pending extra becomes a line: its own id stays on the line's parent. */
export function lineOfInvoiceItem(tx: Tx, item: InvoiceItem): LineDraft {
  const price = item.pricing ? load<Price>(tx, item.pricing.price_details.price) : null
  return {
    amount: item.amount,
    description: item.description,
    discountable: item.discountable,
    period: item.period,
    price,
    unitAmountDecimal: item.pricing?.unit_amount_decimal ?? null,
    quantity: item.quantity,
    subscription: item._.subscription,
    item: item._.item,
    invoiceItem: item.id,
    proration: item.proration,
    creditedItems: item._.creditedItems,
    metadata: item.metadata ?? {},
    discounts: item.discounts,
  }
}

/** Sums lines, takes discounts off and says what is due. Only drafts change. */
export function recomputeTotals(tx: Tx, invoice: Invoice): Invoice {
  const lines = linesOf(tx, invoice)
  for (const line of lines) line.discount_amounts = []
  for (const line of lines) for (const id of line.discounts) takeOff(tx, load<Discount>(tx, id), [line])
  for (const id of invoice.discounts) takeOff(tx, load<Discount>(tx, id), lines)
  const totals = new Map<string, number>()
  for (const line of lines) {
    for (const { amount, discount } of line.discount_amounts) totals.set(discount, (totals.get(discount) ?? 0) + amount)
    line.pretax_credit_amounts = line.discount_amounts.map((each) => ({ ...each, type: 'discount' }))
    line.subtotal = line.amount
    save(tx, line)
  }
  invoice.total_discount_amounts = [...totals].map(([discount, amount]) => ({ amount, discount }))
  invoice.total_pretax_credit_amounts = invoice.total_discount_amounts.map((each) => ({ ...each, type: 'discount' }))
  invoice.subtotal = lines.reduce((sum, line) => sum + line.amount, 0)
  invoice.subtotal_excluding_tax = invoice.subtotal
  invoice.total = invoice.subtotal - invoice.total_discount_amounts.reduce((sum, each) => sum + each.amount, 0)
  invoice.total_excluding_tax = invoice.total
  const customer = find<Customer>(tx, invoice.customer)
  invoice.starting_balance = customer?.balance ?? 0
  invoice.amount_due = Math.max(0, invoice.total + invoice.starting_balance)
  invoice.amount_remaining = invoice.amount_due
  return save(tx, invoice)
}

function takeOff(tx: Tx, discount: Discount, lines: InvoiceLine[]): void {
  const coupon = couponOf(tx, discount)
  const eligible = lines.filter((line) => line.discountable && line.amount > 0 && appliesTo(coupon, line))
  const left = (line: InvoiceLine) => line.amount - line.discount_amounts.reduce((sum, each) => sum + each.amount, 0)
  const base = eligible.reduce((sum, line) => sum + left(line), 0)
  let rest = discountFor(coupon, base)
  let restBase = base
  for (const line of eligible) {
    // Shares are cut from what remains, so that they always add up to the whole.
    const amount = restBase === 0 ? 0 : Math.round((rest * left(line)) / restBase)
    restBase -= left(line)
    rest -= amount
    line.discount_amounts.push({ amount, discount: discount.id })
  }
}

function appliesTo(coupon: Coupon, line: InvoiceLine): boolean {
  const { products } = coupon._
  return products === null || (line.pricing !== null && products.includes(line.pricing.price_details.product))
}

import type Stripe from 'stripe'
import { fail } from '../../core/errors.ts'
import type { InvoicePreview, OrderPreview, OrderRequest, RenewalPreview } from '../../modules/payments/index.ts'
import type { Log } from '../../platform/log.ts'
import { changesTo, type OrderTools, readSubscription, runningPeriod, secondsOf } from './change.ts'
import { asking, refusalOf } from './client.ts'

type Details = Stripe.InvoiceCreatePreviewParams.SubscriptionDetails

/** What Stripe says that an order would bring: the invoice now, if any, and the next one (SUB-4). Nothing is stored there. */
export const previewOf = async (stripe: Stripe, tools: OrderTools, request: OrderRequest): Promise<OrderPreview> => {
  const { order, providerCustomerId: customer } = request
  const ask = (parameters: Stripe.InvoiceCreatePreviewParams) => askPreview(stripe, tools, parameters)
  if (order.kind === 'create') {
    const items: { price: string; quantity: number }[] = []
    for (const { lookupKey, quantity } of order.lines) items.push({ price: await tools.priceOf(lookupKey), quantity })
    const first = await ask({ customer, subscription_details: { items, ...trialOf(order.trialEndsAt) } })
    const regular = order.trialEndsAt ? await ask({ customer, subscription_details: { items } }) : first
    const end = Math.max(...(first?.lines.data ?? []).map((line) => line.period.end))
    return {
      now: first && invoicePreview(first),
      renewal: regular && Number.isFinite(end) ? { at: instant(end), invoice: invoicePreview(regular) } : null,
    }
  }
  const subscription = await readSubscription(stripe, tools, request.providerSubscriptionId ?? '')
  if (!subscription) throw fail('not_found')
  const { end } = runningPeriod(subscription)
  const of = (details?: Details, mode?: 'next' | 'recurring') =>
    ask({
      subscription: subscription.id,
      ...(details ? { subscription_details: details } : {}),
      ...(mode ? { preview_mode: mode } : {}),
    })
  const nothing: OrderPreview = { now: null, renewal: null }
  const renewing = async (details?: Details): Promise<OrderPreview['renewal']> => {
    const invoice = await of(details, 'recurring')
    return invoice && { at: instant(startOf(invoice, end)), invoice: invoicePreview(invoice) }
  }
  switch (order.kind) {
    case 'change_now': {
      const { changes: items } = await changesTo(tools, request, subscription, order.lines)
      const wanted = { items, proration_behavior: order.proration }
      const prorated = { proration_date: secondsOf(order.prorationAt) }
      const next = await of(order.proration === 'none' ? wanted : { ...wanted, ...prorated })
      // An invoice that begins with the next period is that of the renewal: then nothing is due before it.
      const atOnce = order.proration === 'always_invoice' && next !== null && startOf(next, end) < end
      return {
        now: atOnce ? invoicePreview(next) : null,
        renewal:
          atOnce || next === null
            ? await renewing({ items, proration_behavior: 'none' })
            : { at: instant(end), invoice: invoicePreview(next) },
      }
    }
    case 'change_at_period_end': {
      const { changes: items } = await changesTo(tools, request, subscription, order.lines)
      const renewal = await renewing({ items, proration_behavior: 'none' })
      return { now: null, renewal: renewal && { ...renewal, at: instant(end) } }
    }
    case 'cancel_now': {
      if (!order.creditUnused) return nothing
      const credit = await of({
        cancel_now: true,
        proration_behavior: 'always_invoice',
        proration_date: secondsOf(order.prorationAt),
      })
      return { now: credit && invoicePreview(credit), renewal: null }
    }
    case 'end_trial': {
      const first = await of({ trial_end: 'now', proration_behavior: 'always_invoice' })
      if (!first) return nothing
      const next = Math.max(...first.lines.data.map((line) => line.period.end))
      return { now: invoicePreview(first), renewal: { at: instant(next), invoice: invoicePreview(first) } }
    }
    case 'keep':
      return { now: null, renewal: await renewing({ cancel_at_period_end: false }) }
    case 'resume':
      return { now: null, renewal: await renewing() }
    case 'drop_change': {
      const items = subscription.items.data.map(({ id, price, quantity }) => ({
        id,
        price: price.id,
        ...(quantity === undefined ? {} : { quantity }),
      }))
      return { now: null, renewal: await renewing({ items, proration_behavior: 'none' }) }
    }
    case 'cancel_at_period_end':
    case 'pause':
      return nothing
  }
}

/**
 * The next invoice of a subscription as it would be now with items of ours, which are marked and not shown; null when there
 * is none to come, as for one that is gone there.
 */
export const previewNext = async (
  stripe: Stripe,
  log: Log,
  subscription: string,
  items: readonly Stripe.InvoiceCreatePreviewParams.InvoiceItem[],
  mark: string,
): Promise<RenewalPreview | null> => {
  const marked = items.map((item) => ({ ...item, metadata: { [mark]: 'preview' } }))
  try {
    const invoice = await askPreview(
      stripe,
      { log },
      { subscription, ...(marked.length > 0 ? { invoice_items: marked } : {}) },
    )
    if (!invoice) return null
    const discount = (invoice.total_discount_amounts ?? []).reduce((sum, { amount }) => sum + BigInt(amount), 0n)
    return { ...invoicePreview(invoice, ({ metadata }) => metadata?.[mark] !== 'preview'), discount }
  } catch (failure) {
    if (refusalOf(failure) === null) throw failure
    return null
  }
}

/** Null when there is nothing that could be billed. */
const askPreview = async (
  stripe: Stripe,
  { log }: Pick<OrderTools, 'log'>,
  parameters: Stripe.InvoiceCreatePreviewParams,
): Promise<Stripe.Invoice | null> => {
  try {
    return await asking(log, 'invoices.create_preview', () => stripe.invoices.createPreview(parameters))
  } catch (failure) {
    if (refusalOf(failure)?.code === 'invoice_upcoming_none') return null
    throw failure
  }
}

const trialOf = (endsAt: string | null): Pick<Details, 'trial_end'> =>
  endsAt === null ? {} : { trial_end: secondsOf(endsAt) }

const startOf = (invoice: Stripe.Invoice, otherwise: number): number => {
  const starts = invoice.lines.data.map((line) => line.period.start)
  return starts.length === 0 ? otherwise : Math.min(...starts)
}

const instant = (seconds: number): Temporal.Instant => Temporal.Instant.fromEpochMilliseconds(seconds * 1_000)

const invoicePreview = (
  invoice: Stripe.Invoice,
  isShown: (line: Stripe.InvoiceLineItem) => boolean = () => true,
): InvoicePreview => {
  const taxes = invoice.total_taxes
  return {
    currency: invoice.currency.toUpperCase(),
    lines: invoice.lines.data.filter(isShown).map((line) => ({
      description: line.description ?? '',
      amount: BigInt(line.amount),
      quantity: line.quantity ?? null,
      period: { start: instant(line.period.start), end: instant(line.period.end) },
      proration: isProration(line),
    })),
    subtotal: BigInt(invoice.subtotal),
    tax: taxes && taxes.length > 0 ? taxes.reduce((sum, { amount }) => sum + BigInt(amount), 0n) : null,
    total: BigInt(invoice.total),
    amountDue: BigInt(invoice.amount_due),
  }
}

const isProration = (line: Stripe.InvoiceLineItem): boolean =>
  line.parent?.subscription_item_details?.proration ?? line.parent?.invoice_item_details?.proration ?? false

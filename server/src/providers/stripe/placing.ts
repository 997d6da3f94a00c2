import type Stripe from 'stripe'
import { Failure } from '../../core/errors.ts'
import type { InvoicePlacing, TargetInvoice } from '../../modules/payments/index.ts'
import type { Log } from '../../platform/log.ts'
import { asking, orMissing, refusalOf } from './client.ts'
import { previewNext } from './preview.ts'
import { list, name, unusable } from './shape.ts'

/** Our marks: a line's on its invoice item, a placing's on the invoice that was made for it. */
const lineMark = 'turnpike_line'
const placingMark = 'turnpike_placing'

/** Lines on Stripe's invoices: invoice items on the draft of a renewal, or on a draft that is made for them. */
export const createStripePlacing = (stripe: Stripe, log: Log): InvoicePlacing => {
  const listPlaced: InvoicePlacing['listPlaced'] = async (providerInvoiceId) => {
    const placed = new Map<string, { itemId: string; amountMinor: bigint }[]>()
    for (let after: string | null = null; ; ) {
      const page: Stripe.ApiList<Stripe.InvoiceLineItem> | null = await asking(log, 'invoices.list_lines', () =>
        orMissing(
          stripe.invoices.listLineItems(providerInvoiceId, {
            limit: 100,
            ...(after === null ? {} : { starting_after: after }),
          }),
        ),
      )
      if (page === null) return null
      for (const line of list(page.data, 'the lines of an invoice')) {
        const mark = line.metadata?.[lineMark]
        if (!mark) continue
        const itemId = line.parent?.invoice_item_details?.invoice_item ?? line.id
        placed.set(mark, [...(placed.get(mark) ?? []), { itemId, amountMinor: BigInt(line.amount) }])
      }
      const last = page.data.at(-1)?.id
      if (!page.has_more || last === undefined) return placed
      after = last
    }
  }

  return {
    listPlaced,

    findRenewalInvoice: async (subscription, renewalAt) => {
      const at = Math.floor(renewalAt.epochMilliseconds / 1_000)
      const found = await asking(log, 'invoices.list', () =>
        orMissing(stripe.invoices.list({ subscription, created: { gte: at - 60 }, limit: 100 })),
      )
      const ofRenewal = (found?.data ?? []).filter(
        ({ billing_reason: reason, period_end: end, lines }) =>
          reason === 'subscription_cycle' && (end === at || lines.data.some(({ period }) => period.start === at)),
      )
      const invoice = ofRenewal.at(-1)
      return invoice ? targetOf(invoice) : null
    },

    fetchTarget: async (providerInvoiceId) => {
      const invoice = await asking(log, 'invoices.retrieve', () =>
        orMissing(stripe.invoices.retrieve(providerInvoiceId)),
      )
      return invoice && !(invoice as { deleted?: boolean }).deleted ? targetOf(invoice) : null
    },

    openInvoice: async ({ placingId, since, providerCustomerId: customer, providerSubscriptionId, currency }) => {
      // The key is forgotten after a day; the mark is not.
      const made = await asking(log, 'invoices.list', () =>
        stripe.invoices.list({
          customer,
          created: { gte: Math.floor(since.epochMilliseconds / 1_000) - 60 },
          limit: 100,
        }),
      )
      const ours = made.data.filter(({ metadata }) => metadata?.[placingMark] === placingId)
      const draft = ours.find(({ status }) => status === 'draft')
      if (draft) return targetOf(draft)
      // What pays the subscription pays for its usage too; the customer may have no method of its own.
      const subscription = await asking(log, 'subscriptions.retrieve', () =>
        orMissing(stripe.subscriptions.retrieve(providerSubscriptionId)),
      )
      const method = idOf(subscription?.default_payment_method)
      return targetOf(
        await asking(log, 'invoices.create', () =>
          stripe.invoices.create(
            {
              customer,
              currency: currency.toLowerCase(),
              // Collected from the moment that its lines are all there, not before.
              auto_advance: false,
              collection_method: 'charge_automatically',
              pending_invoice_items_behavior: 'exclude',
              ...(method === null ? {} : { default_payment_method: method }),
              metadata: { [placingMark]: placingId, turnpike_subscription: providerSubscriptionId },
            },
            // One that somebody closed by hand takes no more lines: then there is another.
            { idempotencyKey: `${placingId}-${ours.length}` },
          ),
        ),
      )
    },

    placeLines: async ({ providerCustomerId: customer, providerInvoiceId: invoice, currency, lines }) => {
      const items = new Map<string, string>()
      const placed = await listPlaced(invoice)
      for (const { lineId, description, amountMinor, period } of lines) {
        const known = placed?.get(lineId)?.[0]
        if (known) {
          items.set(lineId, known.itemId)
          continue
        }
        try {
          const item = await asking(log, 'invoiceitems.create', () =>
            stripe.invoiceItems.create(
              {
                customer,
                invoice,
                amount: safe(amountMinor),
                currency: currency.toLowerCase(),
                description,
                period: { start: secondsOf(period.start), end: secondsOf(period.end) },
                metadata: { [lineMark]: lineId },
              },
              // The invoice is part of the key: where one was closed, the line goes to another.
              { idempotencyKey: `${lineId}-${invoice}` },
            ),
          )
          items.set(lineId, name(item.id, 'the id of an invoice item'))
        } catch (failure) {
          if (!isClosed(failure)) throw failure
          return { kind: 'closed', items }
        }
      }
      return { kind: 'placed', items }
    },

    finalizeInvoice: async (providerInvoiceId) => {
      try {
        await asking(log, 'invoices.finalize', () =>
          stripe.invoices.finalizeInvoice(
            providerInvoiceId,
            { auto_advance: true },
            { idempotencyKey: `${providerInvoiceId}-finalize` },
          ),
        )
      } catch (failure) {
        if (!isClosed(failure)) throw failure
      }
    },

    previewRenewal: (subscription, currency, lines) =>
      previewNext(
        stripe,
        log,
        subscription,
        lines.map(({ description, amountMinor, period }) => ({
          amount: safe(amountMinor),
          currency: currency.toLowerCase(),
          description,
          period: { start: secondsOf(period.start), end: secondsOf(period.end) },
        })),
        lineMark,
      ),
  }
}

/** The invoice is no draft any more: not ours to change. */
const isClosed = (failure: unknown): boolean =>
  failure instanceof Failure &&
  ['invoice_not_editable', 'invoice_already_finalized'].includes(refusalOf(failure)?.code ?? '')

const targetOf = (invoice: Stripe.Invoice): TargetInvoice => {
  const statuses = ['draft', 'open', 'paid', 'uncollectible', 'void'] as const
  const status = statuses.find((known) => known === invoice.status)
  if (!status) throw unusable(`an invoice in status ${invoice.status}`)
  return { providerInvoiceId: name(invoice.id, 'the id of an invoice'), status, totalMinor: BigInt(invoice.total) }
}

const idOf = (reference: string | { id: string } | null | undefined): string | null =>
  typeof reference === 'string' ? reference : (reference?.id ?? null)

const secondsOf = (at: Temporal.Instant): number => Math.floor(at.epochMilliseconds / 1_000)

/** An amount as the SDK takes it: more than fits into a number exactly is not charged by mistake. */
const safe = (amountMinor: bigint): number => {
  const amount = Number(amountMinor)
  if (!Number.isSafeInteger(amount)) throw unusable('an amount that is too large')
  return amount
}

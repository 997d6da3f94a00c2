import { findInvoice, invoiceNews, saveInvoice } from '../../modules/invoices/index.ts'
import type { InvoiceFact } from '../../modules/payments/index.ts'
import type { SubscriptionRecord } from '../../modules/subscriptions/index.ts'
import { type Actor, appendAudit } from '../../platform/audit.ts'
import type { Tx } from '../../platform/db.ts'
import type { EventData, NewEvent } from '../../platform/outbox.ts'
import type { Deps } from '../deps.ts'

/** Mirrors a customer's invoices: each payment, each failed attempt and each other difference is announced once (INV-2). */
export const applyInvoices = async (
  tx: Tx,
  deps: Pick<Deps, 'clock' | 'provider'>,
  tenantId: string,
  facts: readonly InvoiceFact[],
  subscriptions: readonly SubscriptionRecord[],
  actor: Actor,
): Promise<NewEvent[]> => {
  const events: NewEvent[] = []
  for (const fact of facts) {
    const before = await findInvoice(tx, tenantId, fact.providerInvoiceId)
    const news = invoiceNews(before, fact)
    if (news === null) continue
    await saveInvoice(tx, { ...fact, tenantId, provider: deps.provider.name }, deps.clock.now())
    const subscriptionId =
      subscriptions.find((record) => record.providerSubscriptionId === fact.providerSubscriptionId)?.subscriptionId ??
      null
    const invoice = invoiceData(fact, subscriptionId)
    events.push(
      news === 'paid'
        ? { type: 'invoice.paid', data: (budget) => ({ invoice, budget }) }
        : { type: news === 'payment_failed' ? 'invoice.payment_failed' : 'invoice.updated', data: { invoice } },
    )
    await appendAudit(tx, deps.clock, {
      tenantId,
      actor,
      action: `invoice.${news}`,
      object: fact.providerInvoiceId,
      before: before && { status: before.status, attempts: before.attemptCount },
      after: { status: fact.status, attempts: fact.attemptCount },
    })
  }
  return events
}

const invoiceData = (fact: InvoiceFact, subscriptionId: string | null): EventData<'invoice.updated'>['invoice'] => ({
  providerInvoiceId: fact.providerInvoiceId,
  subscriptionId,
  number: fact.number,
  status: fact.status,
  amountDueMinor: String(fact.amountDue),
  amountPaidMinor: String(fact.amountPaid),
  currency: fact.currency,
  billingReason: fact.billingReason,
  hostedInvoiceUrl: fact.hostedInvoiceUrl,
  actionRequired: fact.actionRequired,
  periodStart: fact.period?.start.toString() ?? null,
  periodEnd: fact.period?.end.toString() ?? null,
})

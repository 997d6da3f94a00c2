import { Failure } from '../../core/errors.ts'
import type { CreditNoteFact, InvoiceFact, RefundFact } from '../../modules/payments/index.ts'
import { findMoneyBackOfInvoice } from '../../modules/refunds/index.ts'
import type { Deps } from '../deps.ts'
import type { LeftOut } from '../sync-customer.ts'

export type MoneyBackWish = {
  /** Refunds, credit notes and charges, by the provider's ids. */
  providerIds: readonly string[]
  /** Invoices of which everything that was given back is wanted. */
  ofInvoices: readonly string[]
}

/**
 * What was given back, as far as it is wanted, with the invoices that it belongs to. A credit note comes with its refunds,
 * so that neither is counted without the other. Of an invoice that says of itself that more or less of it was credited than
 * is known here, all credit notes are fetched, whichever webhook came.
 */
export const gatherMoneyBack = async (
  { db, provider }: Deps,
  tenantId: string,
  providerCustomerId: string,
  wish: MoneyBackWish,
  fetchInvoices: (ids: readonly string[]) => Promise<void>,
  invoices: readonly InvoiceFact[],
  leftOut: Map<string, LeftOut>,
): Promise<{ refunds: RefundFact[]; creditNotes: CreditNoteFact[] }> => {
  const refunds = new Map<string, RefundFact>()
  const creditNotes = new Map<string, CreditNoteFact>()
  const keep = (found: { refunds?: readonly RefundFact[]; notes?: readonly CreditNoteFact[] }): void => {
    for (const fact of found.refunds ?? []) refunds.set(fact.providerRefundId, fact)
    for (const fact of found.notes ?? []) creditNotes.set(fact.providerCreditNoteId, fact)
  }
  const orLeftOut = async (id: string, look: () => Promise<void>): Promise<void> => {
    try {
      await look()
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      leftOut.set(id, { failed: error.code })
    }
  }

  for (const id of new Set(wish.providerIds))
    await orLeftOut(id, async () => {
      if (id.startsWith('cn_')) keep({ notes: await provider.fetchCreditNotes({ creditNote: id }) })
      else keep({ refunds: await provider.fetchRefunds(id.startsWith('ch_') ? { charge: id } : { refund: id }) })
    })
  await fetchInvoices([
    ...wish.ofInvoices,
    ...[...refunds.values()].flatMap((fact) => fact.providerInvoiceId ?? []),
    ...[...creditNotes.values()].map((fact) => fact.providerInvoiceId),
  ])
  for (const invoice of invoices) {
    const id = invoice.providerInvoiceId
    const whole = wish.ofInvoices.includes(id)
    const known = (await findMoneyBackOfInvoice(db, tenantId, id)).filter(
      (each) => each.kind === 'credit_note' && each.state === 'issued',
    )
    const credited = known.reduce((sum, each) => sum + each.amount, 0n)
    const differs = credited !== invoice.creditedBeforePayment + invoice.creditedAfterPayment
    if (whole || differs)
      await orLeftOut(id, async () => keep({ notes: await provider.fetchCreditNotes({ invoice: id }) }))
    for (const { providerIntentId } of whole ? invoice.payments : [])
      if (providerIntentId !== null)
        await orLeftOut(id, async () => keep({ refunds: await provider.fetchRefunds({ intent: providerIntentId }) }))
  }
  for (const note of [...creditNotes.values()])
    for (const { providerRefundId } of note.refunds)
      if (!refunds.has(providerRefundId))
        await orLeftOut(note.providerCreditNoteId, async () => {
          const found = await provider.fetchRefunds({ refund: providerRefundId })
          // Without its refund it would count for more than it is.
          if (found.length === 0) throw new Failure('provider_data_invalid')
          keep({ refunds: found })
        })
  for (const [id, left] of leftOut) if ('failed' in left) creditNotes.delete(id)

  // A refund that does not say whose it is belongs to whom its invoice does.
  const ofCustomer = (fact: RefundFact): boolean =>
    fact.providerCustomerId === providerCustomerId ||
    (fact.providerCustomerId === null &&
      invoices.some(({ providerInvoiceId }) => providerInvoiceId === fact.providerInvoiceId))
  const others = [
    ...[...refunds.values()].filter((fact) => !ofCustomer(fact)).map((fact) => fact.providerRefundId),
    ...[...creditNotes.values()]
      .filter((fact) => fact.providerCustomerId !== providerCustomerId)
      .map((fact) => fact.providerCreditNoteId),
  ]
  for (const id of others) {
    refunds.delete(id)
    creditNotes.delete(id)
    leftOut.set(id, { ignored: 'other_customer' })
  }
  return { refunds: [...refunds.values()], creditNotes: [...creditNotes.values()] }
}

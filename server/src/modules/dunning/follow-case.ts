import type { SubscriptionStatus } from '@turnpike/contract'
import type { InvoiceRecord } from '../invoices/index.ts'
import { isTerminal } from '../subscriptions/index.ts'

export type Outcome = 'recovered' | 'canceled' | 'written_off'

type Invoice = Pick<
  InvoiceRecord,
  'providerInvoiceId' | 'status' | 'finalizedAt' | 'createdAt' | 'attemptCount' | 'actionRequired'
>

/** Since when an invoice is due: when the provider finalized it, or made it where it does not say. */
export const dueSince = (invoice: Pick<Invoice, 'finalizedAt' | 'createdAt'>): Temporal.Instant =>
  invoice.finalizedAt ?? invoice.createdAt

/** Whether an invoice was tried and is not paid. What the provider calls uncollectible is a debt still, what is void is none. */
const isFailing = ({ status, attemptCount, actionRequired }: Invoice): boolean =>
  (status === 'open' || status === 'uncollectible') && (attemptCount > 0 || actionRequired)

/**
 * What a subscription's debt is counted from: its oldest failing invoice since the newest that was paid, so that a debt
 * which an active subscription has left behind does not end it at the next failure. Null while the provider has no trouble
 * with the subscription.
 */
const oldestFailing = <I extends Invoice>(status: SubscriptionStatus, invoices: readonly I[]): I | null => {
  if (status !== 'past_due' && status !== 'unpaid') return null
  const failing = invoices
    .filter(isFailing)
    .sort(
      (a, b) =>
        Temporal.Instant.compare(dueSince(a), dueSince(b)) || (a.providerInvoiceId < b.providerInvoiceId ? -1 : 1),
    )
  const paid = invoices
    .filter((invoice) => invoice.status === 'paid')
    .map(dueSince)
    .sort(Temporal.Instant.compare)
    .at(-1)
  const since = failing.filter((invoice) => !paid || Temporal.Instant.compare(dueSince(invoice), paid) > 0)
  return since[0] ?? failing[0] ?? null
}

/**
 * What has become of a subscription's case (DUN-1), from the facts alone: the same facts give the same case, whatever order
 * they came in. A case is about one invoice; when that is settled and another one is not, the next case begins with the other's
 * own time.
 */
export const followCase = <I extends Invoice>(
  open: { providerInvoiceId: string } | null,
  status: SubscriptionStatus,
  invoices: readonly I[],
): { close: Outcome | null; open: I | null } => {
  const failing = oldestFailing(status, invoices)
  if (open === null) return { close: null, open: failing }
  if (failing?.providerInvoiceId === open.providerInvoiceId) return { close: null, open: null }
  const followed = invoices.find(({ providerInvoiceId }) => providerInvoiceId === open.providerInvoiceId)
  const writtenOff = followed?.status === 'void' || followed?.status === 'uncollectible'
  return { close: isTerminal(status) ? 'canceled' : writtenOff ? 'written_off' : 'recovered', open: failing }
}

import type { Period } from '../../core/period.ts'
import type { RenewalPreview } from './order.ts'
import type { InvoiceFact } from './provider.ts'

/** A line of ours as the provider shall show it. `lineId` is our mark on it: by that it is found again. */
type PlacedLine = { lineId: string; description: string; amountMinor: bigint; period: Period }

/** An invoice of the provider as lines are put on it. `total` is that of its lines now. */
export type TargetInvoice = { providerInvoiceId: string; status: InvoiceFact['status']; totalMinor: bigint }

/**
 * How lines reach an invoice of the provider (INV-1), in our words. Everything that makes something looks first whether it
 * is there, by our mark: exactly once also when the provider has forgotten the idempotency key.
 */
export type InvoicePlacing = {
  /** The invoice that a renewal has made, whatever its status; null while there is none. */
  findRenewalInvoice(providerSubscriptionId: string, renewalAt: Temporal.Instant): Promise<TargetInvoice | null>
  fetchTarget(providerInvoiceId: string): Promise<TargetInvoice | null>
  /** An empty draft of our own that collects nothing yet; the same one again for the same placing. */
  openInvoice(request: {
    placingId: string
    since: Temporal.Instant
    providerCustomerId: string
    providerSubscriptionId: string
    currency: string
  }): Promise<TargetInvoice>
  /** Puts lines on a draft, each once. Answers the item of each line; `closed` when it is no draft any more. */
  placeLines(request: {
    providerCustomerId: string
    providerInvoiceId: string
    currency: string
    lines: readonly PlacedLine[]
  }): Promise<{ kind: 'placed' | 'closed'; items: Map<string, string> }>
  /** Ends the draft, so that it is collected. One that is finalized already stays as it is. */
  finalizeInvoice(providerInvoiceId: string): Promise<void>
  /** Our lines on an invoice: for each of our marks its items. Null for an invoice that is not there. */
  listPlaced(providerInvoiceId: string): Promise<Map<string, { itemId: string; amountMinor: bigint }[]> | null>
  /**
   * The next invoice as the provider would make it now with these lines of ours on it, which are not among the lines of
   * the answer; null when there is none to come.
   */
  previewRenewal(
    providerSubscriptionId: string,
    currency: string,
    lines: readonly Omit<PlacedLine, 'lineId'>[],
  ): Promise<RenewalPreview | null>
}

/** Something that was bought once, confirmed by the provider (INV-3). */
export type PurchaseRecord = {
  tenantId: string
  purchaseId: string
  checkoutId: string
  product: string
  /** As it was called then. */
  name: string
  currency: string
  /** As the provider charged it, with discount and tax. */
  amountMinor: bigint
  providerPaymentId: string | null
  purchasedAt: Temporal.Instant
  creditGrantId: string | null
}

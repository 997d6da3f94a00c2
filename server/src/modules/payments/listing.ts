import type { CreditNoteFact, RefundFact } from './money-back.ts'
import type { InvoiceFact, SubscriptionFact } from './provider.ts'

/** A page of what the provider has, newest first. `after`: where the next one begins; null at the end. */
export type ListPage<T> = { items: T[]; after: string | null }

export type ListedSubscription = {
  providerSubscriptionId: string
  providerCustomerId: string | null
  /** Null for a state that this version does not know: it is there, and nothing is said about it. */
  fact: SubscriptionFact | null
}

export type ListedInvoice = {
  providerInvoiceId: string
  providerCustomerId: string | null
  fact: InvoiceFact | null
}

export type ListedCustomer = {
  providerCustomerId: string
  /** The tenant that it was made for, as our mark on it says. */
  tenantId: string | null
  /** What it is charged by unless a subscription says otherwise; null without one. */
  defaultMethodId: string | null
}

/**
 * Everything that the provider has, a page at a time (REC-1), for comparing. Every request waits its turn, so that
 * comparing never uses up what customers need. Fails as the rest of the port does; what is not listed is not there.
 */
export type ProviderListing = {
  /** Waits for the next turn: for requests of others that belong to the same work. */
  turn(): Promise<void>
  subscriptions(page: {
    after: string | null
    providerCustomerId?: string
    createdSince?: Temporal.Instant
  }): Promise<ListPage<ListedSubscription>>
  invoices(page: {
    after: string | null
    createdSince: Temporal.Instant
    providerCustomerId?: string
  }): Promise<ListPage<ListedInvoice>>
  creditNotes(page: {
    after: string | null
    createdSince: Temporal.Instant
    providerCustomerId?: string
  }): Promise<ListPage<CreditNoteFact>>
  refunds(page: { after: string | null; createdSince: Temporal.Instant }): Promise<ListPage<RefundFact>>
  customers(page: { after: string | null }): Promise<ListPage<ListedCustomer>>
  /** Null when the provider says that it does not have this customer, or has deleted it. */
  customer(providerCustomerId: string): Promise<ListedCustomer | null>
  /** False only when the provider says so: an outage is a failure, never a no. */
  knowsSubscription(providerSubscriptionId: string): Promise<boolean>
  invoice(providerInvoiceId: string): Promise<ListedInvoice | null>
}

import type Stripe from 'stripe'
import { Failure, fail } from '../../core/errors.ts'
import type {
  ListedCustomer,
  ListedInvoice,
  ListedSubscription,
  ListPage,
  ProviderListing,
  SubscriptionFact,
} from '../../modules/payments/index.ts'
import type { Log } from '../../platform/log.ts'
import { asking, orMissing } from './client.ts'
import { creditNoteFact, refundFact } from './money-back.ts'
import { createPace } from './pace.ts'
import type { Ask, InvoiceReader } from './read-invoice.ts'
import { idOf, list } from './shape.ts'

// The most that Stripe gives in one page.
const limit = 100

/** Stripe's lists in our words. Lists, never the search: that one is a minute behind. */
export const createStripeListing = (
  stripe: Stripe,
  settings: {
    log: Log
    requestsPerSecond: number
    /** Null for one that cannot be read. */
    readSubscription(subscription: Stripe.Subscription): Promise<SubscriptionFact | null>
    readInvoice: InvoiceReader
  },
): ProviderListing => {
  const { log } = settings
  const turn = createPace(settings.requestsPerSecond)
  const ask: Ask = async (what, request) => {
    await turn()
    return asking(log, what, request)
  }
  const since = (at: Temporal.Instant) => ({ gte: Math.floor(at.epochMilliseconds / 1_000) })

  return {
    turn,

    subscriptions: async ({ after, providerCustomerId, createdSince }) => {
      const found = await ask('subscriptions.list', () =>
        // A customer that does not exist has no subscriptions; that is an answer.
        orMissing(
          stripe.subscriptions.list({
            status: 'all',
            limit,
            // A payment method may stand on the subscription or on its customer.
            expand: ['data.customer', 'data.discounts'],
            ...(after === null ? {} : { starting_after: after }),
            ...(providerCustomerId === undefined ? {} : { customer: providerCustomerId }),
            ...(createdSince === undefined ? {} : { created: since(createdSince) }),
          }),
        ),
      )
      if (found === null && after !== null) throw lostPlace()
      const items: ListedSubscription[] = []
      for (const subscription of list(found?.data ?? [], 'the subscriptions')) {
        // A schedule is one more request.
        if (subscription.schedule) await turn()
        items.push({
          providerSubscriptionId: subscription.id,
          providerCustomerId: idOf(subscription.customer),
          fact: await settings.readSubscription(subscription),
        })
      }
      return pageOf(items, found)
    },

    invoices: async ({ after, createdSince, providerCustomerId }) => {
      const found = await ask('invoices.list', () =>
        orMissing(
          stripe.invoices.list({
            limit,
            created: since(createdSince),
            expand: ['data.payments'],
            ...(after === null ? {} : { starting_after: after }),
            ...(providerCustomerId === undefined ? {} : { customer: providerCustomerId }),
          }),
        ),
      )
      if (found === null && after !== null) throw lostPlace()
      const items: ListedInvoice[] = []
      for (const invoice of list(found?.data ?? [], 'the invoices')) {
        const listed = await listedInvoice(invoice)
        if (listed) items.push(listed)
      }
      return pageOf(items, found)
    },

    creditNotes: async ({ after, createdSince, providerCustomerId }) => {
      const found = await ask('creditNotes.list', () =>
        orMissing(
          stripe.creditNotes.list({
            limit,
            created: since(createdSince),
            ...(after === null ? {} : { starting_after: after }),
            ...(providerCustomerId === undefined ? {} : { customer: providerCustomerId }),
          }),
        ),
      )
      if (found === null && after !== null) throw lostPlace()
      return pageOf(list(found?.data ?? [], 'the credit notes').map(creditNoteFact), found)
    },

    refunds: async ({ after, createdSince }) => {
      const found = await ask('refunds.list', () =>
        orMissing(
          stripe.refunds.list({
            limit,
            created: since(createdSince),
            ...(after === null ? {} : { starting_after: after }),
          }),
        ),
      )
      if (found === null && after !== null) throw lostPlace()
      const items = list(found?.data ?? [], 'the refunds').map((refund) => refundFact(refund, null))
      return pageOf(items, found)
    },

    customers: async ({ after }) => {
      const found = await ask('customers.list', () =>
        orMissing(stripe.customers.list({ limit, ...(after === null ? {} : { starting_after: after }) })),
      )
      if (found === null) throw lostPlace()
      return pageOf(list(found.data, 'the customers').map(listedCustomer), found)
    },

    customer: async (providerCustomerId) => {
      const customer = await ask('customers.retrieve', () => orMissing(stripe.customers.retrieve(providerCustomerId)))
      return customer === null || customer.deleted ? null : listedCustomer(customer)
    },

    knowsSubscription: async (providerSubscriptionId) =>
      (await ask('subscriptions.retrieve', () => orMissing(stripe.subscriptions.retrieve(providerSubscriptionId)))) !==
      null,

    invoice: async (providerInvoiceId) => {
      const invoice = await ask('invoices.retrieve', () =>
        orMissing(stripe.invoices.retrieve(providerInvoiceId, { expand: ['payments'] })),
      )
      return invoice === null || (invoice as { deleted?: boolean }).deleted ? null : listedInvoice(invoice)
    },
  }

  async function listedInvoice(invoice: Stripe.Invoice): Promise<ListedInvoice | null> {
    if (!invoice.id) return null
    const listed = {
      providerInvoiceId: invoice.id,
      providerCustomerId: idOf(invoice.customer as string | { id: string }),
    }
    try {
      return { ...listed, fact: await settings.readInvoice(invoice, ask) }
    } catch (error) {
      // That it could not be asked about fails the whole list; what could not be read is passed over.
      if (error instanceof Failure && error.code !== 'provider_data_invalid') throw error
      log.error(
        { provider: 'stripe', invoice: invoice.id, err: error },
        'an invoice could not be read; it is passed over',
      )
      return { ...listed, fact: null }
    }
  }
}

const listedCustomer = (customer: Stripe.Customer): ListedCustomer => ({
  providerCustomerId: customer.id,
  tenantId: customer.metadata?.turnpike_tenant ?? null,
  defaultMethodId: idOf(customer.invoice_settings?.default_payment_method),
})

const pageOf = <T>(items: T[], found: Stripe.ApiList<{ id?: string }> | null): ListPage<T> => {
  const last = found?.data.at(-1)?.id
  return { items, after: found?.has_more && last !== undefined ? last : null }
}

/** The object that the place was named by is not there any more: the list has to be begun again. */
const lostPlace = (): Error => fail('provider_refused')

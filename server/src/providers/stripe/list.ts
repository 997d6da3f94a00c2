import type Stripe from 'stripe'
import { fail } from '../../core/errors.ts'
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
import { createPace } from './pace.ts'
import { list } from './shape.ts'
import { invoiceFact } from './translate.ts'

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
  },
): ProviderListing => {
  const { log } = settings
  const turn = createPace(settings.requestsPerSecond)
  const ask = async <T>(what: string, request: () => Promise<T>): Promise<T> => {
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
            ...(after === null ? {} : { starting_after: after }),
            ...(providerCustomerId === undefined ? {} : { customer: providerCustomerId }),
          }),
        ),
      )
      if (found === null && after !== null) throw lostPlace()
      const items = list(found?.data ?? [], 'the invoices').flatMap((invoice) => listedInvoice(log, invoice) ?? [])
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
      const invoice = await ask('invoices.retrieve', () => orMissing(stripe.invoices.retrieve(providerInvoiceId)))
      return invoice === null || (invoice as { deleted?: boolean }).deleted ? null : listedInvoice(log, invoice)
    },
  }
}

const idOf = (reference: string | { id: string } | null | undefined): string | null =>
  typeof reference === 'string' ? reference : (reference?.id ?? null)

const listedCustomer = (customer: Stripe.Customer): ListedCustomer => ({
  providerCustomerId: customer.id,
  tenantId: customer.metadata?.turnpike_tenant ?? null,
})

const listedInvoice = (log: Log, invoice: Stripe.Invoice): ListedInvoice | null => {
  if (!invoice.id) return null
  const listed = {
    providerInvoiceId: invoice.id,
    providerCustomerId: idOf(invoice.customer as string | { id: string }),
  }
  try {
    return { ...listed, fact: invoiceFact(invoice) }
  } catch (error) {
    log.error(
      { provider: 'stripe', invoice: invoice.id, err: error },
      'an invoice could not be read; it is passed over',
    )
    return { ...listed, fact: null }
  }
}

const pageOf = <T>(items: T[], found: Stripe.ApiList<{ id?: string }> | null): ListPage<T> => {
  const last = found?.data.at(-1)?.id
  return { items, after: found?.has_more && last !== undefined ? last : null }
}

/** The object that the place was named by is not there any more: the list has to be begun again. */
const lostPlace = (): Error => fail('provider_refused')
